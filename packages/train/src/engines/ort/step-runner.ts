/**
 * One step for each session run. On WebGPU the state stays in the GPU's memory from step to step, and comes back only
 * when it is asked for; on Node's CPU two sets of vectors take turns. The image pools are the host's everywhere.
 */
import { Graph, Identity } from '@cyclegan/graph';
import type { EngineTask, StepInput } from '../../engine.js';
import { createHostPool } from '../../feed/image-pool.js';
import { initialState } from '../../initial-state.js';
import { adamRate } from '../../step/adam.js';
import { noiseFor, noiseInputs } from '../../step/noise.js';
import type { Losses } from '../../step/objective.js';
import { stepGraph } from '../../step/step-graph.js';
import type { DeviceSession, OrtRuntime, Tensors } from './runtime.js';
import {
  floats,
  generatorTensors,
  imageShape,
  type Runner,
  stateVectors,
  tensorOf,
  toGroups,
  toLosses,
  toTensors,
} from './state.js';

const domains = ['A', 'B'] as const;

/** Builds the step's graph and opens its session. */
export async function createStepRunner(options: EngineTask, runtime: OrtRuntime): Promise<Runner> {
  const { batch } = options;
  const { Tensor, keepsOutputs, fillsOutputs } = runtime;
  const vectors = stateVectors(options.networks);
  const graph = stepGraph(options);
  const noise = noiseInputs(graph);
  const keep = (output: string) => keepsOutputs && output.startsWith('next.');
  const session = await runtime.open(graph, { what: 'training step', keep });
  let reader: DeviceSession | undefined;

  const pool = (domain: 'A' | 'B') =>
    createHostPool({
      capacity: options.pool,
      elements: imageShape(options, domain).reduce((product, size) => product * size, 1),
    });
  const pools = { A: pool('A'), B: pool('B') };
  const start = initialState(options);
  let { updates } = start;
  let state = toTensors(runtime, vectors, start.groups);
  /** The vectors before the last step, which the next one writes over; where the runtime fills outputs. */
  let spare: Tensors | undefined;
  /** Whether the arrays of `state` are others' too. */
  let shared = false;

  const images = (domain: 'A' | 'B', data: Float32Array) =>
    new Tensor('float32', data, [batch, ...imageShape(options, domain)]);

  async function step(input: StepInput): Promise<Losses> {
    const { stepSize, epsilonHat } = adamRate(input.learningRate, updates + 1, options.adam);
    const feeds: Tensors = {
      ...state,
      real_A: images('A', input.a),
      real_B: images('B', input.b),
      step_size: new Tensor('float32', [stepSize], []),
      epsilon_hat: new Tensor('float32', [epsilonHat], []),
    };
    for (const domain of domains) {
      feeds[`pool_${domain}`] = images(domain, pools[domain].stored(input.pool[domain]));
      feeds[`pick_${domain}`] = new Tensor('int64', pools[domain].pick(input.pool[domain]), [batch]);
    }
    for (const each of noise) {
      feeds[each.name] = new Tensor(each.dtype, noiseFor(each, input.noise), each.shape);
    }
    const results = await session.run(feeds, fillsOutputs ? nextState() : {});
    spare = fillsOutputs && !shared ? state : undefined;
    replaceState(Object.fromEntries(vectors.map(({ name }) => [name, tensorOf(results, `next.${name}`)])));
    shared = false;
    updates++;
    for (const domain of domains) {
      pools[domain].store(input.pool[domain], floats(results, `fake_${domain}`));
    }
    return toLosses(floats(results, 'losses'))[0] as Losses;
  }

  /** Where the next step's vectors go: onnxruntime would allocate them, and its binding copy them, at every step. */
  function nextState(): Tensors {
    return Object.fromEntries(
      vectors.map(({ name, size }) => [
        `next.${name}`,
        spare?.[name] ?? new Tensor('float32', new Float32Array(size), [size]),
      ]),
    );
  }

  /** What is replaced on the GPU is freed at once: garbage collection knows nothing of its size. */
  function replaceState(next: Tensors): void {
    for (const tensor of Object.values(state)) if (tensor.location !== 'cpu') tensor.dispose();
    state = next;
  }

  /** Through a session whose outputs are on the host: reading a GPU tensor itself ends the process. */
  async function readState(): Promise<Tensors> {
    if (vectors.every(({ name }) => tensorOf(state, name).location === 'cpu')) return state;
    reader ??= await runtime.open(readerGraph(vectors), { what: 'state', quiet: true });
    const results = await reader.run(state);
    return Object.fromEntries(vectors.map(({ name }) => [name, tensorOf(results, `host.${name}`)]));
  }

  return {
    async run(inputs) {
      const losses: Losses[] = [];
      for (const input of inputs) losses.push(await step(input));
      return losses;
    },
    generators: () => generatorTensors(vectors, state),
    async getState() {
      shared = true;
      return {
        updates,
        groups: toGroups(vectors, await readState()),
        pools: { A: pools.A.getImages(), B: pools.B.getImages() },
      };
    },
    setState(given) {
      replaceState(toTensors(runtime, vectors, given.groups));
      shared = true;
      ({ updates } = given);
      for (const domain of domains) pools[domain].setImages(given.pools[domain]);
    },
    async dispose() {
      replaceState({});
      await session.release();
      await reader?.release();
    },
  };
}

function readerGraph(vectors: readonly { name: string; size: number }[]): Graph {
  const graph = new Graph('cyclegan_state');
  for (const { name, size } of vectors) {
    graph.output(`host.${name}`, graph.op(Identity, [graph.input(name, 'float32', [size])]));
  }
  return graph;
}
