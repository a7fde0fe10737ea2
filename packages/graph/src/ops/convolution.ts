/**
 * Convolutions in two dimensions. The gradient by the weights unfolds the input into a matrix and leaves the
 * arithmetic to Gemm, which runs twice as fast on CPUs as a Conv with swapped axes.
 */
import {
  addDim,
  agreedDim,
  agreeShapes,
  type Dim,
  formatDim,
  formatShape,
  sameShape,
  scaleDim,
} from '../dim.js';
import type { Graph, Value } from '../graph.js';
import {
  type Attributes,
  defineOp,
  type GradientContext,
  type InferContext,
  type InputGradients,
} from '../op-definition.js';
import { tensor } from '../tensor.js';
import { checkSameType, gradOf, inputOf, refuseGradient, sizeAt, sizesOf } from './access.js';
import { Gemm, MatMul } from './linear.js';
import { Pad } from './padding.js';
import { ReduceSum } from './reduction.js';
import { Concat, Reshape, Transpose } from './shape.js';
import { Slice } from './slice.js';
import { type Axis, autoPadOf, checkList, windowCount } from './window.js';

const attributes = {
  kernel_shape: 'ints',
  strides: 'ints',
  pads: 'ints',
  dilations: 'ints',
  group: 'int',
  auto_pad: 'string',
} as const;
const transposedAttributes = { ...attributes, output_padding: 'ints', output_shape: 'ints' } as const;

type ConvAttributes = Attributes<typeof transposedAttributes>;

/** The lists among them: how many numbers, and the least of each. */
const lists = [
  ['strides', 2, 1],
  ['pads', 4, 0],
  ['dilations', 2, 1],
  ['output_padding', 2, 0],
  ['output_shape', 2, 1],
] as const;

/** Attributes with ONNX's defaults; pads are [top, left, bottom, right]. */
function geometry(given: ConvAttributes) {
  const {
    strides = [1, 1],
    pads = [0, 0, 0, 0],
    dilations = [1, 1],
    group = 1,
    output_padding = [0, 0],
  } = given;
  const [sh = 1, sw = 1] = strides;
  const [top = 0, left = 0, bottom = 0, right = 0] = pads;
  const [dh = 1, dw = 1] = dilations;
  const [oh = 0, ow = 0] = output_padding;
  return {
    stride: [sh, sw],
    pad: [top + bottom, left + right],
    pads: [top, left, bottom, right],
    dilation: [dh, dw],
    extra: [oh, ow],
    group,
  } as const;
}

type Geometry = ReturnType<typeof geometry>;

/** Of a node that is being differentiated: its pads must be said. */
function explicitGeometry(c: GradientContext): Geometry {
  const given: ConvAttributes = c.node.attributes;
  if ((given.auto_pad ?? 'NOTSET') !== 'NOTSET' || given.output_shape) {
    refuseGradient(c, `expected explicit pads, got ${given.output_shape ? 'output_shape' : 'auto_pad'}`);
  }
  return geometry(given);
}
/** Holds inputs and attributes against each other; of the weights' first two axes, `outputAxis` holds the outputs. */
function checkConvolution(context: InferContext, outputAxis: 0 | 1) {
  const { inputs, fail } = context;
  const given: ConvAttributes = context.attributes;
  const [x, w, bias] = inputs as readonly [Value, Value, Value?];
  checkSameType(context);
  if (x.shape.length !== 4 || w.shape.length !== 4) fail('expected an NCHW input and weights of rank 4');
  const autoPad = autoPadOf(context, given.auto_pad);
  for (const [name, length, least] of lists) checkList(context, name, given[name], length, least);
  const g = geometry(given);
  if (!(g.group >= 1)) fail(`expected a group from 1, got ${g.group}`);
  const [first, second] = w.shape as readonly [Dim, Dim];
  // One of the two axes goes through all channels, the other through those of one group.
  const [channels, outputs] =
    outputAxis === 0 ? [scaleDim(second, g.group), first] : [first, scaleDim(second, g.group)];
  if (agreedDim(x.shape[1] as Dim, channels) === undefined) {
    fail(`expected ${formatDim(channels)} input channels, got ${formatDim(x.shape[1] as Dim)}`);
  }
  if (typeof first === 'number' && first % g.group !== 0) fail(`expected group to divide ${first}`);
  if (bias && !agreeShapes(bias.shape, [outputs])) {
    fail(`expected a bias of [${formatDim(outputs)}], got ${formatShape(bias.shape)}`);
  }
  const kernel = w.shape.slice(2);
  if (!sameShape(given.kernel_shape ?? kernel, kernel)) {
    fail(`expected the weights' kernel_shape, got [${given.kernel_shape?.join(', ')}]`);
  }
  /** Input pixels from the first to the last that a window takes in. */
  const reach = (axis: Axis): number => {
    const size = kernel[axis];
    return typeof size === 'number'
      ? (size - 1) * g.dilation[axis] + 1
      : fail('expected a fixed kernel size');
  };
  return { x, g, outputs, reach, autoPad };
}

type Pair = readonly [number, number];

/** One sum over all pixels p of both factors: result[m, n, tap] = Σ left[m, p] · right[n, start(tap) + stride · p]. */
interface Correlation {
  left: Value;
  /** Padded already, so that every window lies inside. */
  right: Value;
  kernel: Pair;
  stride: Pair;
}

/**
 * Correlates by unfolding: the right factor's columns are copied once for each tap of a kernel's row, and its rows
 * are then contiguous windows, so that kh Gemms do the work of kh·kw with a third of the copying. Samples add up
 * through Gemm's third input. Result [left channels, right channels, kh, kw].
 */
function correlate(c: GradientContext, { left, right, kernel: [kh, kw], stride }: Correlation): Value {
  const graph = c.graph;
  const [batch, m, height, width] = sizes4(c, left);
  const [, n, rightHeight] = sizes4(c, right);
  const reach = (size: number, axis: Axis) => (size - 1) * stride[axis] + 1;
  const columns = Array.from({ length: kw }, (_, j) => {
    const shown = slice(graph, right, [{ axis: 3, start: j, end: j + reach(width, 1), step: stride[1] }]);
    return graph.op(Reshape, [shown, graph.ints([batch, n, 1, rightHeight, width])]);
  });
  const unfolded = graph.op(Concat, columns, { axis: 2 });
  const factors = Array.from({ length: batch }, (_, sample) =>
    matrix(
      graph,
      batch === 1 ? left : slice(graph, left, [{ axis: 0, start: sample, end: sample + 1 }]),
      m,
      height * width,
    ),
  );
  const rows = Array.from({ length: kh }, (_, i) => {
    const window = { axis: 3, start: i, end: i + reach(height, 0), step: stride[0] };
    let sum: Value | undefined;
    for (const [sample, factor] of factors.entries()) {
      const picked = batch === 1 ? [window] : [{ axis: 0, start: sample, end: sample + 1 }, window];
      const shown = matrix(graph, slice(graph, unfolded, picked), n * kw, height * width);
      sum = graph.op(Gemm, sum ? [factor, shown, sum] : [factor, shown], { transB: 1 });
    }
    return graph.op(Reshape, [sum, graph.ints([m, n, 1, kw])]);
  });
  return graph.op(Concat, rows, { axis: 2 });
}

/** The gradient by the weights of a convolution from x to dy: [K, C, kh, kw]. */
function weightGradient(c: GradientContext, x: Value, dy: Value, w: Value, geo: Geometry): Value {
  const graph = c.graph;
  const [k, channels, kh, kw] = sizes4(c, w);
  if (geo.group !== 1 || geo.dilation.some((d) => d !== 1)) {
    refuseGradient(
      c,
      `expected one group and no dilation, got ${geo.group} and [${geo.dilation.join(', ')}]`,
    );
  }
  const padded = pad4(graph, x, geo.pads);
  if (k < channels && geo.stride[0] === 1 && geo.stride[1] === 1) {
    // Few outputs (a generator's last layer, a discriminator's): unfolding dY takes k/channels of the memory. The
    // taps then come out in reverse.
    const spread = pad4(graph, dy, [kh - 1, kw - 1, kh - 1, kw - 1]);
    const taps = correlate(c, { left: padded, right: spread, kernel: [kh, kw], stride: [1, 1] });
    const swapped = graph.op(Transpose, [taps], { perm: [1, 0, 2, 3] });
    const flat = graph.op(Reshape, [swapped, graph.ints([k, channels, kh * kw])]);
    const turned = graph.op(MatMul, [flat, reversal(graph, kh * kw)]);
    return graph.op(Reshape, [turned, graph.ints([k, channels, kh, kw])]);
  }
  return correlate(c, { left: dy, right: padded, kernel: [kh, kw], stride: geo.stride });
}

/** Up to this many pixels a transposed convolution is faster than turning the weights round. */
const flipFromPixels = 1024;

/**
 * The gradient by the input. At stride 1 it is a Conv with the weights turned round, which CPUs run faster than a
 * ConvTranspose where pixels are many or the outputs few; else a ConvTranspose.
 */
function inputGradient(c: GradientContext, x: Value, dy: Value, w: Value, geo: Geometry): Value {
  const graph = c.graph;
  const [k, channels, kh, kw] = sizes4(c, w);
  const [batch, , height, width] = sizes4(c, dy);
  const [top, left, bottom, right] = geo.pads;
  const [above, before, below, after] = [kh - 1 - top, kw - 1 - left, kh - 1 - bottom, kw - 1 - right];
  const plain = geo.group === 1 && [...geo.stride, ...geo.dilation].every((n) => n === 1);
  const worthwhile = k < channels || batch * height * width >= flipFromPixels;
  if (plain && worthwhile && Math.min(above, before, below, after) >= 0) {
    const taps = graph.op(Reshape, [w, graph.ints([k, channels, kh * kw])]);
    const turned = graph.op(MatMul, [taps, reversal(graph, kh * kw)]);
    const swapped = graph.op(Transpose, [turned], { perm: [1, 0, 2] });
    const weights = graph.op(Reshape, [swapped, graph.ints([channels, k, kh, kw])]);
    return graph.op(Conv, [dy, weights], { kernel_shape: [kh, kw], pads: [above, before, below, after] });
  }
  const rest = (axis: Axis, out: number, taps: number) => {
    const covered = (out - 1) * geo.stride[axis] - geo.pad[axis] + (taps - 1) * geo.dilation[axis] + 1;
    return sizeAt(c, x, axis + 2) - covered;
  };
  return graph.op(ConvTranspose, [dy, w], {
    strides: geo.stride,
    pads: geo.pads,
    dilations: geo.dilation,
    group: geo.group,
    output_padding: [rest(0, height, kh), rest(1, width, kw)],
  });
}

/** The matrix that reverses the order of n elements, on either side. */
function reversal(graph: Graph, n: number): Value {
  return graph.sharedConstant(`reversal ${n}`, () => {
    const data = new Float32Array(n * n);
    for (let i = 0; i < n; i++) data[i * n + n - 1 - i] = 1;
    return tensor('float32', [n, n], data);
  });
}

function pad4(
  graph: Graph,
  x: Value,
  [top, left, bottom, right]: readonly [number, number, number, number],
): Value {
  if (top + left + bottom + right === 0) return x;
  return graph.op(Pad, [x, graph.ints([0, 0, top, left, 0, 0, bottom, right])]);
}

interface Cut {
  axis: number;
  start: number;
  end: number;
  step?: number;
}

function slice(graph: Graph, x: Value, cuts: readonly Cut[]): Value {
  const lists = [
    cuts.map(({ start }) => start),
    cuts.map(({ end }) => end),
    cuts.map(({ axis }) => axis),
    cuts.map(({ step = 1 }) => step),
  ];
  return graph.op(Slice, [x, ...lists.map((list) => graph.ints(list))]);
}

function sizes4(c: GradientContext, value: Value): [number, number, number, number] {
  return sizesOf(c, value) as [number, number, number, number];
}

function matrix(graph: Graph, x: Value, rows: number, columns: number): Value {
  return graph.op(Reshape, [x, graph.ints([rows, columns])]);
}

function biasGradient(c: GradientContext): Value | undefined {
  return c.needs[2]
    ? c.graph.op(ReduceSum, [gradOf(c), c.graph.ints([0, 2, 3])], { keepdims: 0 })
    : undefined;
}

/** X [N, C, H, W], W [K, C/group, kh, kw], B [K] → [N, K, Ho, Wo]. */
export const Conv = defineOp({
  name: 'Conv',
  arity: [2, 3],
  attributes,
  infer: (context) => {
    const { x, g, outputs, reach, autoPad } = checkConvolution(context, 0);
    const size = (axis: Axis) => {
      const window = {
        reach: reach(axis),
        stride: g.stride[axis],
        pads: [g.pads[axis], g.pads[axis + 2] ?? 0],
      } as const;
      return windowCount(context, x.shape[axis + 2] as Dim, window, autoPad);
    };
    return [{ dtype: x.dtype, shape: [x.shape[0] as Dim, outputs, size(0), size(1)] }];
  },
  gradient: (c): InputGradients => {
    const [x, w, dy] = [inputOf(c, 0), inputOf(c, 1), gradOf(c)];
    const geo = explicitGeometry(c);
    return [
      c.needs[0] ? inputGradient(c, x, dy, w, geo) : undefined,
      c.needs[1] ? weightGradient(c, x, dy, w, geo) : undefined,
      biasGradient(c),
    ];
  },
});

/** X [N, C, H, W], W [C, K/group, kh, kw], B [K] → [N, K, (H−1)·s − pads + kh + output_padding, …]. */
export const ConvTranspose = defineOp({
  name: 'ConvTranspose',
  arity: [2, 3],
  attributes: transposedAttributes,
  infer: (context) => {
    const { x, g, outputs, reach, autoPad } = checkConvolution(context, 1);
    const wanted = context.attributes.output_shape;
    const size = (axis: Axis): Dim => {
      if (wanted) return wanted[axis] ?? 0;
      const dim = x.shape[axis + 2] as Dim;
      if (autoPad === 'SAME') return scaleDim(dim, g.stride[axis]);
      const pad = autoPad === 'VALID' ? 0 : g.pad[axis];
      return addDim(scaleDim(addDim(dim, -1), g.stride[axis]), reach(axis) - pad + g.extra[axis]);
    };
    return [{ dtype: x.dtype, shape: [x.shape[0] as Dim, outputs, size(0), size(1)] }];
  },
  gradient: (c): InputGradients => {
    const [x, w, dy] = [inputOf(c, 0), inputOf(c, 1), gradOf(c)];
    const geo = explicitGeometry(c);
    const { stride: strides, pads, dilation: dilations, group, extra } = geo;
    // A Conv would then find more windows than x has pixels.
    if (extra.some((n, axis) => n >= strides[axis as Axis])) {
      refuseGradient(c, `expected output_padding below the strides, got [${extra.join(', ')}]`);
    }
    return [
      c.needs[0] ? c.graph.op(Conv, [dy, w], { strides, pads, dilations, group }) : undefined,
      c.needs[1] ? weightGradient(c, dy, x, w, geo) : undefined,
      biasGradient(c),
    ];
  },
});
