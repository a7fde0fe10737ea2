/**
 * Adam (Kingma and Ba 2015, as PyTorch computes it) over one flat vector of all parameters: a dozen nodes instead
 * of a dozen for each parameter. The bias correction goes into two scalars that the host feeds.
 */
import { Add, Div, type Graph, Mul, Sqrt, Sub, type Value } from '@cyclegan/graph';

export const adamBetas = [0.5, 0.999] as const;
const epsilon = 1e-8;

export interface AdamState {
  /** Each float32 [P]. */
  parameters: Value;
  m: Value;
  v: Value;
}

/** Appends one update. @param rate the scalars of {@link adamRate}, as graph values */
export function adam(
  graph: Graph,
  state: AdamState,
  gradient: Value,
  rate: { stepSize: Value; epsilonHat: Value },
): AdamState {
  const blend = (beta: number, old: Value, fresh: Value) =>
    graph.op(Add, [graph.op(Mul, [old, graph.float(beta)]), graph.op(Mul, [fresh, graph.float(1 - beta)])]);
  const m = blend(adamBetas[0], state.m, gradient);
  const v = blend(adamBetas[1], state.v, graph.op(Mul, [gradient, gradient]));
  const denominator = graph.op(Add, [graph.op(Sqrt, [v]), rate.epsilonHat]);
  const update = graph.op(Div, [graph.op(Mul, [m, rate.stepSize]), denominator]);
  return { parameters: graph.op(Sub, [state.parameters, update]), m, v };
}

/**
 * lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε), with √(1−β₂ᵗ) taken out of the fraction.
 * @param step number of the update, from 1
 */
export function adamRate(learningRate: number, step: number): { stepSize: number; epsilonHat: number } {
  const [beta1, beta2] = adamBetas;
  const root = Math.sqrt(1 - beta2 ** step);
  return { stepSize: (learningRate * root) / (1 - beta1 ** step), epsilonHat: epsilon * root };
}
