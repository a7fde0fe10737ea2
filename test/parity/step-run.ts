/** Runs the training step graph over a golden's images, pool choices and noise. No tests, and no tolerances. */
import { writeOnnx } from '@cyclegan/graph';
import {
  type NetworksConfig,
  type Parameter,
  parameterCount,
  readSafetensors,
  type StoredTensor,
} from '@cyclegan/model';
import {
  adamRate,
  type Group,
  groupBuffers,
  groupNames,
  groupParameters,
  noiseInputs,
  type ObjectiveConfig,
  type StateKey,
  type StepConfig,
  stateNames,
  stateSizes,
  stepGraph,
} from '@cyclegan/train';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect } from 'vitest';

export const networks: NetworksConfig = {
  generator: {
    kind: 'resnet',
    blocks: 2,
    ngf: 4,
    norm: 'instance',
    dropout: false,
    upsample: 'transpose',
    inputChannels: 3,
    outputChannels: 3,
  },
  discriminator: { kind: 'patch', ndf: 4, layers: 3, norm: 'instance' },
};
export const lsgan: ObjectiveConfig = {
  gan: 'lsgan',
  lambdaGanA: 1,
  lambdaGanB: 1,
  lambdaA: 10,
  lambdaB: 10,
  lambdaIdentity: 0.5,
  lambdaGp: 10,
};
const usualAdam = { beta1: 0.5, beta2: 0.999 };
const learningRate = 2e-4;

type Tensors = ReadonlyMap<string, StoredTensor>;

export const golden = async (name: string): Promise<Tensors> =>
  (await readSafetensors(new URL(`../goldens/${name}.safetensors`, import.meta.url).pathname)).tensors;

export function pick(tensors: Tensors, name: string): StoredTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`no golden ${name}`);
  return tensor;
}

/** Images as the networks see them. */
function normalise(pixels: ArrayLike<number>): Float32Array {
  return Float32Array.from(pixels, (value) => Math.fround(Math.fround(Math.fround(value / 255) - 0.5) / 0.5));
}

/** Largest difference as a share of the golden's largest value. */
export function relative(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(got.length).toBe(expected.length);
  let [difference, scale] = [0, 1e-6];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs((got[i] ?? Number.NaN) - (expected[i] ?? 0)));
    scale = Math.max(scale, Math.abs(expected[i] ?? 0));
  }
  return difference / scale;
}

/** Cuts a flat vector into the tensors it holds. */
export function* cut(parts: readonly Parameter[], flat: Float32Array): Generator<[string, Float32Array]> {
  let at = 0;
  for (const part of parts) {
    const size = parameterCount([part]);
    yield [part.name, flat.subarray(at, at + size)];
    at += size;
  }
}

/** The state before the first step: weights by name, moments of zero, running statistics of 0 and 1. */
function startState(config: StepConfig, weight: (name: string) => StoredTensor): Record<string, Tensor> {
  const initial = (group: Group, key: StateKey, size: number): Iterable<number> => {
    if (key === 'parameters') {
      return groupParameters(config.networks, group).flatMap(({ name }) =>
        [...weight(name).data].map(Number),
      );
    }
    if (key !== 'buffers') return new Float32Array(size);
    return groupBuffers(config.networks, group).flatMap((buffer) =>
      new Array<number>(parameterCount([buffer])).fill(buffer.role === 'variance' ? 1 : 0),
    );
  };
  return Object.fromEntries(
    groupNames.flatMap((group) =>
      Object.entries(stateSizes(config.networks, group)).map(([key, size]) => [
        stateNames(group)[key as StateKey],
        new Tensor('float32', Float32Array.from(initial(group, key as StateKey, size)), [size]),
      ]),
    ),
  );
}

export interface Run {
  tensors: Tensors;
  /** Of each step, in the order of `lossNames`. */
  losses: number[][];
  first: InferenceSession.ReturnType;
  last: InferenceSession.ReturnType;
}

/** Runs a golden's first steps and keeps what is compared. */
export async function runSteps(
  name: string,
  steps: number,
  options: Partial<Pick<StepConfig, 'networks' | 'objective' | 'adam'>> = {},
): Promise<Run> {
  const tensors = await golden(name);
  const start = await golden('weights');
  const [, channels = 0, height = 0, width = 0] = pick(tensors, 'images.A').shape;
  const batch = pick(tensors, 'order.A').shape[1] ?? 0;
  const image = channels * height * width;
  const config: StepConfig = {
    networks,
    objective: lsgan,
    adam: usualAdam,
    recompute: false,
    batch,
    height,
    width,
    ...options,
  };
  const graph = stepGraph(config, { withGradients: true });
  const session = await InferenceSession.create(writeOnnx(graph));
  const images = (data: Float32Array) => new Tensor('float32', data, [batch, channels, height, width]);
  let state = startState(config, (key) => tensors.get(`start.${key}`) ?? pick(start, key));
  const pools: Record<'A' | 'B', Float32Array[]> = { A: [], B: [] };
  const losses: number[][] = [];
  let first: InferenceSession.ReturnType | undefined;
  let last: InferenceSession.ReturnType | undefined;
  for (let step = 0; step < steps; step++) {
    const real = (domain: 'A' | 'B') => {
      const order = pick(tensors, `order.${domain}`).data as Int32Array;
      const all = pick(tensors, `images.${domain}`).data as Uint8Array;
      const chosen = [...order.subarray(step * batch, (step + 1) * batch)];
      const data = new Float32Array(batch * image);
      for (const [i, at] of chosen.entries()) {
        data.set(normalise(all.subarray(at * image, (at + 1) * image)), i * image);
      }
      return images(data);
    };
    const shown = (domain: 'A' | 'B') => {
      const stored = new Float32Array(batch * image);
      const held = pools[domain];
      const indices = tensors.get(`pool.${domain}.shown`)?.data as Int32Array | undefined;
      const picks = Array.from({ length: batch }, (_, i) => {
        const at = indices?.[step * batch + i] ?? held.length + i;
        if (at >= held.length) return BigInt(batch + at - held.length);
        stored.set(held[at] ?? [], i * image);
        return BigInt(i);
      });
      return {
        [`pool_${domain}`]: images(stored),
        [`pick_${domain}`]: new Tensor('int64', BigInt64Array.from(picks), [batch]),
      };
    };
    const noise = noiseInputs(graph).map(({ name: input, dtype, shape }) => {
      const all = pick(tensors, input).data as Uint8Array | Float32Array;
      const size = shape.reduce((product, dim) => product * dim, 1);
      expect(pick(tensors, input).shape.slice(1), input).toEqual(shape);
      return [input, new Tensor(dtype, all.slice(step * size, (step + 1) * size), shape)] as const;
    });
    const { stepSize, epsilonHat } = adamRate(learningRate, step + 1, config.adam);
    const results = await session.run({
      real_A: real('A'),
      real_B: real('B'),
      ...shown('A'),
      ...shown('B'),
      step_size: new Tensor('float32', [stepSize], []),
      epsilon_hat: new Tensor('float32', [epsilonHat], []),
      ...Object.fromEntries(noise),
      ...state,
    });
    state = Object.fromEntries(Object.keys(state).map((key) => [key, results[`next.${key}`] as Tensor]));
    for (const domain of ['A', 'B'] as const) {
      const kept = tensors.get(`pool.${domain}.kept`);
      if (!kept) continue;
      const capacity = kept.shape[1] ?? 0;
      const fresh = results[`fake_${domain}`]?.data as Float32Array;
      const held = pools[domain];
      const slots = [...(kept.data as Int32Array).subarray(step * capacity, (step + 1) * capacity)];
      pools[domain] = slots
        .filter((at) => at >= 0)
        .map((at) => held[at] ?? fresh.slice((at - held.length) * image, (at - held.length + 1) * image));
    }
    losses.push(Array.from(results['losses']?.data as Float32Array));
    first ??= results;
    last = results;
  }
  await session.release();
  if (!first || !last) throw new Error('no steps');
  return { tensors, losses, first, last };
}
