/** The default engine: the step graph, run by onnxruntime. State goes round as tensors from output to input. */
import { writeOnnx } from '@cyclegan/graph';
import { initialWeights } from '@cyclegan/model';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Engine, EngineOptions, EngineState, PoolChoice } from '../engine.js';
import { adamRate } from '../step/adam.js';
import { type Losses, lossNames } from '../step/objective.js';
import {
  type Group,
  groupParameters,
  groups,
  sampleGraph,
  stateNames,
  stepGraph,
} from '../step/step-graph.js';

const groupNames = Object.keys(groups) as Group[];

/**
 * Builds the graph and its session.
 * @param options `seed` gives the initial weights
 */
export async function createOrtEngine(options: EngineOptions & { seed: number }): Promise<Engine> {
  const { batch, size, networks, seed } = options;
  const config = { ...options, height: size, width: size };
  const sessionOptions: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    // One block planned ahead for all tensors takes a third more memory here, and no less time.
    enableMemPattern: false,
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
  };
  const session = await InferenceSession.create(writeOnnx(stepGraph(config)), sessionOptions);
  let sampler: { session: InferenceSession; count: number } | undefined;
  let disposed = false;

  let state: EngineState = { updates: 0, groups: initialState(networks, seed) };

  const images = (data: Float32Array, count = batch) => new Tensor('float32', data, [count, 3, size, size]);
  const scalar = (value: number) => new Tensor('float32', [value], []);
  const vector = (data: Float32Array) => new Tensor('float32', data, [data.length]);
  const poolFeeds = (domain: 'A' | 'B', { stored, pick }: PoolChoice) => ({
    [`pool_${domain}`]: images(stored),
    [`pick_${domain}`]: new Tensor('int64', pick, [batch]),
  });

  return {
    name: 'ort',
    device: 'cpu',

    async step({ a, b, pool, learningRate }) {
      const { stepSize, epsilonHat } = adamRate(learningRate, state.updates + 1);
      const feeds: Record<string, Tensor> = {
        real_A: images(a),
        real_B: images(b),
        ...poolFeeds('A', pool.A),
        ...poolFeeds('B', pool.B),
        step_size: scalar(stepSize),
        epsilon_hat: scalar(epsilonHat),
      };
      for (const group of groupNames) {
        const names = stateNames(group);
        for (const key of ['parameters', 'm', 'v'] as const)
          feeds[names[key]] = vector(state.groups[group][key]);
      }
      const results = await session.run(feeds);
      const next = {} as EngineState['groups'];
      for (const group of groupNames) {
        const names = stateNames(group);
        next[group] = {
          parameters: floats(results, `next.${names.parameters}`),
          m: floats(results, `next.${names.m}`),
          v: floats(results, `next.${names.v}`),
        };
      }
      state = { updates: state.updates + 1, groups: next };
      const values = floats(results, 'losses');
      return {
        losses: Object.fromEntries(lossNames.map((name, i) => [name, values[i]])) as unknown as Losses,
        fake: { A: floats(results, 'fake_A'), B: floats(results, 'fake_B') },
      };
    },

    async sample({ a, b }) {
      const count = a.length / (3 * size * size);
      if (sampler?.count !== count) {
        await sampler?.session.release();
        sampler = undefined;
        const graph = sampleGraph({ ...config, batch: count });
        sampler = { session: await InferenceSession.create(writeOnnx(graph), sessionOptions), count };
      }
      const results = await sampler.session.run({
        real_A: images(a, count),
        real_B: images(b, count),
        'G.parameters': vector(state.groups.G.parameters),
      });
      return {
        fakeB: floats(results, 'fake_B'),
        recA: floats(results, 'rec_A'),
        fakeA: floats(results, 'fake_A'),
        recB: floats(results, 'rec_B'),
      };
    },

    getState: () => state,
    setState(given) {
      for (const group of groupNames) {
        const expected = state.groups[group].parameters.length;
        const got = given.groups[group].parameters.length;
        if (got !== expected)
          throw new Error(`internal: state of group ${group} has ${got} of ${expected} values`);
      }
      state = given;
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      await session.release();
      await sampler?.session.release();
    },
  };
}

function initialState(networks: EngineOptions['networks'], seed: number): EngineState['groups'] {
  const group = (name: Group, salt: number) => {
    const parameters = initialWeights(groupParameters(networks, name), seed * 2 + salt);
    return { parameters, m: new Float32Array(parameters.length), v: new Float32Array(parameters.length) };
  };
  return { G: group('G', 0), D: group('D', 1) };
}

function floats(results: InferenceSession.ReturnType, name: string): Float32Array {
  const data = results[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`internal: no float32 output ${name}`);
  return data;
}
