/** Resize by constant scales; the gradient is there for nearest-neighbour enlargement by whole factors. */
import { type Dim, floorDivDim, scaleDim } from '../dim.js';
import type { Value } from '../graph.js';
import { type Attributes, defineOp, type GradientContext, type InputGradients } from '../op-definition.js';
import { toNumbers } from '../tensor.js';
import { gradOf, inputOf, refuseGradient, sizesOf } from './access.js';
import { ReduceSum } from './reduction.js';
import { Reshape } from './shape.js';

const attributes = {
  mode: 'string',
  nearest_mode: 'string',
  coordinate_transformation_mode: 'string',
} as const;

/** Whether each input element is shown as one whole block: so with whole scales, in these modes alone. */
function showsBlocks(given: Attributes<typeof attributes>, scales: readonly number[]): boolean {
  const {
    mode = 'nearest',
    nearest_mode: nearest = 'round_prefer_floor',
    coordinate_transformation_mode: coordinates = 'half_pixel',
  } = given;
  const modes = `${coordinates}, ${nearest}`;
  const rounds = modes === 'asymmetric, floor' || /^half_pixel, round_prefer_(floor|ceil)$/.test(modes);
  return mode === 'nearest' && rounds && scales.every(Number.isInteger);
}

function scalesOf(value: Value | undefined): number[] | undefined {
  return value?.constant?.dtype === 'float32' ? toNumbers(value.constant) : undefined;
}

/** Inputs: X, roi (left out), scales float32, one for each axis. */
export const Resize = defineOp({
  name: 'Resize',
  arity: [3, 3],
  skippable: [1],
  attributes,
  infer: ({ inputs, fail }) => {
    const { dtype, shape } = inputs[0] as Value;
    const scales = scalesOf(inputs[2]) ?? fail('expected constant scales of float32');
    if (scales.length !== shape.length) fail(`expected ${shape.length} scales, got ${scales.length}`);
    const resized = shape.map((dim: Dim, i) => {
      const scale = scales[i] ?? 1;
      if (!(scale > 0)) fail(`expected scales above 0, got ${scale}`);
      if (Number.isInteger(scale)) return scaleDim(dim, scale);
      // As onnxruntime computes it: 10 · 0.7 is 7 in float32, and less in float64.
      if (typeof dim === 'number') return Math.floor(Math.fround(dim * scale));
      const divisor = 1 / scale;
      return Number.isInteger(divisor) ? floorDivDim(dim, divisor) : fail(`no symbolic size times ${scale}`);
    });
    return [{ dtype, shape: resized }];
  },
  gradient: (c: GradientContext): InputGradients => {
    const x = inputOf(c, 0);
    const scales = scalesOf(inputOf(c, 2)) ?? [];
    if (!showsBlocks(c.node.attributes, scales)) {
      refuseGradient(c, `expected nearest enlargement by whole factors, got scales [${scales.join(', ')}]`);
    }
    const blocks = sizesOf(c, x).flatMap((size, axis) => [size, scales[axis] ?? 1]);
    const within = x.shape.map((_, axis) => 2 * axis + 1);
    const split = c.graph.op(Reshape, [gradOf(c), c.graph.ints(blocks)]);
    return [c.graph.op(ReduceSum, [split, c.graph.ints(within)], { keepdims: 0 })];
  },
});
