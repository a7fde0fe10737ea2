/**
 * CycleGAN's objective as graph functions (Zhu et al. 2017, eqs 1-4, with the reference's weights and names). Knows
 * no optimiser and no device.
 */
import { Abs, Add, type Graph, Mul, Neg, ReduceMean, Softplus, Sub, type Value } from '@cyclegan/graph';
import { gradientPenalty } from './gradient-penalty.js';
import type { Apply } from './networks.js';
import type { noiseNamed } from './noise.js';

/** The eight losses in the reference's order and names, each with its weight applied. */
export const lossNames = ['D_A', 'G_A', 'cycle_A', 'idt_A', 'D_B', 'G_B', 'cycle_B', 'idt_B'] as const;
/** One of {@link lossNames}. */
export type LossName = (typeof lossNames)[number];
/** A step's losses, each a mean over the batch. */
export type Losses = Readonly<Record<LossName, number>>;

/** Adversarial loss: least squares, cross-entropy on logits, or Wasserstein's with a gradient penalty. */
export type GanMode = 'lsgan' | 'vanilla' | 'wgangp';

/**
 * The losses' weights, as in the paper and the reference. What a term of weight 0 alone would need is left out of
 * the graph, and its loss reported as 0.
 */
export interface ObjectiveConfig {
  gan: GanMode;
  /** Weights of the generators' adversarial terms, 1 in the reference. The discriminators train whatever they are. */
  lambdaGanA: number;
  lambdaGanB: number;
  /** Of cycle consistency, forward (A → B → A) and backward. */
  lambdaA: number;
  lambdaB: number;
  /** Weight of the identity terms, relative to λ_A and λ_B. */
  lambdaIdentity: number;
  /** Weight of wgangp's gradient penalty. */
  lambdaGp: number;
}

/** Scalars: losses by name, and their sum. */
export interface LossValues<Name extends LossName> {
  losses: Record<Name, Value>;
  total: Value;
}

/** The generators' losses and their sum, and the translations, float32 [N, C, H, W] in [-1, 1]. */
export interface GeneratorValues
  extends LossValues<'G_A' | 'cycle_A' | 'idt_A' | 'G_B' | 'cycle_B' | 'idt_B'> {
  fake: { A: Value; B: Value };
}

/**
 * Appends the generators' passes and losses. D_A judges domain B.
 *
 * The calls of each network come in the reference's order, which batch statistics follow. Each image goes through
 * alone: joining calls of one network to a batch is slower on CPUs, where onnxruntime gives an image of a batch one
 * thread. And each loss comes right after the pass that it is of: what is alive at a time is then one cycle, and not
 * all six passes.
 */
export function generatorLosses(
  graph: Graph,
  apply: Apply,
  config: ObjectiveConfig,
  { A: a, B: b }: { A: Value; B: Value },
): GeneratorValues {
  const { lambdaGanA, lambdaGanB, lambdaA, lambdaB, lambdaIdentity } = config;
  const term = (weight: number, loss: () => Value) =>
    weight === 0 ? undefined : weighted(graph, weight, loss());
  const adversarial = (weight: number, network: 'D_A' | 'D_B', fake: Value) =>
    term(weight, () => ganLoss(graph, config.gan, apply(network, fake), true));
  const distance = (weight: number, network: 'G_A' | 'G_B', from: Value, to: Value) =>
    term(weight, () => l1(graph, apply(network, from), to));

  const fakeB = apply('G_A', a);
  const ganA = adversarial(lambdaGanA, 'D_A', fakeB);
  const cycleA = distance(lambdaA, 'G_B', fakeB, a);
  const fakeA = apply('G_B', b);
  const ganB = adversarial(lambdaGanB, 'D_B', fakeA);
  const cycleB = distance(lambdaB, 'G_A', fakeA, b);
  const idtA = distance(lambdaB * lambdaIdentity, 'G_A', b, b);
  const idtB = distance(lambdaA * lambdaIdentity, 'G_B', a, a);

  const zero = graph.float(0);
  const present = [ganA, cycleA, idtA, ganB, cycleB, idtB].filter((loss) => loss !== undefined);
  return {
    losses: {
      G_A: ganA ?? zero,
      cycle_A: cycleA ?? zero,
      idt_A: idtA ?? zero,
      G_B: ganB ?? zero,
      cycle_B: cycleB ?? zero,
      idt_B: idtB ?? zero,
    },
    total: present.length > 0 ? sum(graph, present) : zero,
    fake: { A: fakeA, B: fakeB },
  };
}

/**
 * The discriminators' losses and their sum.
 * @param shown the translations that they are shown, from the image pools
 */
export function discriminatorLosses(
  graph: Graph,
  apply: Apply,
  { gan, lambdaGp }: ObjectiveConfig,
  real: { A: Value; B: Value },
  shown: { A: Value; B: Value },
  noise: ReturnType<typeof noiseNamed>,
): LossValues<'D_A' | 'D_B'> {
  const judge = (network: 'D_A' | 'D_B', genuine: Value, forged: Value) => {
    const both = [
      ganLoss(graph, gan, apply(network, genuine), true),
      ganLoss(graph, gan, apply(network, forged), false),
    ];
    const loss = weighted(graph, 0.5, sum(graph, both));
    if (gan !== 'wgangp' || lambdaGp === 0) return loss;
    const penalty = gradientPenalty(graph, (x) => apply(network, x), { genuine, forged }, noise);
    return graph.op(Add, [loss, weighted(graph, lambdaGp, penalty)]);
  };
  const losses = { D_A: judge('D_A', real.B, shown.B), D_B: judge('D_B', real.A, shown.A) };
  return { losses, total: sum(graph, Object.values(losses)) };
}

/**
 * Mean over a discriminator's scores: (d − t)² for lsgan, binary cross entropy with logits for vanilla, and for
 * wgangp the score itself, negative where it is to grow.
 */
function ganLoss(graph: Graph, mode: GanMode, scores: Value, real: boolean): Value {
  const signed = () => (real ? graph.op(Neg, [scores]) : scores);
  if (mode === 'wgangp') return mean(graph, signed());
  if (mode === 'vanilla') return mean(graph, graph.op(Softplus, [signed()]));
  const off = real ? graph.op(Sub, [scores, graph.float(1)]) : scores;
  return mean(graph, graph.op(Mul, [off, off]));
}

function l1(graph: Graph, x: Value, y: Value): Value {
  return mean(graph, graph.op(Abs, [graph.op(Sub, [x, y])]));
}

function mean(graph: Graph, x: Value): Value {
  return graph.op(ReduceMean, [x], { keepdims: 0 });
}

function weighted(graph: Graph, weight: number, x: Value): Value {
  return weight === 1 ? x : graph.op(Mul, [x, graph.float(weight)]);
}

function sum(graph: Graph, values: readonly Value[]): Value {
  return values.reduce((total, value) => graph.op(Add, [total, value]));
}
