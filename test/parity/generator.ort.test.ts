/**
 * The generator at every stage: in the training step's graph, in the graph that makes samples, exported in Node. The
 * weights go in as the trainer holds them, one flat vector, and as the checkpoint on disk.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Graph, writeOnnx } from '@cyclegan/graph';
import { readCheckpoint } from '@cyclegan/model';
import { type Group, groupParameters, sampleGraph, stateNames, stepGraph } from '@cyclegan/train';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MadeBundle, makeBundle } from '../support/make-bundle.ts';

const TOLERANCE = 1e-4;
const objective = { gan: 'lsgan', lambdaA: 10, lambdaB: 10, lambdaIdentity: 0.5 } as const;

const dir = mkdtempSync(join(tmpdir(), 'cyclegan-test-'));
let made: MadeBundle;
let flat: Record<Group, Float32Array>;
beforeAll(async () => {
  made = await makeBundle({ dir, ngf: 6, blocks: 2, seed: 5 });
  const { weights } = await readCheckpoint(made.run);
  const join = (group: Group) =>
    Float32Array.from(
      groupParameters(made.networks, group).flatMap(({ name }) => Array.from(weights.get(name)?.data ?? [])),
    );
  flat = { G: join('G'), D: join('D') };
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type Feeds = Record<string, Tensor>;
async function run(model: Graph | Uint8Array, feeds: Feeds): Promise<Record<string, Float32Array>> {
  const bytes = model instanceof Uint8Array ? model : writeOnnx(model);
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
}

/** Waves, so that neighbouring pixels resemble each other as in pictures; another one for each salt. */
function images(count: number, height: number, width: number, salt: number): Tensor {
  const data = Float32Array.from({ length: count * 3 * height * width }, (_, i) => {
    const [x, y, plane] = [i % width, Math.floor(i / width) % height, Math.floor(i / (width * height))];
    return 0.9 * Math.sin((x * (salt + 1)) / 5 + plane) * Math.cos((y * (plane + 1)) / 7 + salt);
  });
  return new Tensor('float32', data, [count, 3, height, width]);
}
const vector = (data: Float32Array) => new Tensor('float32', data, [data.length]);
const exported = async (direction: 'AtoB' | 'BtoA', image: Tensor) => {
  const { translation } = await run(await readFile(join(made.bundle, `${direction}.fp32.onnx`)), { image });
  return translation ?? new Float32Array();
};

function largestDifference(one: Float32Array | undefined, other: Float32Array | undefined): number {
  expect(one?.length).toBe(other?.length);
  return (one ?? new Float32Array()).reduce(
    (worst, value, i) => Math.max(worst, Math.abs(value - (other?.[i] ?? NaN))),
    0,
  );
}

describe.each([
  [1, 16, 16],
  [1, 40, 28],
  [1, 20, 64],
  [2, 32, 32],
  [3, 12, 36],
])('%i images of %ix%i', (batch, height, width) => {
  it('exported, give what the sample graph gives, both ways and back', async () => {
    const [a, b] = [images(batch, height, width, 1), images(batch, height, width, 2)];
    const graph = sampleGraph({ networks: made.networks, objective, batch, height, width });
    const sampled = await run(graph, { real_A: a, real_B: b, 'G.parameters': vector(flat.G) });
    const fakeB = await exported('AtoB', a);
    const fakeA = await exported('BtoA', b);
    const tensor = (data: Float32Array) => new Tensor('float32', data, a.dims);
    expect(largestDifference(fakeB, sampled['fake_B'])).toBeLessThan(TOLERANCE);
    expect(largestDifference(fakeA, sampled['fake_A'])).toBeLessThan(TOLERANCE);
    expect(largestDifference(await exported('BtoA', tensor(fakeB)), sampled['rec_A'])).toBeLessThan(
      TOLERANCE,
    );
    expect(largestDifference(await exported('AtoB', tensor(fakeA)), sampled['rec_B'])).toBeLessThan(
      TOLERANCE,
    );
    // What would hide a difference: outputs that are nearly nothing, or the same both ways.
    expect(Math.max(...fakeB)).toBeGreaterThan(0.5);
    expect(largestDifference(fakeB, fakeA)).toBeGreaterThan(0.5);
  });
});

it('the smallest image, too small to go there and back: four pixels deviate by little', async () => {
  const [a, b] = [images(1, 8, 8, 1), images(1, 8, 8, 2)];
  const graph = sampleGraph({ networks: made.networks, objective, batch: 1, height: 8, width: 8 });
  const sampled = await run(graph, { real_A: a, real_B: b, 'G.parameters': vector(flat.G) });
  expect(largestDifference(await exported('AtoB', a), sampled['fake_B'])).toBeLessThan(TOLERANCE);
  expect(largestDifference(await exported('BtoA', b), sampled['fake_A'])).toBeLessThan(TOLERANCE);
});

it('the training step, where InstanceNormalization is taken apart, translates as the exported file does', async () => {
  const [batch, height, width] = [2, 32, 24];
  const [a, b] = [images(batch, height, width, 1), images(batch, height, width, 2)];
  const pick = new Tensor('int64', BigInt64Array.from([2n, 3n]), [batch]);
  const scalar = (value: number) => new Tensor('float32', [value], []);
  const feeds: Feeds = { real_A: a, real_B: b, pool_A: a, pool_B: b, pick_A: pick, pick_B: pick };
  feeds['step_size'] = scalar(1e-4);
  feeds['epsilon_hat'] = scalar(1e-8);
  for (const group of ['G', 'D'] as const) {
    const names = stateNames(group);
    feeds[names.parameters] = vector(flat[group]);
    for (const key of ['m', 'v'] as const) feeds[names[key]] = vector(new Float32Array(flat[group].length));
  }
  const step = await run(stepGraph({ networks: made.networks, objective, batch, height, width }), feeds);
  expect(largestDifference(await exported('AtoB', a), step['fake_B'])).toBeLessThan(TOLERANCE);
  expect(largestDifference(await exported('BtoA', b), step['fake_A'])).toBeLessThan(TOLERANCE);
});
