/**
 * The graphs that engines run: one whole training step, the objective alone for an engine that differentiates by
 * itself, and the generators for samples. State goes in and comes out as flat vectors.
 */
import { Concat, Gather, Graph, orderForDepthFirst, prune, type Value } from '@cyclegan/graph';
import { cycleganNetworks } from '@cyclegan/model/networks';
import { exportedNetworks } from './networks.js';
import { noiseAsInputs } from './noise.js';
import { type Group, groupNames, type StateKey, stateNames, stateSizes } from './state.js';
import {
  appendObjective,
  appendStep,
  type Domains,
  type ObjectiveGraphConfig,
  type ObjectiveValues,
  type StepConfig,
} from './step.js';

export { type Group, groupBuffers, groupNames, groupParameters, groups, stateNames } from './state.js';
export type { StepConfig } from './step.js';

/**
 * Builds the step graph.
 *
 * Inputs: `real_A`, `real_B` float32 [N, C, H, W] in [-1, 1]; `pool_A`, `pool_B` of the same shape, stored
 * translations from the pools, and `pick_A`, `pick_B` int64 [N]: for each sample an index into pool then fresh
 * translations; the state vectors of {@link stateNames}; scalars `step_size` and `epsilon_hat` of `adamRate`; and the
 * noise that `noiseInputs` lists.
 *
 * Outputs: `losses` [8] in the order of `lossNames`, `fake_A`, `fake_B` for the pools, and the next state; with
 * `withGradients` also `G.gradient` and `D.gradient`.
 */
export function stepGraph(config: StepConfig, options: { withGradients?: boolean } = {}): Graph {
  const graph = new Graph('cyclegan_step');
  const images = objectiveInputs(graph, config);
  const rate = {
    stepSize: graph.input('step_size', 'float32', []),
    epsilonHat: graph.input('epsilon_hat', 'float32', []),
  };
  const state = {
    G: stateInputs(graph, config, 'G', ['parameters', 'm', 'v', 'buffers']),
    D: stateInputs(graph, config, 'D', ['parameters', 'm', 'v', 'buffers']),
  };
  const step = appendStep(graph, config, { ...images, state, rate });
  graph.output('losses', step.losses);
  graph.output('fake_A', step.fake.A);
  graph.output('fake_B', step.fake.B);
  for (const group of groupNames) {
    const names = stateNames(group);
    for (const [key, value] of Object.entries(step.next[group])) {
      graph.output(`next.${names[key as StateKey]}`, value);
    }
    if (options.withGradients) graph.output(`${group}.gradient`, step.gradients[group]);
  }
  prune(graph);
  orderForDepthFirst(graph);
  return graph;
}

/**
 * The objective without gradients, for an engine that interprets it and differentiates by itself.
 *
 * Inputs: those of {@link stepGraph} without `m`, `v`, `step_size` and `epsilon_hat`.
 *
 * Outputs: `losses` [8]; scalars `total_G` and `total_D`, to be differentiated by `G.parameters` and `D.parameters`
 * with the other vector fixed; `fake_A`, `fake_B`, the fresh translations; `shown_A`, `shown_B`, what the pools show
 * in their stead; and `next.G.buffers`, `next.D.buffers` where there are any. `total_D` depends on the generators
 * through `shown_A` and `shown_B` alone: whoever differentiates cuts there, taking their values as given.
 */
export function objectiveGraph(config: ObjectiveGraphConfig): Graph {
  const graph = new Graph('cyclegan_objective');
  const images = objectiveInputs(graph, config);
  const state = {
    G: stateInputs(graph, config, 'G', ['parameters', 'buffers']),
    D: stateInputs(graph, config, 'D', ['parameters', 'buffers']),
  };
  const { losses, totals, fake, shown, nextBuffers } = appendObjective(graph, config, { ...images, state });
  graph.output('losses', losses);
  graph.output('total_G', totals.G);
  graph.output('total_D', totals.D);
  graph.output('fake_A', fake.A);
  graph.output('fake_B', fake.B);
  graph.output('shown_A', shown.A);
  graph.output('shown_B', shown.B);
  for (const group of groupNames) {
    const { buffers } = nextBuffers[group];
    if (buffers) graph.output(`next.${stateNames(group).buffers}`, buffers);
  }
  prune(graph);
  return graph;
}

/**
 * The generators' forward passes alone as they would be exported, for samples: inputs `real_A`, `real_B`,
 * `G.parameters` and, where there are any, `G.buffers`; outputs `fake_B`, `rec_A`, `fake_A`, `rec_B`.
 */
export function sampleGraph(config: ObjectiveGraphConfig): Graph {
  const graph = new Graph('cyclegan_sample');
  const real = { A: image(graph, config, 'real_A', 'A'), B: image(graph, config, 'real_B', 'B') };
  const state = stateInputs(graph, config, 'G', ['parameters', 'buffers']);
  const apply = exportedNetworks(graph, cycleganNetworks(config.networks), 'G', state);
  const fake = { A: apply('G_B', real.B), B: apply('G_A', real.A) };
  graph.output('fake_B', fake.B);
  graph.output('rec_A', apply('G_B', fake.B));
  graph.output('fake_A', fake.A);
  graph.output('rec_B', apply('G_A', fake.A));
  return graph;
}

function image(graph: Graph, config: ObjectiveGraphConfig, name: string, domain: 'A' | 'B'): Value {
  const { inputChannels, outputChannels } = config.networks.generator;
  const channels = { A: inputChannels, B: outputChannels }[domain];
  return graph.input(name, 'float32', [config.batch, channels, config.height, config.width]);
}

/** Images, pools and noise as inputs. */
function objectiveInputs(graph: Graph, config: ObjectiveGraphConfig): Omit<ObjectiveValues, 'state'> {
  const ofBoth = <T>(make: (domain: 'A' | 'B') => T): Domains<T> => ({ A: make('A'), B: make('B') });
  const real = ofBoth((domain) => image(graph, config, `real_${domain}`, domain));
  const pool = ofBoth((domain) => image(graph, config, `pool_${domain}`, domain));
  const pick = ofBoth((domain) => graph.input(`pick_${domain}`, 'int64', [config.batch]));
  return {
    real,
    show: (fresh) =>
      ofBoth((domain) => {
        const all = graph.op(Concat, [pool[domain], fresh[domain]], { axis: 0 });
        return graph.op(Gather, [all, pick[domain]], { axis: 0 });
      }),
    noise: noiseAsInputs(graph),
  };
}

/** A group's state tensors as inputs; those that its networks do not have are left out. */
function stateInputs<K extends StateKey>(
  graph: Graph,
  config: ObjectiveGraphConfig,
  group: Group,
  keys: readonly K[],
) {
  const sizes = stateSizes(config.networks, group);
  const names = stateNames(group);
  const inputs = keys.flatMap((key) => {
    const size = sizes[key];
    return size === undefined ? [] : [[key, graph.input(names[key], 'float32', [size])]];
  });
  return Object.fromEntries(inputs) as { [P in Exclude<K, 'buffers'>]: Value } & { buffers?: Value };
}
