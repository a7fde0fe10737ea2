/**
 * CycleGAN's objective as graph functions (Zhu et al. 2017, eqs 1-4, with the reference's weights and names). Knows
 * no optimiser and no device.
 */
import {
  Abs,
  Add,
  Concat,
  type Graph,
  Mul,
  Neg,
  ReduceMean,
  Softplus,
  Split,
  Sub,
  type Value,
} from '@cyclegan/graph';
import type { NetworkName, Networks, Weights } from '@cyclegan/model';

/** The eight losses in the reference's order and names, each with its weight applied. */
export const lossNames = ['D_A', 'G_A', 'cycle_A', 'idt_A', 'D_B', 'G_B', 'cycle_B', 'idt_B'] as const;
/** One of {@link lossNames}. */
export type LossName = (typeof lossNames)[number];
/** A step's losses, each a mean over the batch. */
export type Losses = Readonly<Record<LossName, number>>;

/** Adversarial loss: least squares, or cross-entropy on logits. */
export type GanMode = 'lsgan' | 'vanilla';

/** The losses' weights, as in the paper and the reference. */
export interface ObjectiveConfig {
  gan: GanMode;
  lambdaA: number;
  lambdaB: number;
  /** Weight of the identity terms, relative to λ_A and λ_B; 0 leaves their passes out of the graph. */
  lambdaIdentity: number;
}

/** The networks applied to their weights. */
export type Apply = (network: NetworkName, x: Value) => Value;

/** Applies networks with the weights given; the nodes' names begin with the network's. */
export function applyWith(graph: Graph, networks: Networks, weights: Record<NetworkName, Weights>): Apply {
  return (network, x) => graph.scope(network, () => networks[network].apply(graph, x, weights[network]));
}

/** What the generators make of a batch, each float32 [N, C, H, W] in [-1, 1]. */
export interface Translations {
  fakeB: Value;
  recA: Value;
  fakeA: Value;
  recB: Value;
  /** G_A(B) and G_B(A); absent when the identity terms are off. */
  idtA?: Value;
  idtB?: Value;
}

/**
 * The forward passes, in as few calls of a generator as can be: images that go through the same one go as one batch,
 * since InstanceNormalization works on each sample alone. G_B waits for G_A's translation to take it along.
 */
export function translations(
  graph: Graph,
  apply: Apply,
  a: Value,
  b: Value,
  identity: boolean,
): Translations {
  const together = (network: 'G_A' | 'G_B', images: readonly Value[]) =>
    split(graph, apply(network, join(graph, images)), images);
  const [fakeB, idtA] = together('G_A', identity ? [a, b] : [a]) as [Value, Value?];
  const [fakeA, recA, idtB] = together('G_B', identity ? [b, fakeB, a] : [b, fakeB]) as [
    Value,
    Value,
    Value?,
  ];
  const recB = apply('G_A', fakeA);
  return { fakeB, recA, fakeA, recB, ...(idtA && idtB ? { idtA, idtB } : {}) };
}

function join(graph: Graph, parts: readonly Value[]): Value {
  return parts.length === 1 ? (parts[0] as Value) : graph.op(Concat, parts, { axis: 0 });
}

/** Cuts a batch into the parts that were joined to it. */
function split(graph: Graph, joined: Value, like: readonly Value[]): Value[] {
  if (like.length === 1) return [joined];
  return graph.ops(Split, [joined, graph.ints(like.map(({ shape }) => Number(shape[0])))], { axis: 0 });
}

/** The generators' losses and their sum. D_A judges domain B. */
export function generatorLosses(
  graph: Graph,
  apply: Apply,
  config: ObjectiveConfig,
  a: Value,
  b: Value,
  made: Translations,
) {
  const { lambdaA, lambdaB, lambdaIdentity } = config;
  const zero = graph.float(0);
  const losses = {
    G_A: ganLoss(graph, config.gan, apply('D_A', made.fakeB), true),
    cycle_A: weighted(graph, lambdaA, l1(graph, made.recA, a)),
    idt_A: made.idtA ? weighted(graph, lambdaB * lambdaIdentity, l1(graph, made.idtA, b)) : zero,
    G_B: ganLoss(graph, config.gan, apply('D_B', made.fakeA), true),
    cycle_B: weighted(graph, lambdaB, l1(graph, made.recB, b)),
    idt_B: made.idtB ? weighted(graph, lambdaA * lambdaIdentity, l1(graph, made.idtB, a)) : zero,
  };
  return { losses, total: sum(graph, Object.values(losses)) };
}

/** The discriminators' losses and their sum; `fakeA` and `fakeB` come from the image pools. */
export function discriminatorLosses(
  graph: Graph,
  apply: Apply,
  gan: GanMode,
  real: { a: Value; b: Value },
  fake: { a: Value; b: Value },
) {
  const judge = (network: 'D_A' | 'D_B', genuine: Value, forged: Value) => {
    const shown = [genuine, forged];
    const [onReal, onFake] = split(graph, apply(network, join(graph, shown)), shown) as [Value, Value];
    const both = [ganLoss(graph, gan, onReal, true), ganLoss(graph, gan, onFake, false)];
    return weighted(graph, 0.5, sum(graph, both));
  };
  const losses = { D_A: judge('D_A', real.b, fake.b), D_B: judge('D_B', real.a, fake.a) };
  return { losses, total: sum(graph, Object.values(losses)) };
}

/** Mean over a discriminator's logits: (d − t)² for lsgan, binary cross entropy with logits for vanilla. */
function ganLoss(graph: Graph, mode: GanMode, logits: Value, real: boolean): Value {
  if (mode === 'vanilla') {
    const signed = real ? graph.op(Neg, [logits]) : logits;
    return mean(graph, graph.op(Softplus, [signed]));
  }
  const off = real ? graph.op(Sub, [logits, graph.float(1)]) : logits;
  return mean(graph, graph.op(Mul, [off, off]));
}

function l1(graph: Graph, x: Value, y: Value): Value {
  return mean(graph, graph.op(Abs, [graph.op(Sub, [x, y])]));
}

function mean(graph: Graph, x: Value): Value {
  return graph.op(ReduceMean, [x], { keepdims: 0 });
}

function weighted(graph: Graph, weight: number, x: Value): Value {
  return graph.op(Mul, [x, graph.float(weight)]);
}

function sum(graph: Graph, values: readonly Value[]): Value {
  return values.reduce((total, value) => graph.op(Add, [total, value]));
}
