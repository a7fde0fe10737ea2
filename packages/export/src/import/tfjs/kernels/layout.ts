/** Between TensorFlow's channels-last tensors and ONNX's channels-first operators. Builds Transposes and cancels none. */
import { type Graph, Transpose, type Value } from '@cyclegan/graph';

/** Where a four-dimensional tensor has its channels. */
export type Layout = 'NHWC' | 'NCHW';

/** `perm[i]` is the input's axis that becomes axis i. */
export function transpose(graph: Graph, x: Value, perm: readonly number[]): Value {
  return graph.op(Transpose, [x], { perm });
}

/**
 * Gives `build` the tensor with its channels second, and its result back in the tensor's own layout.
 * @param x of rank 4
 * @throws GraphError for another rank
 */
export function channelsSecond(graph: Graph, x: Value, layout: Layout, build: (nchw: Value) => Value): Value {
  if (layout === 'NCHW') return build(x);
  return transpose(graph, build(transpose(graph, x, [0, 3, 1, 2])), [0, 2, 3, 1]);
}

/** The axis of the channels, and those of height and width. */
export function axesOf(layout: Layout): { channel: number; spatial: readonly [number, number] } {
  return layout === 'NHWC' ? { channel: 3, spatial: [1, 2] } : { channel: 1, spatial: [2, 3] };
}
