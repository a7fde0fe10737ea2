/**
 * One training step, appended to a graph that has the values it reads: forward passes, eight losses, gradients, both
 * Adams. What those values are, inputs or the state of a loop, is the graph's own affair.
 */
import { Concat, type Graph, gradients, type Node, Reshape, type Value } from '@cyclegan/graph';
import { cycleganNetworks, type NetworksConfig } from '@cyclegan/model/networks';
import { type AdamBetas, type AdamRate, type AdamState, adam } from './adam.js';
import { type GroupValues, trainedNetworks } from './networks.js';
import { type NoiseSource, noiseNamed } from './noise.js';
import { discriminatorLosses, generatorLosses, lossNames, type ObjectiveConfig } from './objective.js';
import type { Group, StateKey } from './state.js';

/** All that decides what is computed on a batch; sizes are fixed in the graph. */
export interface ObjectiveGraphConfig {
  networks: NetworksConfig;
  objective: ObjectiveConfig;
  batch: number;
  height: number;
  width: number;
}

/** All that decides a step. */
export interface StepConfig extends ObjectiveGraphConfig {
  adam: AdamBetas;
  /** Compute the residual blocks' activations again for the gradients instead of keeping them. */
  recompute: boolean;
}

/** Something of each domain. */
export type Domains<T> = Readonly<Record<'A' | 'B', T>>;

/** What the objective reads. */
export interface ObjectiveValues {
  /** float32 [N, C, H, W] in [-1, 1]. */
  real: Domains<Value>;
  /** Gives the translations that the discriminators are shown for the fresh ones: the image pool's part. */
  show(fresh: Domains<Value>): Domains<Value>;
  noise: NoiseSource;
  state: Record<Group, GroupValues>;
}

/** What a step reads: also both optimisers' moments and rate. */
export interface StepValues extends ObjectiveValues {
  state: Record<Group, GroupValues & AdamState>;
  rate: AdamRate;
}

/** What a step makes. */
export interface StepResults {
  /** float32 [8] in the order of `lossNames`. */
  losses: Value;
  /** The fresh translations, float32 [N, C, H, W]. */
  fake: Domains<Value>;
  /** In the state's own shapes; `buffers` only where there are any. */
  next: Record<Group, Partial<Record<StateKey, Value>>>;
  /** By the parameters, float32 [P]. */
  gradients: Record<Group, Value>;
}

/**
 * Appends a whole step to the graph. Nodes that no output needs are left for `prune`; `orderForDepthFirst` afterwards
 * keeps onnxruntime's memory low.
 */
export function appendStep(graph: Graph, config: StepConfig, values: StepValues): StepResults {
  const found = {} as Record<Group, Value>;
  const moved = {} as Record<Group, AdamState>;
  const objective = appendObjective(graph, config, values, (group, total) => {
    const state = values.state[group];
    const options = { stages: networkCall, recompute: config.recompute ? residualBlock : undefined };
    const [gradient] = graph.scope(`grad_${group}`, () =>
      gradients(graph, total, [state.parameters], options),
    );
    found[group] = gradient as Value;
    moved[group] = graph.scope(`adam_${group}`, () =>
      adam(graph, state, found[group], config.adam, values.rate),
    );
  });
  const { losses, fake, nextBuffers } = objective;
  const next = { G: { ...moved.G, ...nextBuffers.G }, D: { ...moved.D, ...nextBuffers.D } };
  return { losses, fake, next, gradients: found };
}

/** `G_A.2` of `G_A.2/model.10/Conv_1`. */
function networkCall({ name }: Node): string | undefined {
  return /^[GD]_[AB]\.\d+(?=\/)/.exec(name)?.[0];
}

/** `G_A.2/model.10` of `G_A.2/model.10/Conv_1`: within a generator the residual blocks alone have names. */
function residualBlock({ name }: Node): string | undefined {
  return /^G_[AB]\.\d+\/.+(?=\/)/.exec(name)?.[0];
}

/**
 * Appends the objective alone, without gradients and optimisers.
 * @param onTotal called with each group's total loss as soon as all that it depends on is there: what it appends,
 * such as the gradients, then comes before the other group's passes
 */
export function appendObjective(
  graph: Graph,
  { networks: architecture, objective }: ObjectiveGraphConfig,
  { real, show, noise: source, state }: ObjectiveValues,
  onTotal: (group: Group, total: Value) => void = () => {},
) {
  const networks = cycleganNetworks(architecture);
  const noise = noiseNamed(source);
  const { apply, nextBuffers } = trainedNetworks(graph, networks, state, noise);

  const generators = generatorLosses(graph, apply, objective, real);
  onTotal('G', generators.total);

  const { fake } = generators;
  const shown = show(fake);
  const discriminators = discriminatorLosses(graph, apply, objective, real, shown, noise);
  onTotal('D', discriminators.total);

  const losses = { ...generators.losses, ...discriminators.losses };
  const column = lossNames.map((name) => graph.op(Reshape, [losses[name], graph.ints([1])]));
  const buffersOf = (group: Group) => {
    const buffers = nextBuffers(group);
    return buffers ? { buffers } : {};
  };
  return {
    losses: graph.op(Concat, column, { axis: 0 }),
    totals: { G: generators.total, D: discriminators.total },
    fake,
    shown,
    nextBuffers: { G: buffersOf('G'), D: buffersOf('D') },
  };
}
