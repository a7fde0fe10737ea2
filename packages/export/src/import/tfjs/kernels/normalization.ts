/** Normalisations and biases along the channels. */
import {
  Add,
  BatchNormalization,
  type Graph,
  InstanceNormalization,
  Reshape,
  type Value,
} from '@cyclegan/graph';
import { channelsSecond, type Layout, transpose } from './layout.js';

/** x [N, H, W, C] + bias [C]; NCHW likewise. */
export function biasAdd(graph: Graph, x: Value, bias: Value, layout: Layout = 'NHWC'): Value {
  if (layout === 'NHWC') return graph.op(Add, [x, bias]);
  const ones = x.shape.slice(2).map(() => 1);
  return graph.op(Add, [x, graph.op(Reshape, [bias, graph.ints([-1, ...ones])])]);
}

export interface BatchNormOptions {
  scale: Value;
  bias: Value;
  mean: Value;
  variance: Value;
  epsilon: number;
  /** The channels' axis; default the last. */
  axis?: number;
}

/** (x − mean) / √(variance + ε) · scale + bias, by given statistics; all four are [C], x of any rank from 2. */
export function batchNorm(graph: Graph, x: Value, options: BatchNormOptions): Value {
  const { scale, bias, mean, variance, epsilon } = options;
  const rank = x.shape.length;
  const { axis = rank - 1 } = options;
  const normalize = (value: Value) =>
    graph.op(BatchNormalization, [value, scale, bias, mean, variance], { epsilon });
  if (axis === 1) return normalize(x);
  const axes = Array.from({ length: rank }, (_, i) => i);
  const perm = [0, axis, ...axes.slice(1).filter((i) => i !== axis)];
  const back = axes.map((i) => perm.indexOf(i));
  return transpose(graph, normalize(transpose(graph, x, perm)), back);
}

export interface InstanceNormOptions {
  /** [C]. */
  scale: Value;
  /** [C]. */
  bias: Value;
  epsilon: number;
  /** Default NHWC. */
  layout?: Layout;
}

/** Per sample and channel over height and width, biased variance. */
export function instanceNorm(graph: Graph, x: Value, options: InstanceNormOptions): Value {
  const { scale, bias, epsilon, layout = 'NHWC' } = options;
  return channelsSecond(graph, x, layout, (nchw) =>
    graph.op(InstanceNormalization, [nchw, scale, bias], { epsilon }),
  );
}
