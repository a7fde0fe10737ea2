/** A file of another program against the graph read from it, both run by onnxruntime. No tests. */
import { readOnnx, writeOnnx } from '@cyclegan/graph';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect } from 'vitest';
import { evaluateDim } from './dim-text.ts';

const options = { logSeverityLevel: 4 as const };
/** Of images: batch, height, width; not all models take the odd ones. */
const sizes = [
  [1, 16, 24],
  [2, 32, 16],
  [1, 18, 22],
  [1, 17, 23],
] as const;

async function run(session: InferenceSession, image: Tensor): Promise<Tensor | undefined> {
  try {
    return Object.values(await session.run({ [session.inputNames[0] ?? '']: image }))[0];
  } catch {
    return undefined;
  }
}

/**
 * Expects the same answers from both, shapes as inferred, and what the file refuses refused.
 * @returns how many sizes the file has taken
 */
export async function expectSameAsFile(bytes: Uint8Array, what: string): Promise<number> {
  const { graph } = readOnnx(bytes);
  const [file, read] = await Promise.all([
    InferenceSession.create(bytes, options),
    InferenceSession.create(writeOnnx(graph), options),
  ]);
  let taken = 0;
  for (const [n, h, w] of sizes) {
    const shape = [n, 3, h, w];
    const data = Float32Array.from({ length: n * 3 * h * w }, (_, i) => Math.sin(i * 12.9898));
    const image = new Tensor('float32', data, shape);
    const [wanted, got] = [await run(file, image), await run(read, image)];
    expect(got === undefined, `${what} of ${shape}`).toBe(wanted === undefined);
    if (!wanted || !got) continue;
    taken++;
    const symbols = Object.fromEntries(
      graph.inputs.flatMap((input) =>
        input.shape.flatMap((dim, axis) => (typeof dim === 'number' ? [] : [[dim.symbol, shape[axis] ?? 0]])),
      ),
    );
    const inferred = graph.outputs[0]?.value.shape.map((dim) => evaluateDim(dim, symbols));
    expect(got.dims, what).toEqual(wanted.dims);
    expect(inferred, what).toEqual(wanted.dims);
    const expected = wanted.data as Float32Array;
    const worst = (got.data as Float32Array).reduce(
      (most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? Number.NaN))),
      0,
    );
    expect(worst, `${what} of ${shape}`).toBeLessThan(1e-6 * Math.max(1, ...expected.map(Math.abs)));
  }
  await Promise.all([file.release(), read.release()]);
  return taken;
}
