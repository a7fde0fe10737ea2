/**
 * WGAN-GP's penalty (Gulrajani et al. 2017) as the reference computes it: a discriminator's slope between real and
 * translated images is to be 1. The slope is a gradient within the graph, which is differentiated again.
 */
import {
  Add,
  type Graph,
  gradients,
  Mul,
  ReduceMean,
  ReduceSum,
  Reshape,
  Sqrt,
  Sub,
  type Value,
} from '@cyclegan/graph';
import type { noiseNamed } from './noise.js';

/**
 * Mean over the batch of (‖∇D(x̂)‖₂ − 1)², with x̂ = α·genuine + (1 − α)·forged and an α from the step's noise for
 * each sample.
 * @param judge the discriminator
 * @returns a scalar, without its weight
 */
export function gradientPenalty(
  graph: Graph,
  judge: (x: Value) => Value,
  { genuine, forged }: { genuine: Value; forged: Value },
  noise: ReturnType<typeof noiseNamed>,
): Value {
  const batch = Number(genuine.shape[0]);
  const share = noise('mix', 'float32', [batch, 1, 1, 1]);
  const rest = graph.op(Sub, [graph.float(1), share]);
  const mixed = graph.op(Add, [graph.op(Mul, [genuine, share]), graph.op(Mul, [forged, rest])]);
  const score = graph.op(ReduceSum, [judge(mixed)], { keepdims: 0 });
  const [slope] = gradients(graph, score, [mixed]);
  // The reference's offset: it keeps the root's own slope finite where all is zero.
  const offset = graph.op(Add, [slope, graph.float(1e-16)]);
  const rows = graph.op(Reshape, [offset, graph.ints([batch, -1])]);
  const squares = graph.op(ReduceSum, [graph.op(Mul, [rows, rows]), graph.ints([1])], { keepdims: 0 });
  const off = graph.op(Sub, [graph.op(Sqrt, [squares]), graph.float(1)]);
  return graph.op(ReduceMean, [graph.op(Mul, [off, off])], { keepdims: 0 });
}
