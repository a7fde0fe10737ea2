/** Resize and sampling; the gradient of Resize is there for nearest-neighbour enlargement by whole factors. */
import { computedDim, type Dim, floorDim, formatDim, scaleDim } from '../dim.js';
import { knownElements } from '../elements.js';
import type { Value } from '../graph.js';
import { type Attributes, defineOp, type GradientContext, type InputGradients } from '../op-definition.js';
import {
  checkSameType,
  given,
  gradOf,
  inputOf,
  knownInput,
  oneOf,
  refuseGradient,
  sizesOf,
} from './access.js';
import { ReduceSum } from './reduction.js';
import { Reshape } from './shape.js';

const attributes = {
  mode: 'string',
  nearest_mode: 'string',
  coordinate_transformation_mode: 'string',
  cubic_coeff_a: 'float',
  exclude_outside: 'int',
  extrapolation_value: 'float',
} as const;
const nearestModes = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const;
const coordinateModes = [
  'half_pixel',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'tf_crop_and_resize',
] as const;

/** Whether each input element is shown as one whole block: so with whole scales, in these modes alone. */
function showsBlocks(set: Attributes<typeof attributes>, scales: readonly number[]): boolean {
  const {
    mode = 'nearest',
    nearest_mode: nearest = 'round_prefer_floor',
    coordinate_transformation_mode: coordinates = 'half_pixel',
  } = set;
  const modes = `${coordinates}, ${nearest}`;
  const rounds = modes === 'asymmetric, floor' || /^half_pixel, round_prefer_(floor|ceil)$/.test(modes);
  return mode === 'nearest' && rounds && scales.every(Number.isInteger);
}

function scalesOf(value: Value | undefined): readonly Dim[] | undefined {
  return value?.dtype === 'float32' ? knownElements(value) : undefined;
}

/** As onnxruntime computes it: 10 · 0.7 is 7 in float32, and less in float64. */
function scaledDim(dim: Dim, scale: Dim): Dim {
  if (typeof scale !== 'number') return computedDim(`floor((${formatDim(dim)})*(${formatDim(scale)}))`);
  return typeof dim === 'number' ? Math.floor(Math.fround(dim * scale)) : floorDim(scaleDim(dim, scale));
}

/**
 * Inputs: X, roi (for tf_crop_and_resize alone), scales float32 or sizes int64, one for each axis. In opset 17 these
 * last two exclude each other.
 */
export const Resize = defineOp({
  name: 'Resize',
  arity: [3, 4],
  skippable: [1, 2],
  attributes,
  infer: (context) => {
    const { inputs, attributes, fail } = context;
    const { dtype, shape } = inputs[0] as Value;
    oneOf(context, 'mode', attributes.mode, ['nearest', 'linear', 'cubic']);
    oneOf(context, 'nearest_mode', attributes.nearest_mode, nearestModes);
    const cropped =
      oneOf(context, 'mode', attributes.coordinate_transformation_mode, coordinateModes) ===
      'tf_crop_and_resize';
    if (inputs[3]) {
      if (given(context, 2)) fail('expected scales or sizes, got both');
      const sizes = knownInput(context, 3, 'sizes');
      if (sizes.length !== shape.length) fail(`expected ${shape.length} sizes, got ${sizes.length}`);
      return [{ dtype, shape: sizes }];
    }
    const scales = scalesOf(inputs[2]) ?? fail('expected constant scales of float32');
    if (scales.length !== shape.length) fail(`expected ${shape.length} scales, got ${scales.length}`);
    const wrong = scales.find((scale) => typeof scale === 'number' && !(scale > 0));
    if (wrong !== undefined) fail(`expected scales above 0, got ${formatDim(wrong)}`);
    if (cropped) fail('expected sizes with tf_crop_and_resize, got scales');
    return [{ dtype, shape: shape.map((dim, i) => scaledDim(dim, scales[i] ?? 1)) }];
  },
  gradient: (c: GradientContext): InputGradients => {
    const x = inputOf(c, 0);
    const scales = (scalesOf(inputOf(c, 2)) ?? []).map(Number);
    if (!showsBlocks(c.node.attributes, scales)) {
      refuseGradient(c, `expected nearest enlargement by whole factors, got scales [${scales.join(', ')}]`);
    }
    const blocks = sizesOf(c, x).flatMap((size, axis) => [size, scales[axis] ?? 1]);
    const within = x.shape.map((_, axis) => 2 * axis + 1);
    const split = c.graph.op(Reshape, [gradOf(c), c.graph.ints(blocks)]);
    return [c.graph.op(ReduceSum, [split, c.graph.ints(within)], { keepdims: 0 })];
  },
});

/** X [N, C, H, W] looked at where the grid [N, H', W', 2] says, in [-1, 1] → [N, C, H', W']. */
export const GridSample = defineOp({
  name: 'GridSample',
  arity: [2, 2],
  attributes: { mode: 'string', padding_mode: 'string', align_corners: 'int' },
  infer: (context) => {
    const [x, grid] = context.inputs as [Value, Value];
    checkSameType(context);
    oneOf(context, 'mode', context.attributes.mode, ['bilinear', 'nearest', 'bicubic']);
    oneOf(context, 'padding_mode', context.attributes.padding_mode, ['zeros', 'border', 'reflection']);
    if (x.shape.length !== 4 || grid.shape.length !== 4) context.fail('expected NCHW and a grid of rank 4');
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...grid.shape.slice(1, 3)] }];
  },
});
