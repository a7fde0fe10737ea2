/**
 * One whole training step as an ONNX graph: forward, eight losses, gradients, both Adams, image pool. Every
 * execution provider of onnxruntime runs it as it is. State goes in and comes out as flat vectors.
 */
import { Concat, Gather, Graph, gradients, prune, Reshape, Split, type Value } from '@cyclegan/graph';
import {
  cycleganNetworks,
  discriminatorNames,
  generatorNames,
  type NetworkName,
  type Networks,
  type NetworksConfig,
  namedParameters,
  type Parameter,
  parameterCount,
  type Weights,
} from '@cyclegan/model';
import { adam } from './adam.js';
import {
  type Apply,
  applyWith,
  discriminatorLosses,
  generatorLosses,
  lossNames,
  type ObjectiveConfig,
  translations,
} from './objective.js';

/** All that decides a step's graph; sizes are fixed in it. */
export interface StepConfig {
  networks: NetworksConfig;
  objective: ObjectiveConfig;
  batch: number;
  height: number;
  width: number;
}

/** The two optimisers' groups, and the networks each one trains. */
export const groups = { G: generatorNames, D: discriminatorNames } as const;
/** An optimiser's group. */
export type Group = keyof typeof groups;

/** A group's parameters in the order in which its flat vectors hold them. */
export function groupParameters(config: NetworksConfig, group: Group): Parameter[] {
  return namedParameters(cycleganNetworks(config), groups[group]);
}

/** Names of a group's state tensors, as inputs; the outputs have `next.` in front. Each float32 [P]. */
export const stateNames = (group: Group) =>
  ({ parameters: `${group}.parameters`, m: `${group}.m`, v: `${group}.v` }) as const;

/**
 * Builds the step graph.
 *
 * Inputs: `real_A`, `real_B` float32 [N, C, H, W] in [-1, 1]; `pool_A`, `pool_B` of the same shape, stored
 * translations from the pools, and `pick_A`, `pick_B` int64 [N]: for each sample an index into pool then fresh
 * translations; the state vectors of {@link stateNames}; scalars `step_size` and `epsilon_hat` of `adamRate`.
 *
 * Outputs: `losses` [8] in the order of `lossNames`, `fake_A`, `fake_B` for the pools, and the next state; with
 * `withGradients` also `G.gradient` and `D.gradient`.
 */
export function stepGraph(config: StepConfig, options: { withGradients?: boolean } = {}): Graph {
  const graph = new Graph('cyclegan_step');
  const { inputChannels, outputChannels } = config.networks.generator;
  const image = (name: string, channels: number) =>
    graph.input(name, 'float32', [config.batch, channels, config.height, config.width]);
  const a = image('real_A', inputChannels);
  const b = image('real_B', outputChannels);
  const pool = { a: image('pool_A', inputChannels), b: image('pool_B', outputChannels) };
  const pick = {
    a: graph.input('pick_A', 'int64', [config.batch]),
    b: graph.input('pick_B', 'int64', [config.batch]),
  };
  const rate = {
    stepSize: graph.input('step_size', 'float32', []),
    epsilonHat: graph.input('epsilon_hat', 'float32', []),
  };
  const networks = cycleganNetworks(config.networks);
  const states = { G: stateInputs(graph, config.networks, 'G'), D: stateInputs(graph, config.networks, 'D') };
  const apply = applyWith(graph, networks, {
    ...splitWeights(graph, networks, 'G', states.G.parameters),
    ...splitWeights(graph, networks, 'D', states.D.parameters),
  });

  const made = translations(graph, apply, a, b, config.objective.lambdaIdentity > 0);
  const generators = generatorLosses(graph, apply, config.objective, a, b, made);
  const gradientG = graph.scope('grad_G', () =>
    gradients(graph, generators.total, [states.G.parameters]),
  )[0] as Value;

  const pooled = (stored: Value, fresh: Value, indices: Value) =>
    graph.op(Gather, [graph.op(Concat, [stored, fresh], { axis: 0 }), indices], { axis: 0 });
  const fake = { a: pooled(pool.a, made.fakeA, pick.a), b: pooled(pool.b, made.fakeB, pick.b) };
  const discriminators = discriminatorLosses(graph, apply, config.objective.gan, { a, b }, fake);
  const gradientD = graph.scope('grad_D', () =>
    gradients(graph, discriminators.total, [states.D.parameters]),
  )[0] as Value;

  const losses = { ...generators.losses, ...discriminators.losses };
  const column = lossNames.map((name) => graph.op(Reshape, [losses[name], graph.ints([1])]));
  graph.output('losses', graph.op(Concat, column, { axis: 0 }));
  graph.output('fake_A', made.fakeA);
  graph.output('fake_B', made.fakeB);
  for (const [group, gradient] of [
    ['G', gradientG],
    ['D', gradientD],
  ] as const) {
    const next = graph.scope(`adam_${group}`, () => adam(graph, states[group], gradient, rate));
    const names = stateNames(group);
    for (const key of ['parameters', 'm', 'v'] as const) graph.output(`next.${names[key]}`, next[key]);
    if (options.withGradients) graph.output(`${group}.gradient`, gradient);
  }
  prune(graph);
  return graph;
}

/**
 * The generators' forward passes alone, for samples: inputs `real_A`, `real_B`, `G.parameters`; outputs `fake_B`,
 * `rec_A`, `fake_A`, `rec_B`.
 */
export function sampleGraph(config: StepConfig): Graph {
  const graph = new Graph('cyclegan_sample');
  const { inputChannels, outputChannels } = config.networks.generator;
  const a = graph.input('real_A', 'float32', [config.batch, inputChannels, config.height, config.width]);
  const b = graph.input('real_B', 'float32', [config.batch, outputChannels, config.height, config.width]);
  const networks = cycleganNetworks(config.networks);
  const flat = graph.input('G.parameters', 'float32', [
    parameterCount(groupParameters(config.networks, 'G')),
  ]);
  const weights = splitWeights(graph, networks, 'G', flat);
  const apply: Apply = applyWith(graph, networks, weights as Record<NetworkName, Weights>);
  const made = translations(graph, apply, a, b, false);
  graph.output('fake_B', made.fakeB);
  graph.output('rec_A', made.recA);
  graph.output('fake_A', made.fakeA);
  graph.output('rec_B', made.recB);
  return graph;
}

function stateInputs(graph: Graph, config: NetworksConfig, group: Group) {
  const size = parameterCount(groupParameters(config, group));
  const names = stateNames(group);
  const input = (key: keyof typeof names) => graph.input(names[key], 'float32', [size]);
  return { parameters: input('parameters'), m: input('m'), v: input('v') };
}

/** Cuts a group's flat vector into each network's weights. */
function splitWeights<G extends Group>(graph: Graph, networks: Networks, group: G, flat: Value) {
  const parameters = namedParameters(networks, groups[group]);
  const sizes = parameters.map((parameter) => parameterCount([parameter]));
  const pieces = graph.ops(Split, [flat, graph.ints(sizes)], { axis: 0 });
  const values = new Map(
    parameters.map(({ name, shape }, i) => [name, graph.op(Reshape, [pieces[i], graph.ints(shape)])]),
  );
  const lookUp =
    (network: NetworkName): Weights =>
    (name) => {
      const value = values.get(`${network}.${name}`);
      if (!value) throw new Error(`internal: no parameter ${network}.${name}`);
      return value;
    };
  return Object.fromEntries(groups[group].map((network) => [network, lookUp(network)])) as Record<
    (typeof groups)[G][number],
    Weights
  >;
}
