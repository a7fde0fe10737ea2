/** The library used as its documentation shows it: each example is a program of a few lines, and runs. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  exportBundle,
  freeSizes,
  importOnnx,
  importPyTorch,
  importTfjs,
  measure,
  optimize,
  quantize,
  readOnnx,
  toFp16,
  toRgba8,
  verifyBundle,
  withBundleInterface,
  writeOnnx,
} from '@cyclegan/export';
import type { Tensor } from '@cyclegan/model';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';

const fixture = (path: string) => fileURLToPath(new URL(`../../../test/fixtures/${path}`, import.meta.url));
const image = (seed: number): Tensor => ({
  shape: [1, 3, 32, 32],
  data: Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i * (0.01 + 0.003 * seed))),
});
const images = (count: number) => Array.from({ length: count }, (_, seed) => image(seed));

async function answerOf(model: Uint8Array, { shape, data }: Tensor): Promise<Float32Array> {
  const session = await InferenceSession.create(model, { logSeverityLevel: 4 });
  const [output] = Object.values(
    await session.run({ [session.inputNames[0] ?? '']: new OrtTensor('float32', data, shape) }),
  );
  await session.release();
  return output?.data as Float32Array;
}

test('a PyTorch checkpoint to one small ONNX file', async () => {
  const out = join(temporaryFolder(), 'generator.onnx');

  const { graph } = await importPyTorch(fixture('pytorch/unet6-batch.pth'));
  const { graph: small } = toFp16(graph, { mode: 'weights' });
  await writeFile(out, writeOnnx(small));

  const halves = readOnnx(await readFile(out)).graph.nodes.flatMap(({ inputs }) =>
    inputs.filter((value) => value?.constant?.dtype === 'float16'),
  );
  expect(halves.length).toBeGreaterThan(0);
  expect((await stat(out)).size).toBeLessThan(0.8 * writeOnnx(graph).length);
  const large = { shape: [1, 3, 64, 64], data: new Float32Array(3 * 64 * 64).fill(0.3) };
  const [expected, got] = [
    await answerOf(writeOnnx(graph), large),
    await answerOf(await readFile(out), large),
  ];
  expect(Math.max(...got.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))))).toBeLessThan(
    0.05,
  );
});

test('a tfjs model, and the same model in tfjs beside it', async () => {
  const imported = await importTfjs(fixture('tfjs/cyclegan'));
  const reference = await imported.openReference();
  const answer = await reference.run(image(2));
  await reference.dispose();

  expect(reference.what).toMatch(/tfjs/);
  const got = await answerOf(writeOnnx(imported.graph), image(2));
  expect(Math.max(...got.map((value, i) => Math.abs(value - (answer.data[i] ?? Number.NaN))))).toBeLessThan(
    1e-4,
  );
});

test('a foreign ONNX file for canvases of any size', async () => {
  const { graph } = await importOnnx(fixture('exported/bundle/AtoB.fp32.onnx'));
  const sized = freeSizes(graph);
  if ('reason' in sized) throw new Error(sized.reason);
  const { graph: fast, table } = await optimize(withBundleInterface(sized.graph, [-1, 1]));
  const model = writeOnnx(toRgba8(fast));

  expect(sized).toMatchObject({ sizeMultiple: 4, minSize: 8 });
  expect(table.passes.length).toBeGreaterThan(0);
  const { inputs } = readOnnx(model).graph;
  expect(inputs[0]).toMatchObject({ name: 'image', dtype: 'uint8' });
});

test('int8, as near to float32 as it is asked to be', async () => {
  const { graph } = await importOnnx(fixture('exported/bundle/AtoB.fp32.onnx'));
  const { graph: int8, report } = await quantize(graph, {
    calibration: images(4),
    evaluation: images(2),
    psnrTarget: 40,
  });
  const { psnr, speed } = await measure({
    fp32: writeOnnx(graph),
    candidate: writeOnnx(int8),
    images: images(2),
    rounds: 1,
  });

  expect(Math.min(psnr, report.quality.psnr)).toBeGreaterThanOrEqual(40);
  expect(speed).toBeGreaterThan(0);
});

test('a bundle, verified', async () => {
  const out = join(temporaryFolder(), 'bundle');
  const source = fixture('pytorch/resnet6.pth');

  const { manifest } = await exportBundle({ source, out, precision: ['fp32', 'fp16-weights'] });
  const { ok, rows } = await verifyBundle({ bundle: out, source });

  expect(manifest.models.map(({ file }) => file)).toEqual(['AtoB.fp32.onnx', 'AtoB.fp16-weights.onnx']);
  expect(rows.filter((row) => !row.ok)).toEqual([]);
  expect(ok).toBe(true);
});
