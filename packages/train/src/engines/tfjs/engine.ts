/**
 * Training by TensorFlow.js: it interprets the objective's graph, differentiates it by itself and takes its own Adam.
 * The same losses and the same state as engine `ort`, so that each tests the other, and a run may change between them.
 */
import { setImmediate } from 'node:timers/promises';
import type { Value } from '@cyclegan/graph';
import { CycleganError } from '@cyclegan/runtime-core';
import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs';
import type { Engine, EngineOptions, SampleResult, StepInput } from '../../engine.js';
import { initialState } from '../../initial-state.js';
import { noiseFor } from '../../step/noise.js';
import { type Losses, lossNames } from '../../step/objective.js';
import { type Group, groupNames, groupParameters } from '../../step/state.js';
import { hold, unhold } from './layout.js';
import { type LoadOptions, loadTfjs, type Tf } from './load.js';
import { type FedGraph, type Feeds, samplePassage, stepPassages } from './step-passages.js';
import { createTensorPool, type TensorPool } from './tensor-pool.js';
import { createTrainedGroup, type TrainedGroup } from './trained-group.js';

const domains = ['A', 'B'] as const;
type Domain = (typeof domains)[number];

/**
 * Loads TensorFlow.js and puts the initial state where it computes. It finds its own device; `threads` counts for the
 * first engine of a process.
 * @throws CycleganError `device` when no package of TensorFlow.js works, `usage` for `recompute`, which it cannot do
 */
export async function createTfjsEngine(options: EngineOptions & Pick<LoadOptions, 'load'>): Promise<Engine> {
  if (options.recompute) {
    throw new CycleganError(
      'usage',
      '[train] recompute: expected engine ort, which alone can recompute, got tfjs. Leave recompute away, or take engine ort.',
    );
  }
  const { tf, device } = loadTfjs(options);
  const passages = stepPassages(tf, options);
  const start = initialState(options);
  const group = (name: Group) =>
    createTrainedGroup(tf, groupParameters(options.networks, name), options.adam, start.groups[name]);
  const groups = { G: group('G'), D: group('D') };
  const pools = ofBoth((domain) => createTensorPool(tf, options.pool, imageShape(options, domain)));
  const sampler = samplePassage(tf, options);
  let updates = 0;
  let disposed = false;

  /** What every half of a step reads; to be called in a tidy scope. */
  function feedsOf({ a, b, noise }: StepInput): Feeds {
    const images = (domain: Domain, data: Float32Array) =>
      hold(tf, tf.tensor(data, [options.batch, ...imageShape(options, domain)]));
    const feeds: Feeds = new Map([
      [passages.value('real_A'), images('A', a)],
      [passages.value('real_B'), images('B', b)],
    ]);
    for (const name of groupNames) feedState(passages, name, groups[name], feeds);
    for (const each of passages.noise) {
      const values = tf.tensor(noiseFor(each, noise), [...each.shape], each.dtype);
      feeds.set(passages.value(each.name), hold(tf, values));
    }
    return feeds;
  }

  /** Makes a step. @returns the losses [8]; the caller's */
  function step(input: StepInput): Tensor {
    const feeds = feedsOf(input);
    const makeG = () => passages.generators(feeds);
    const ofG = differentiate(tf, makeG, groups.G.parameters);
    const [fakeA, fakeB, ...rest] = ofG.others as [Tensor, Tensor, ...Tensor[]];
    const fake = { A: fakeA, B: fakeB };
    for (const domain of domains) {
      feeds.set(passages.value(`fake_${domain}`), fake[domain]);
      feeds.set(passages.value(`shown_${domain}`), pools[domain].shown(input.pool[domain], fake[domain]));
    }
    passages.columns.forEach((column, i) => {
      feeds.set(column, rest[i] as Tensor);
    });
    const makeD = () => passages.discriminators(feeds);
    const ofD = differentiate(tf, makeD, groups.D.parameters);
    const [losses, buffersD] = ofD.others as [Tensor, Tensor?];

    updates++;
    groups.G.update(ofG.gradients, input.learningRate, updates);
    groups.D.update(ofD.gradients, input.learningRate, updates);
    const buffersG = rest[passages.columns.length];
    if (buffersG) groups.G.buffers.assign(buffersG);
    if (buffersD) groups.D.buffers.assign(buffersD);
    for (const domain of domains) pools[domain].store(input.pool[domain], fake[domain]);
    tf.dispose([...ofG.others, ...ofD.others.slice(1)]);
    return losses;
  }

  return {
    name: 'tfjs',
    device,
    stepsPerRun: options.stepsPerRun === 'auto' ? 1 : options.stepsPerRun,
    async run(inputs) {
      const results: Losses[] = [];
      for (const input of inputs) {
        const losses = tf.tidy(() => step(input));
        results.push(toLosses(await losses.data<'float32'>()));
        losses.dispose();
        await setImmediate();
      }
      return results;
    },

    async sample({ a, b }) {
      const sizes = { A: elements(imageShape(options, 'A')), B: elements(imageShape(options, 'B')) };
      const count = a.length / sizes.A;
      const result: SampleResult = {
        fakeB: new Float32Array(count * sizes.B),
        recA: new Float32Array(a.length),
        fakeA: new Float32Array(a.length),
        recB: new Float32Array(count * sizes.B),
      };
      const keys = ['fakeB', 'recA', 'fakeA', 'recB'] as const;
      for (let i = 0; i < count; i++) {
        const made = tf.tidy(() => {
          const image = (domain: Domain, data: Float32Array) => {
            const shape = imageShape(options, domain);
            const one = data.slice(i * sizes[domain], (i + 1) * sizes[domain]);
            return hold(tf, tf.tensor(one, [1, ...shape]));
          };
          const feeds: Feeds = new Map([
            [sampler.value('real_A'), image('A', a)],
            [sampler.value('real_B'), image('B', b)],
          ]);
          feedState(sampler, 'G', groups.G, feeds);
          return sampler.sample(feeds).map((each) => unhold(tf, each));
        });
        for (const [k, key] of keys.entries()) {
          const data = (await made[k]?.data<'float32'>()) ?? [];
          result[key].set(data, i * data.length);
        }
        tf.dispose(made);
        await setImmediate();
      }
      return result;
    },

    async getState() {
      const [G, D] = [await groups.G.getState(), await groups.D.getState()];
      const [A, B] = [await pools.A.getImages(), await pools.B.getImages()];
      return { updates, groups: { G, D }, pools: { A, B } };
    },
    async setState(state) {
      for (const name of groupNames) groups[name].setState(state.groups[name]);
      for (const domain of domains) pools[domain].setImages(state.pools[domain]);
      ({ updates } = state);
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      for (const each of [...Object.values(groups), ...Object.values(pools)]) each.dispose();
    },
  };
}

/**
 * Gradients of the first value that `compute` gives by the variables, and the values after it, which are kept until
 * the caller disposes of them.
 */
function differentiate(tf: Tf, compute: () => Tensor[], variables: readonly Variable[]) {
  let others: Tensor[] = [];
  const { grads } = tf.variableGrads(() => {
    const [total, ...rest] = compute();
    others = rest.map((each) => tf.keep(tf.clone(each)));
    return total as Scalar;
  }, [...variables]);
  return { gradients: variables.map(({ name }): Tensor | undefined => grads[name]), others };
}

/** A group's parameters and buffers as the graph takes them. */
function feedState(graph: FedGraph, name: Group, group: TrainedGroup, feeds: Feeds): void {
  const feed = (value: Value | undefined, variable: Variable | undefined) => {
    if (value && variable) feeds.set(value, variable);
  };
  for (const [value, i] of graph.parameters(name)) feed(value, group.parameters[i]);
  feed(graph.buffers(name), group.buffers);
}

/** One domain's image, [C, H, W]. */
function imageShape({ networks, height, width }: EngineOptions, domain: Domain): number[] {
  const { inputChannels, outputChannels } = networks.generator;
  return [{ A: inputChannels, B: outputChannels }[domain], height, width];
}

function ofBoth(make: (domain: Domain) => TensorPool): Record<Domain, TensorPool> {
  return { A: make('A'), B: make('B') };
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function toLosses(values: ArrayLike<number>): Losses {
  return Object.fromEntries(lossNames.map((name, i) => [name, values[i]])) as unknown as Losses;
}
