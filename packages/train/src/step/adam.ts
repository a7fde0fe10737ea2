/**
 * Adam (Kingma and Ba 2015, as PyTorch computes it) over one flat vector of all parameters: a dozen nodes instead
 * of a dozen for each parameter. The bias correction goes into two scalars that the host feeds.
 */
import { Add, Div, type Graph, Mul, Sqrt, Sub, type Value } from '@cyclegan/graph';

/** How fast the moments forget, each in [0, 1); the reference takes 0.5 and 0.999. */
export interface AdamBetas {
  beta1: number;
  beta2: number;
}

const epsilon = 1e-8;

export interface AdamState {
  /** Each float32 [P]. */
  parameters: Value;
  m: Value;
  v: Value;
}

/** The scalars of {@link adamRate} as graph values, float32 []. */
export interface AdamRate {
  stepSize: Value;
  epsilonHat: Value;
}

/** Appends one update. */
export function adam(
  graph: Graph,
  state: AdamState,
  gradient: Value,
  { beta1, beta2 }: AdamBetas,
  rate: AdamRate,
): AdamState {
  // The fresh part first: the old one could be computed, and would be kept, from the step's beginning.
  const blend = (beta: number, old: Value, fresh: Value) =>
    graph.op(Add, [graph.op(Mul, [fresh, graph.float(1 - beta)]), graph.op(Mul, [old, graph.float(beta)])]);
  const m = blend(beta1, state.m, gradient);
  const v = blend(beta2, state.v, graph.op(Mul, [gradient, gradient]));
  const denominator = graph.op(Add, [graph.op(Sqrt, [v]), rate.epsilonHat]);
  const update = graph.op(Div, [graph.op(Mul, [m, rate.stepSize]), denominator]);
  return { parameters: graph.op(Sub, [state.parameters, update]), m, v };
}

/**
 * lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε), with √(1−β₂ᵗ) taken out of the fraction.
 * @param step number of the update, from 1
 */
export function adamRate(
  learningRate: number,
  step: number,
  { beta1, beta2 }: AdamBetas,
): { stepSize: number; epsilonHat: number } {
  const root = Math.sqrt(1 - beta2 ** step);
  return { stepSize: (learningRate * root) / (1 - beta1 ** step), epsilonHat: epsilon * root };
}
