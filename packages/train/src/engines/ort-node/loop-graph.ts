/**
 * Steps in a row as one graph: ONNX's Loop around the training step. The state goes from turn to turn where the graph
 * runs, so that on a GPU it crosses the bus once a run instead of once a step.
 */
import {
  Concat,
  Gather,
  Graph,
  Identity,
  Loop,
  orderForDepthFirst,
  prune,
  type Shape,
  symbolicDim,
  type Value,
} from '@cyclegan/graph';
import type { EngineOptions } from '../../engine.js';
import type { NoiseInput } from '../../step/noise.js';
import { type Group, type StateKey, stateNames } from '../../step/state.js';
import { appendStep } from '../../step/step.js';
import { imageShape, stateVectors } from '../ort/state.js';

/** Slots of a pool in the graph: an empty tensor would be trouble, so a pool of none has one that is never shown. */
export function poolSlots(capacity: number): number {
  return Math.max(capacity, 1);
}

/**
 * Builds the graph of as many steps as its input `turns`, int64 [], says.
 *
 * Inputs, stacked along a first axis of `turns`: `real_A`, `real_B` [turns, N, C, H, W]; `show_A`, `show_B` int64
 * [turns, N]: for each image of the batch an index into the pool's slots followed by the fresh translations; `keep_A`,
 * `keep_B` int64 [turns, slots]: the same for each slot after the step; `step_size`, `epsilon_hat` [turns]; the
 * step's noise. Not stacked: the state vectors of `stateNames`, and the pools `pool_A`, `pool_B` [slots, C, H, W].
 *
 * Outputs: `losses` [turns, 8]; the last state, and pools, with `next.` in front.
 * @returns also the noise that the graph takes, in one step's shapes
 */
export function loopGraph(options: EngineOptions): { graph: Graph; noise: NoiseInput[] } {
  const { batch } = options;
  const graph = new Graph('cyclegan_steps');
  const turns = graph.input('turns', 'int64', []);
  const body = graph.subgraph('cyclegan_step');
  const turn = body.input('turn', 'int64', []);
  const goesOn = body.input('goes_on', 'bool', []);
  /** This turn's share of an input that holds all turns'. */
  const stacked = (name: string, dtype: Value['dtype'], shape: Shape) => {
    const all = graph.input(name, dtype, [symbolicDim(turns.name), ...shape]);
    return body.op(Gather, [all, turn], { axis: 0 });
  };
  const first: Value[] = [];
  const next: [string, Value][] = [];
  /** A value that goes from turn to turn: what it is at the turn's beginning. */
  const carried = (name: string, shape: Shape) => {
    first.push(graph.input(name, 'float32', shape));
    return body.input(`turn.${name}`, 'float32', shape);
  };

  const vectors = stateVectors(options.networks);
  const values = new Map(vectors.map(({ name, size }) => [name, carried(name, [size])]));
  const ofGroup = (group: Group) => {
    const names = stateNames(group);
    const value = (key: StateKey) => values.get(names[key]) as Value;
    return {
      parameters: value('parameters'),
      m: value('m'),
      v: value('v'),
      buffers: values.get(names.buffers),
    };
  };
  const slots = poolSlots(options.pool);
  const pools = ofBoth((domain) => ({
    before: carried(`pool_${domain}`, [slots, ...imageShape(options, domain)]),
    show: stacked(`show_${domain}`, 'int64', [batch]),
    keep: stacked(`keep_${domain}`, 'int64', [slots]),
  }));
  const noise: NoiseInput[] = [];
  const nextPools = new Map<string, Value>();

  const step = appendStep(body, options, {
    real: ofBoth((domain) => stacked(`real_${domain}`, 'float32', [batch, ...imageShape(options, domain)])),
    show: (fresh) =>
      ofBoth((domain) => {
        const { before, show, keep } = pools[domain];
        const all = body.op(Concat, [before, fresh[domain]], { axis: 0 });
        nextPools.set(`pool_${domain}`, body.op(Gather, [all, keep], { axis: 0 }));
        return body.op(Gather, [all, show], { axis: 0 });
      }),
    noise: (input) => {
      noise.push(input);
      return stacked(input.name, input.dtype, input.shape);
    },
    rate: {
      stepSize: stacked('step_size', 'float32', []),
      epsilonHat: stacked('epsilon_hat', 'float32', []),
    },
    state: { G: ofGroup('G'), D: ofGroup('D') },
  });

  for (const { name, group, key } of vectors) next.push([name, step.next[group][key] as Value]);
  next.push(...nextPools);
  body.output('goes_on_next', body.op(Identity, [goesOn]));
  for (const [name, value] of next) body.output(`turn.next.${name}`, value);
  body.output('turn.losses', step.losses);
  prune(body);
  orderForDepthFirst(body);

  const made = graph.ops(Loop, [turns, undefined, ...first], { body });
  next.forEach(([name], i) => {
    graph.output(`next.${name}`, made[i] as Value);
  });
  graph.output('losses', made[next.length] as Value);
  return { graph, noise };
}

function ofBoth<T>(make: (domain: 'A' | 'B') => T): { A: T; B: T } {
  return { A: make('A'), B: make('B') };
}
