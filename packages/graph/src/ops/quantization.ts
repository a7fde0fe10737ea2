/** From floats to 8-bit integers and back: the pair around which runtimes run an operator on integers. No gradients. */
import { agreeShapes } from '../dim.js';
import type { Value } from '../graph.js';
import { defineOp, type InferContext } from '../op-definition.js';
import { axisOf } from './access.js';

/** A scale is a scalar, or a vector along the axis (default 1); the zero point has its shape. */
function checkScale({ inputs, fail }: InferContext, axis: number): void {
  const [x, scale, zeroPoint] = inputs as [Value, Value, Value?];
  if (scale.dtype !== 'float32') fail(`expected a float32 scale, got ${scale.dtype}`);
  const vector = scale.shape.length > 0 && !agreeShapes(scale.shape, [1]);
  const along = vector ? x.shape[axisOf(axis, x.shape.length, fail)] : undefined;
  if (along !== undefined && !agreeShapes(scale.shape, [along]))
    fail('expected one scale, or one for each place of the axis');
  if (zeroPoint && !agreeShapes(zeroPoint.shape, scale.shape)) fail('expected a zero point for each scale');
}

/** x float32, scale, zero point uint8 (default) or int8 → round(x / scale) + zero point, held in that type. */
export const QuantizeLinear = defineOp({
  name: 'QuantizeLinear',
  arity: [2, 3],
  attributes: { axis: 'int' },
  infer: (context) => {
    const [x, , zeroPoint] = context.inputs as [Value, Value, Value?];
    const dtype = zeroPoint?.dtype ?? 'uint8';
    if (x.dtype !== 'float32' && x.dtype !== 'int32') context.fail(`expected float32, got ${x.dtype}`);
    if (dtype !== 'uint8' && dtype !== 'int8') context.fail(`expected an 8-bit zero point, got ${dtype}`);
    checkScale(context, context.attributes.axis ?? 1);
    return [{ dtype, shape: x.shape }];
  },
});

/** x uint8, int8 or int32, scale, zero point of x's type → (x − zero point) · scale, float32. */
export const DequantizeLinear = defineOp({
  name: 'DequantizeLinear',
  arity: [2, 3],
  attributes: { axis: 'int' },
  infer: (context) => {
    const [x, , zeroPoint] = context.inputs as [Value, Value, Value?];
    if (!['uint8', 'int8', 'int32'].includes(x.dtype)) context.fail(`expected integers, got ${x.dtype}`);
    if (zeroPoint && zeroPoint.dtype !== x.dtype)
      context.fail(`expected a zero point of ${x.dtype}, got ${zeroPoint.dtype}`);
    checkScale(context, context.attributes.axis ?? 1);
    return [{ dtype: 'float32', shape: x.shape }];
  },
});
