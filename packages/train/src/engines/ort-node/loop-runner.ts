/**
 * Several steps for each session run, by the loop's graph: for CUDA, where onnxruntime's JavaScript binding takes and
 * gives tensors on the host only, so that the whole state crosses the bus with every run.
 */
import { Tensor } from 'onnxruntime-node';
import type { EngineOptions, EngineState, StepInput } from '../../engine.js';
import type { PoolChoice } from '../../feed/image-pool.js';
import { initialState } from '../../initial-state.js';
import { adamRate } from '../../step/adam.js';
import { noiseFor } from '../../step/noise.js';
import type { Tensors } from '../ort/runtime.js';
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
} from '../ort/state.js';
import { loopGraph, poolSlots } from './loop-graph.js';
import { createNodeRuntime } from './session.js';

const domains = ['A', 'B'] as const;

/** A {@link Runner} whose runs take any number of steps. */
export interface LoopRunner extends Runner {
  /** Of the inputs that a run holds for each of its steps. */
  readonly bytesPerStep: number;
}

/** Builds the loop's graph and opens its session. */
export async function createLoopRunner(options: EngineOptions): Promise<LoopRunner> {
  const { batch, pool: capacity } = options;
  const vectors = stateVectors(options.networks);
  const { graph, noise } = loopGraph(options);
  const session = await createNodeRuntime(options).open(graph, { what: 'training steps' });
  const slots = poolSlots(capacity);
  const shapes = { A: imageShape(options, 'A'), B: imageShape(options, 'B') };
  const elements = { A: sizeOf(shapes.A), B: sizeOf(shapes.B) };
  const noiseBytes = noise.map(({ dtype, shape }) => sizeOf(shape) * (dtype === 'bool' ? 1 : 4));

  /** Slots that no choice has filled yet hold zeros. */
  const poolTensors = (images: { A: Float32Array; B: Float32Array }): Tensors =>
    Object.fromEntries(
      domains.map((domain) => {
        const all = new Float32Array(slots * elements[domain]);
        all.set(images[domain].subarray(0, capacity * elements[domain]));
        return [`pool_${domain}`, new Tensor('float32', all, [slots, ...shapes[domain]])];
      }),
    );

  let updates = 0;
  let state: Tensors = {};
  let filled = { A: 0, B: 0 };
  function setState(given: EngineState): void {
    state = { ...toTensors({ Tensor }, vectors, given.groups), ...poolTensors(given.pools) };
    ({ updates } = given);
    const fill = (domain: 'A' | 'B') => Math.min(given.pools[domain].length / elements[domain], capacity);
    filled = { A: fill('A'), B: fill('B') };
  }
  setState(initialState(options));

  function feedsOf(inputs: readonly StepInput[]): Tensors {
    const turns = inputs.length;
    const rates = inputs.map(({ learningRate }, i) => adamRate(learningRate, updates + 1 + i, options.adam));
    const feeds: Tensors = {
      ...state,
      turns: new Tensor('int64', [BigInt(turns)], []),
      step_size: new Tensor(
        'float32',
        rates.map(({ stepSize }) => stepSize),
        [turns],
      ),
      epsilon_hat: new Tensor(
        'float32',
        rates.map(({ epsilonHat }) => epsilonHat),
        [turns],
      ),
    };
    for (const [domain, key] of [
      ['A', 'a'],
      ['B', 'b'],
    ] as const) {
      const images = stack(
        Float32Array,
        inputs.map((input) => input[key]),
      );
      feeds[`real_${domain}`] = new Tensor('float32', images, [turns, batch, ...shapes[domain]]);
      const choices = inputs.map(({ pool }) => pool[domain]);
      const show = choices.flatMap((choice) => showIndices(choice, capacity, slots));
      const keep = choices.flatMap((choice) => keepIndices(choice, slots));
      feeds[`show_${domain}`] = new Tensor('int64', BigInt64Array.from(show), [turns, batch]);
      feeds[`keep_${domain}`] = new Tensor('int64', BigInt64Array.from(keep), [turns, slots]);
    }
    for (const each of noise) {
      const values = inputs.map(({ noise: seed }) => noiseFor(each, seed));
      const all = each.dtype === 'bool' ? stack(Uint8Array, values) : stack(Float32Array, values);
      feeds[each.name] = new Tensor(each.dtype, all, [turns, ...each.shape]);
    }
    return feeds;
  }

  return {
    bytesPerStep: noiseBytes.reduce((sum, bytes) => sum + bytes, 4 * batch * (elements.A + elements.B)),
    async run(inputs) {
      const results = await session.run(feedsOf(inputs));
      state = Object.fromEntries(Object.keys(state).map((name) => [name, tensorOf(results, `next.${name}`)]));
      updates += inputs.length;
      for (const domain of domains) {
        const stored = inputs.flatMap(({ pool }) => [...pool[domain].store]);
        filled[domain] = Math.max(filled[domain], ...stored.map((slot) => slot + 1));
      }
      return toLosses(floats(results, 'losses'));
    },
    generators: () => generatorTensors(vectors, state),
    getState: async () => {
      const images = (domain: 'A' | 'B') =>
        floats(state, `pool_${domain}`).slice(0, filled[domain] * elements[domain]);
      return {
        updates,
        groups: toGroups(vectors, state),
        pools: { A: images('A'), B: images('B') },
      };
    },
    setState,
    dispose: () => session.release(),
  };
}

/** For each image of the batch an index into slots then fresh translations. */
function showIndices({ show }: PoolChoice, capacity: number, slots: number): bigint[] {
  return Array.from(show, (from) => BigInt(from < capacity ? from : slots + from - capacity));
}

/** For each slot the same: itself, or the fresh translation that goes into it. */
function keepIndices({ store }: PoolChoice, slots: number): bigint[] {
  const keep = Array.from({ length: slots }, (_, slot) => BigInt(slot));
  store.forEach((slot, item) => {
    if (slot >= 0) keep[slot] = BigInt(slots + item);
  });
  return keep;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function stack<T extends Float32Array | Uint8Array>(
  type: new (length: number) => T,
  parts: readonly (Float32Array | Uint8Array)[],
): T {
  const all = new type(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
