/**
 * Between a tfjs model's own image, mostly [N, H, W, C], and the graph's [N, C, H, W]: declares the graph's input and
 * output around what the model computes, so that Transposes at both ends are all that is between them.
 */
import {
  Cast,
  type DType,
  type Graph,
  onnxTypes,
  Squeeze,
  symbolicDim,
  Unsqueeze,
  type Value,
} from '@cyclegan/graph';
import { INPUT_NAME, OUTPUT_NAME } from '../../bundle/model-interface.js';
import { type Layout, transpose } from './kernels.js';

/** A model's image as the model itself takes or gives it. */
export interface ImageForm {
  /** -1 where a size is free; with or without an axis of samples. */
  readonly shape: readonly number[];
  readonly layout: Layout;
  readonly dtype: DType;
}

/** Channels that images have. */
const imageChannels = [1, 3, 4];

/**
 * What an image input's sizes say of its form.
 * @param shape undefined where nothing is known of it: then RGB of any size
 * @returns undefined for what is no image
 */
export function imageForm(shape: readonly number[] | undefined, dtype: DType): ImageForm | undefined {
  if (!shape) return { shape: [-1, -1, -1, 3], layout: 'NHWC', dtype };
  if (shape.length !== 3 && shape.length !== 4) return undefined;
  const [channelsFirst = -1, , channelsLast = -1] = shape.slice(-3);
  const isFirst = imageChannels.includes(channelsFirst) && !imageChannels.includes(channelsLast);
  const channels = isFirst ? channelsFirst : channelsLast === -1 ? 3 : channelsLast;
  return {
    shape: shape.with(isFirst ? -3 : -1, channels),
    layout: isFirst ? 'NCHW' : 'NHWC',
    dtype,
  };
}

/** Declares the graph's input `image`, float32 [N, C, H, W], and gives what the model takes. */
export function imageInput(graph: Graph, { shape, layout, dtype }: ImageForm): Value {
  const sizes = shape.length === 3 ? [1, ...shape] : shape;
  const symbols = layout === 'NHWC' ? ['N', 'H', 'W', 'C'] : ['N', 'C', 'H', 'W'];
  const dims = sizes.map((size, axis) => (size === -1 ? symbolicDim(symbols[axis] ?? '') : size));
  const [n = 1, a = 1, b = 1, c = 1] = dims;
  const image = graph.input(INPUT_NAME, 'float32', layout === 'NHWC' ? [n, c, a, b] : dims);
  const laid = layout === 'NHWC' ? transpose(graph, image, [0, 2, 3, 1]) : image;
  const one = shape.length === 3 ? graph.op(Squeeze, [laid, graph.ints([0])]) : laid;
  return dtype === 'float32' ? one : graph.op(Cast, [one], { to: onnxTypes[dtype] });
}

/** Declares the graph's output `translation`, float32 [N, C, H, W]. @returns false for what is no image */
export function imageOutput(graph: Graph, value: Value, layout: Layout): boolean {
  const rank = value.shape.length;
  if (rank !== 3 && rank !== 4) return false;
  const floats = value.dtype === 'float32' ? value : graph.op(Cast, [value], { to: onnxTypes.float32 });
  const whole = rank === 3 ? graph.op(Unsqueeze, [floats, graph.ints([0])]) : floats;
  graph.output(OUTPUT_NAME, layout === 'NHWC' ? transpose(graph, whole, [0, 3, 1, 2]) : whole);
  return true;
}
