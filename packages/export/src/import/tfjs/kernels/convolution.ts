/** Convolutions as TensorFlow defines them: HWIO filters, cross-correlation, SAME by the input's size. */
import { Conv, fixedDim, type Graph, Reshape, type Value } from '@cyclegan/graph';
import { channelsSecond, type Layout, transpose } from './layout.js';
import { kernelOf, type Padding, type Pair, windowAttributes } from './window.js';

export interface ConvolutionOptions {
  padding: Padding;
  /** Default [1, 1]. */
  strides?: Pair;
  /** Default [1, 1]. */
  dilations?: Pair;
  /** Of x and of the result; default NHWC. */
  layout?: Layout;
}

/**
 * x [N, H, W, C] with a filter [kh, kw, C, K] → [N, H', W', K].
 * @throws GraphError for sizes that do not go together
 */
export function conv2d(graph: Graph, x: Value, filter: Value, options: ConvolutionOptions): Value {
  const { strides = [1, 1], dilations = [1, 1], layout = 'NHWC', padding } = options;
  return channelsSecond(graph, x, layout, (nchw) =>
    graph.op(
      Conv,
      [nchw, transpose(graph, filter, [3, 2, 0, 1])],
      windowAttributes(nchw, { kernel: kernelOf(filter), strides, dilations, padding }),
    ),
  );
}

/**
 * x [N, H, W, C] with a filter [kh, kw, C, M] → [N, H', W', C · M], channel c's M results beside each other.
 * @throws GraphError for sizes that do not go together
 */
export function depthwiseConv2d(graph: Graph, x: Value, filter: Value, options: ConvolutionOptions): Value {
  const { strides = [1, 1], dilations = [1, 1], layout = 'NHWC', padding } = options;
  return channelsSecond(graph, x, layout, (nchw) => {
    const kernel = kernelOf(filter);
    const channels = fixedDim(filter.shape[2], 'depthwise convolution: filter');
    const multiplier = fixedDim(filter.shape[3], 'depthwise convolution: filter');
    const weights = graph.op(Reshape, [
      transpose(graph, filter, [2, 3, 0, 1]),
      graph.ints([channels * multiplier, 1, ...kernel]),
    ]);
    return graph.op(Conv, [nchw, weights], {
      ...windowAttributes(nchw, { kernel, strides, dilations, padding }),
      group: channels,
    });
  });
}
