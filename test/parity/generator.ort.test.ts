/**
 * The generator at every stage: in the training step's graph, in the graph that makes samples, exported in Node. The
 * weights go in as the trainer holds them, one flat vector, and as the checkpoint on disk.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Graph, writeOnnx } from '@cyclegan/graph';
import { type Tensor as FloatTensor, type Parameter, readCheckpoint } from '@cyclegan/model';
import {
  type Group,
  groupBuffers,
  groupParameters,
  sampleGraph,
  stateNames,
  stepGraph,
} from '@cyclegan/train';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MadeBundle, makeBundle } from '../support/make-bundle.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const TOLERANCE = 1e-4;
const objective = {
  gan: 'lsgan',
  lambdaGanA: 1,
  lambdaGanB: 1,
  lambdaA: 10,
  lambdaB: 10,
  lambdaIdentity: 0.5,
  lambdaGp: 10,
} as const;

const dir = mkdtempSync(join(tmpdir(), 'cyclegan-test-'));
let made: MadeBundle;
let flat: Record<Group, Float32Array>;
beforeAll(async () => {
  made = await makeBundle({ dir, ngf: 6, blocks: 2, seed: 5 });
  const { weights } = await readCheckpoint(made.run);
  const of = (group: Group) => joined(weights, groupParameters(made.networks, group));
  flat = { G: of('G'), D: of('D') };
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Of a checkpoint's tensors those named, as one flat vector. */
function joined(weights: ReadonlyMap<string, FloatTensor>, parameters: readonly Parameter[]): Float32Array {
  const parts = parameters.map(({ name }) => weights.get(name)?.data ?? expect.unreachable(`no ${name}`));
  return Float32Array.from(parts.flatMap((part) => Array.from(part)));
}

type Feeds = Record<string, Tensor>;
async function run(model: Graph | Uint8Array, feeds: Feeds): Promise<Record<string, Float32Array>> {
  const bytes = model instanceof Uint8Array ? model : writeOnnx(model);
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
}

/** Waves, so that neighbouring pixels resemble each other as in pictures; another one for each salt. */
function images(count: number, height: number, width: number, salt: number, channels = 3): Tensor {
  const data = Float32Array.from({ length: count * channels * height * width }, (_, i) => {
    const [x, y, plane] = [i % width, Math.floor(i / width) % height, Math.floor(i / (width * height))];
    return 0.9 * Math.sin((x * (salt + 1)) / 5 + plane) * Math.cos((y * (plane + 1)) / 7 + salt);
  });
  return new Tensor('float32', data, [count, channels, height, width]);
}
const vector = (data: Float32Array) => new Tensor('float32', data, [data.length]);
const exported = async (direction: 'AtoB' | 'BtoA', image: Tensor, from = made) => {
  const { translation } = await run(await readFile(join(from.bundle, `${direction}.fp32.onnx`)), { image });
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

it.each([
  { kind: 'unet', downs: 5, norm: 'batch', dropout: true, inputChannels: 1 },
  { norm: 'batch', upsample: 'resize', dropout: true, outputChannels: 1 },
  { norm: 'none' },
] as const)(
  '%j, exported, gives what the sample graph gives, with its running statistics',
  async (generator) => {
    const other = await makeBundle({ dir: temporaryFolder(), ngf: 6, seed: 6, generator });
    const { weights } = await readCheckpoint(other.run);
    const { inputChannels, outputChannels } = other.networks.generator;
    const [batch, height, width] = [2, 32, 64];
    const a = images(batch, height, width, 1, inputChannels);
    const b = images(batch, height, width, 2, outputChannels);
    const buffers = joined(weights, groupBuffers(other.networks, 'G'));
    const feeds: Feeds = { real_A: a, real_B: b };
    feeds['G.parameters'] = vector(joined(weights, groupParameters(other.networks, 'G')));
    if (buffers.length > 0) feeds['G.buffers'] = vector(buffers);
    const graph = sampleGraph({ networks: other.networks, objective, batch, height, width });
    const sampled = await run(graph, feeds);
    expect(largestDifference(await exported('AtoB', a, other), sampled['fake_B'])).toBeLessThan(TOLERANCE);
    expect(largestDifference(await exported('BtoA', b, other), sampled['fake_A'])).toBeLessThan(TOLERANCE);
    expect(new Set(sampled['fake_A']?.map((value) => Math.round(value * 100))).size).toBeGreaterThan(10);
  },
);

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
  const step = await run(
    stepGraph({
      networks: made.networks,
      objective,
      adam: { beta1: 0.5, beta2: 0.999 },
      recompute: false,
      batch,
      height,
      width,
    }),
    feeds,
  );
  expect(largestDifference(await exported('AtoB', a), step['fake_B'])).toBeLessThan(TOLERANCE);
  expect(largestDifference(await exported('BtoA', b), step['fake_A'])).toBeLessThan(TOLERANCE);
});
