/** Pooling as TensorFlow defines it: an average counts no padding. */
import { AveragePool, type Graph, MaxPool, ReduceMax, ReduceMean, type Value } from '@cyclegan/graph';
import { axesOf, channelsSecond, type Layout } from './layout.js';
import { type Padding, type Pair, windowAttributes } from './window.js';

export interface PoolingOptions {
  size: Pair;
  /** Default: the size. */
  strides?: Pair;
  padding: Padding;
  /** Default NHWC. */
  layout?: Layout;
}

/** x [N, H, W, C] → [N, H', W', C]. @throws GraphError for sizes that do not go together */
export function maxPool(graph: Graph, x: Value, options: PoolingOptions): Value {
  return channelsSecond(graph, x, options.layout ?? 'NHWC', (nchw) =>
    graph.op(MaxPool, [nchw], attributesOf(nchw, options)),
  );
}

/** x [N, H, W, C] → [N, H', W', C]. @throws GraphError for sizes that do not go together */
export function averagePool(graph: Graph, x: Value, options: PoolingOptions): Value {
  return channelsSecond(graph, x, options.layout ?? 'NHWC', (nchw) =>
    graph.op(AveragePool, [nchw], attributesOf(nchw, options)),
  );
}

function attributesOf(nchw: Value, { size, strides = size, padding }: PoolingOptions) {
  // Of the attributes of a window, pools know no dilations at opset 17.
  const { dilations: _, ...attributes } = windowAttributes(nchw, {
    kernel: size,
    strides,
    dilations: [1, 1],
    padding,
  });
  return attributes;
}

export interface GlobalPoolingOptions {
  /** Keeps height and width as sizes of 1. */
  keepDims: boolean;
  /** Default NHWC. */
  layout?: Layout;
}

/** The mean over height and width: [N, C], or [N, 1, 1, C]. */
export function globalAveragePool(
  graph: Graph,
  x: Value,
  { keepDims, layout = 'NHWC' }: GlobalPoolingOptions,
): Value {
  return graph.op(ReduceMean, [x], { axes: axesOf(layout).spatial, keepdims: keepDims ? 1 : 0 });
}

/** The greatest over height and width: [N, C], or [N, 1, 1, C]. */
export function globalMaxPool(
  graph: Graph,
  x: Value,
  { keepDims, layout = 'NHWC' }: GlobalPoolingOptions,
): Value {
  return graph.op(ReduceMax, [x], { axes: axesOf(layout).spatial, keepdims: keepDims ? 1 : 0 });
}
