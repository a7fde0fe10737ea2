/** The training step graph against PyTorch: losses, outputs, every gradient, and twenty steps of both optimisers. */
import { writeOnnx } from '@cyclegan/graph';
import { type NetworksConfig, parameterCount, readSafetensors, type StoredTensor } from '@cyclegan/model';
import {
  adamRate,
  type Group,
  groupParameters,
  lossNames,
  type ObjectiveConfig,
  type StepConfig,
  stateNames,
  stepGraph,
} from '@cyclegan/train';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';

const networks: NetworksConfig = {
  generator: { kind: 'resnet', blocks: 2, ngf: 4, inputChannels: 3, outputChannels: 3 },
  discriminator: { kind: 'patch', ndf: 4, layers: 3, inputChannels: 3 },
};
const lsgan: ObjectiveConfig = { gan: 'lsgan', lambdaA: 10, lambdaB: 10, lambdaIdentity: 0.5 };
const groups: Group[] = ['G', 'D'];
const learningRate = 2e-4;

const golden = async (name: string) =>
  (await readSafetensors(new URL(`../goldens/${name}.safetensors`, import.meta.url).pathname)).tensors;

function pick(tensors: ReadonlyMap<string, StoredTensor>, name: string): StoredTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`no golden ${name}`);
  return tensor;
}

/** Images as the networks see them. */
function normalise(pixels: ArrayLike<number>): Float32Array {
  return Float32Array.from(pixels, (value) => Math.fround(Math.fround(Math.fround(value / 255) - 0.5) / 0.5));
}

/** Largest difference as a share of the golden's largest value. */
function relative(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(got.length).toBe(expected.length);
  let [difference, scale] = [0, 1e-6];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs((got[i] ?? Number.NaN) - (expected[i] ?? 0)));
    scale = Math.max(scale, Math.abs(expected[i] ?? 0));
  }
  return difference / scale;
}

/** Runs the golden's first steps, with its choices from the pools, and keeps what is compared. */
async function runSteps(name: string, steps: number, objective = lsgan) {
  const tensors = await golden(name);
  const start = await golden('weights');
  const [, channels = 0, height = 0, width = 0] = pick(tensors, 'images.A').shape;
  const batch = pick(tensors, 'order.A').shape[1] ?? 0;
  const image = channels * height * width;
  const config: StepConfig = { networks, objective, batch, height, width };
  const session = await InferenceSession.create(writeOnnx(stepGraph(config, { withGradients: true })));
  const images = (data: Float32Array) => new Tensor('float32', data, [batch, channels, height, width]);
  let state: Record<string, Tensor> = {};
  for (const group of groups) {
    const flat = groupParameters(networks, group).flatMap((parameter) =>
      Array.from(pick(start, parameter.name).data as Float32Array),
    );
    const names = stateNames(group);
    const vector = (values: number[] | Float32Array) =>
      new Tensor('float32', Float32Array.from(values), [values.length]);
    state[names.parameters] = vector(flat);
    state[names.m] = vector(new Float32Array(flat.length));
    state[names.v] = vector(new Float32Array(flat.length));
  }
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
    const { stepSize, epsilonHat } = adamRate(learningRate, step + 1);
    const results = await session.run({
      real_A: real('A'),
      real_B: real('B'),
      ...shown('A'),
      ...shown('B'),
      step_size: new Tensor('float32', [stepSize], []),
      epsilon_hat: new Tensor('float32', [epsilonHat], []),
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

/** Cuts a flat vector into its parameters. */
function* cut(group: Group, flat: Float32Array): Generator<[string, Float32Array]> {
  let at = 0;
  for (const parameter of groupParameters(networks, group)) {
    const size = parameterCount([parameter]);
    yield [parameter.name, flat.subarray(at, at + size)];
    at += size;
  }
}

/** Biases before an InstanceNormalization have no effect; PyTorch gives their zero gradient as rounding noise. */
const idle = (name: string) =>
  name.endsWith('.bias') && !/^G_.\.model\.19\.bias$|^D_.\.model\.(0|11)\.bias$/.test(name);

type Run = Awaited<ReturnType<typeof runSteps>>;

/** The eight losses of the first step, and the gradient of every parameter. */
function expectFirstStep({ tensors, losses, first }: Run): void {
  const expected = pick(tensors, 'losses').data as Float32Array;
  lossNames.forEach((loss, i) => {
    const [got = Number.NaN, wanted = 0] = [losses[0]?.[i], expected[i]];
    expect(Math.abs(got - wanted), loss).toBeLessThanOrEqual(1e-4 * Math.abs(wanted));
  });
  let compared = 0;
  for (const group of groups) {
    for (const [parameter, gradient] of cut(group, first[`${group}.gradient`]?.data as Float32Array)) {
      if (idle(parameter)) {
        expect(
          gradient.every((value) => value === 0),
          `${parameter} has no effect`,
        ).toBe(true);
      } else {
        const truth = pick(tensors, `grad.${parameter}`).data as Float32Array;
        expect(relative(gradient, truth), `gradient of ${parameter}`).toBeLessThan(1e-4);
        compared++;
      }
    }
  }
  expect(compared).toBe(2 * (10 + 1) + 2 * (5 + 2));
}

describe.each(['step-batch1', 'step-batch2-pool'])('%s', (name) => {
  it('gives the losses, outputs and gradients of PyTorch', async () => {
    const run = await runSteps(name, 1);
    expectFirstStep(run);
    const { tensors, first } = run;
    for (const output of ['fake_A', 'fake_B']) {
      expect(
        relative(first[output]?.data as Float32Array, pick(tensors, `step1.${output}`).data as Float32Array),
        output,
      ).toBeLessThan(1e-4);
    }
    for (const group of groups) {
      for (const [parameter, weights] of cut(
        group,
        first[`next.${group}.parameters`]?.data as Float32Array,
      )) {
        if (!idle(parameter)) {
          expect(
            relative(weights, pick(tensors, `after1.${parameter}`).data as Float32Array),
            `${parameter} after one step`,
          ).toBeLessThan(1e-3);
        }
      }
    }
  });

  it('stays beside PyTorch for twenty steps', async () => {
    const { tensors, losses, last } = await runSteps(name, 20);
    const expected = pick(tensors, 'losses').data as Float32Array;
    lossNames.forEach((loss, i) => {
      const column = (of: (step: number) => number) => Array.from({ length: 20 }, (_, step) => of(step));
      const ours = column((step) => losses[step]?.[i] ?? Number.NaN);
      const theirs = column((step) => expected[step * 8 + i] ?? 0);
      expect(relative(ours, theirs), `${loss} over twenty steps`).toBeLessThan(1e-2);
    });
    for (const group of groups) {
      for (const [parameter, weights] of cut(group, last[`next.${group}.parameters`]?.data as Float32Array)) {
        if (idle(parameter)) continue;
        const [mean = 0, rms = 0] = pick(tensors, `after20.${parameter}`).data as Float32Array;
        const square = weights.reduce((sum, value) => sum + value * value, 0) / weights.length;
        expect(Math.abs(Math.sqrt(square) - rms) / rms, `${parameter}, root mean square`).toBeLessThan(1e-2);
        const average = weights.reduce((sum, value) => sum + value, 0) / weights.length;
        expect(Math.abs(average - mean) / rms, `${parameter}, mean`).toBeLessThan(1e-2);
      }
    }
  });
});

describe('step-vanilla', () => {
  it('gives the losses and gradients of PyTorch by cross-entropy, without identity terms', async () => {
    const run = await runSteps('step-vanilla', 1, { ...lsgan, gan: 'vanilla', lambdaIdentity: 0 });
    expectFirstStep(run);
    const [first = []] = run.losses;
    expect(lossNames.filter((_, i) => first[i] === 0)).toEqual(['idt_A', 'idt_B']);
  });
});
