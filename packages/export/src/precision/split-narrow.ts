/**
 * Convolutions with few output channels and a tall window, such as a generator's last: for the CPU's kernels, which
 * compute sixteen channels at once, written as one with more channels and fewer rows, and a sum of those.
 */
import {
  type Attributes,
  Conv,
  type Graph,
  prune,
  rebuild,
  type Turn,
  tensor,
  type Value,
} from '@cyclegan/graph';

/** Output channels that kernels compute at once. */
const LANES = 16;

/** @returns a new graph that computes the same but for rounding, faster on CPUs alone */
export function splitNarrow(graph: Graph): Graph {
  const split = rebuild(graph, {
    node: (turn) => {
      const [, weight, bias] = turn.node.inputs;
      const attributes = turn.node.attributes as Attributes<typeof Conv.attributes>;
      const { group = 1, auto_pad = 'NOTSET', strides = [1], dilations = [1] } = attributes;
      const plain = group === 1 && auto_pad === 'NOTSET' && [...strides, ...dilations].every((n) => n === 1);
      if (turn.node.op !== Conv || !plain || weight?.shape.length !== 4) return undefined;
      if (!(weight.constant?.data instanceof Float32Array) || (bias && !bias.constant)) return undefined;
      const sizes = weight.constant.shape as Sizes;
      const rows = rowsFor(sizes);
      return rows === undefined
        ? undefined
        : splitConvolution(turn, { weights: weight.constant.data, sizes, rows });
    },
  });
  prune(split);
  return split;
}

/** Output channels, input channels, height and width of the window. */
type Sizes = readonly [number, number, number, number];

interface Split {
  weights: Float32Array;
  sizes: Sizes;
  /** How many of the window's rows make one channel. */
  rows: number;
}

/** The fewest rows whose channels fit together; undefined where too little is gained. */
function rowsFor([channels, inputs, height, width]: Sizes): number | undefined {
  const parts = Math.floor(LANES / channels);
  if (parts < 2) return undefined;
  const rows = Math.ceil(height / parts);
  const work = rows * width * inputs + LANES * height;
  return work < 0.75 * height * width * inputs ? rows : undefined;
}

/**
 * The channel of part p sums rows p·rows to (p + 1)·rows of the window; of those the second convolution takes each at
 * its place. The window is filled up with rows of zeros at its end, and so is the image.
 */
function splitConvolution({ graph, node, inputs, copy }: Turn, { weights, sizes, rows }: Split): Value[] {
  const [channels, inputChannels, height, width] = sizes;
  const [x, , bias] = inputs;
  const parts = Math.ceil(height / rows);
  const line = rows * width;
  const wide = new Float32Array(parts * channels * inputChannels * line);
  const window = height * width;
  for (let part = 0; part < parts; part++) {
    const from = part * line;
    for (let i = 0; i < channels * inputChannels; i++) {
      const row = weights.subarray(i * window + from, i * window + Math.min(window, from + line));
      wide.set(row, (part * channels * inputChannels + i) * line);
    }
  }
  const reach = (parts - 1) * rows + 1;
  const sum = new Float32Array(channels * parts * channels * reach);
  for (let channel = 0; channel < channels; channel++) {
    for (let part = 0; part < parts; part++) {
      sum[((channel * parts + part) * channels + channel) * reach + part * rows] = 1;
    }
  }
  const { pads = [0, 0, 0, 0] } = node.attributes as Attributes<typeof Conv.attributes>;
  const [top = 0, left = 0, bottom = 0, right = 0] = pads;
  const extra = parts * rows - height;
  const partial = graph.scope(node.outputs[0]?.name ?? node.name, () => {
    const kernel = graph.constant(tensor('float32', [parts * channels, inputChannels, rows, width], wide));
    return graph.op(Conv, [x, kernel], {
      kernel_shape: [rows, width],
      pads: [top, left, bottom + extra, right],
    });
  });
  const ones = graph.constant(tensor('float32', [channels, parts * channels, reach, 1], sum));
  return copy({
    inputs: [partial, ones, ...(bias ? [bias] : [])],
    attributes: { kernel_shape: [reach, 1] },
  });
}
