/** TensorFlow's transposed convolution: the gradient of a convolution, laid out by that convolution's padding. */
import {
  Add,
  addDim,
  ConvTranspose,
  type Dim,
  Div,
  type Graph,
  knownElements,
  Max,
  Mod,
  Mul,
  Slice,
  scaleDim,
  subDim,
  type Value,
} from '@cyclegan/graph';
import type { ConvolutionOptions } from './convolution.js';
import { channelsSecond, transpose } from './layout.js';
import { kernelOf, type Padding, type Pair, sizesValue, splitPadding } from './window.js';

export interface TransposedOptions extends ConvolutionOptions {
  /** Height and width of the result: int64 [2] or numbers; default: what Keras's Conv2DTranspose gives. */
  output?: Pair | Value | undefined;
}

/**
 * TensorFlow's Conv2DBackpropInput. x [N, H, W, C] with a filter [kh, kw, K, C] → [N, H', W', K]. SAME depends on the
 * result's size: kernel 3 at stride 2 to 2H has ONNX pads [0, 0, 1, 1].
 * @throws GraphError for sizes that do not go together
 */
export function conv2dTranspose(graph: Graph, x: Value, filter: Value, options: TransposedOptions): Value {
  const { strides = [1, 1], dilations = [1, 1], layout = 'NHWC', padding } = options;
  const kernel = kernelOf(filter);
  const reach: Pair = [(kernel[0] - 1) * dilations[0] + 1, (kernel[1] - 1) * dilations[1] + 1];
  const output = options.output && sizesValue(graph, options.output);
  return channelsSecond(graph, x, layout, (nchw) => {
    const spread = (pads: readonly number[], extra: Pair) =>
      graph.op(ConvTranspose, [nchw, transpose(graph, filter, [3, 2, 0, 1])], {
        kernel_shape: kernel,
        strides,
        dilations,
        pads,
        output_padding: extra,
      });
    const targets = knownElements(output);
    const surplus = (axis: 0 | 1) => {
      const geometry = { reach: reach[axis], stride: strides[axis], padding };
      return surplusOf(nchw.shape[axis + 2] as Dim, geometry, output ? (targets?.[axis] ?? null) : undefined);
    };
    const [height, width] = [surplus(0), surplus(1)];
    if (height !== undefined && width !== undefined) {
      const pads = padsOf(padding, height, width);
      return spread(pads, [pads[0] + pads[2] - height, pads[1] + pads[3] - width]);
    }
    return cut(graph, spread, { target: output as Value, reach, strides, padding });
  });
}

/** What the full result of one axis has beyond the target; undefined where symbols decide it, or the target does. */
function surplusOf(
  size: Dim,
  { reach, stride, padding }: { reach: number; stride: number; padding: Padding },
  target: Dim | null | undefined,
): number | undefined {
  if (target === null) return undefined;
  const full = addDim(scaleDim(addDim(size, -1), stride), reach);
  const usual = padding === 'SAME' ? scaleDim(size, stride) : addDim(full, Math.max(stride - reach, 0));
  const rest = subDim(full, target ?? usual);
  return typeof rest === 'number' ? rest : undefined;
}

function padsOf(padding: Padding, height: number, width: number): readonly [number, number, number, number] {
  if (padding === 'VALID') return [0, 0, 0, 0];
  return padding === 'SAME' ? splitPadding(Math.max(height, 0), Math.max(width, 0)) : padding;
}

interface Cut {
  /** int64 [2]. */
  target: Value;
  reach: Pair;
  strides: Pair;
  padding: Padding;
}

/** Computes all rows and columns, and takes out those that the target's size, which only the running graph knows, asks for. */
function cut(
  graph: Graph,
  spread: (pads: readonly number[], extra: Pair) => Value,
  { target, reach, strides, padding }: Cut,
): Value {
  const behind = (axis: 0 | 1) =>
    padding === 'SAME' ? Math.max(strides[axis] - reach[axis], 0) : strides[axis] - 1;
  const full = spread([0, 0, 0, 0], [behind(0), behind(1)]);
  const before =
    padding === 'SAME'
      ? sameBefore(graph, target, reach, strides)
      : graph.ints(padding === 'VALID' ? [0, 0] : padding.slice(0, 2));
  return graph.op(Slice, [full, before, graph.op(Add, [before, target]), graph.ints([2, 3])]);
}

/**
 * Half of what SAME adds: of the kernel beyond the stride, and of what the target lacks to a whole number of strides. A
 * remainder, as the difference of two symbols is not known to be positive.
 */
function sameBefore(graph: Graph, target: Value, reach: Pair, strides: Pair): Value {
  const turned = graph.op(Mul, [target, graph.ints(strides.map((stride) => stride - 1))]);
  const lack = graph.op(Mod, [turned, graph.ints(strides)]);
  const total = graph.op(Add, [lack, graph.ints(strides.map((stride, axis) => (reach[axis] ?? 0) - stride))]);
  const added = strides.some((stride, axis) => stride > (reach[axis] ?? 0))
    ? graph.op(Max, [total, graph.ints([0])])
    : total;
  return graph.op(Div, [added, graph.ints([2])]);
}
