/** Pools over H and W. MaxPool gives no indices here. No gradients: CycleGAN's networks have none of these. */
import type { Dim, Shape } from '../dim.js';
import type { Value } from '../graph.js';
import { type AttributeSchema, type Attributes, defineOp, type InferContext } from '../op-definition.js';
import { type Axis, autoPadOf, checkList, windowCount } from './window.js';

const attributes = {
  kernel_shape: 'ints',
  strides: 'ints',
  pads: 'ints',
  dilations: 'ints',
  auto_pad: 'string',
  ceil_mode: 'int',
} as const;

function inferPool(context: InferContext, given: Attributes<typeof attributes>) {
  const { dtype, shape } = context.inputs[0] as Value;
  if (shape.length !== 4) context.fail('expected an NCHW input');
  const { kernel_shape: kernel, strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1] } = given;
  if (!kernel) return context.fail('expected a kernel_shape');
  checkList(context, 'kernel_shape', kernel, 2, 1);
  checkList(context, 'strides', strides, 2, 1);
  checkList(context, 'pads', pads, 4, 0);
  checkList(context, 'dilations', dilations, 2, 1);
  const autoPad = autoPadOf(context, given.auto_pad);
  const size = (axis: Axis) =>
    windowCount(
      context,
      shape[axis + 2] as Dim,
      {
        reach: ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) + 1,
        stride: strides[axis] ?? 1,
        pads: [pads[axis] ?? 0, pads[axis + 2] ?? 0],
      },
      autoPad,
      Boolean(given.ceil_mode),
    );
  return [{ dtype, shape: [...shape.slice(0, 2), size(0), size(1)] as Shape }];
}

function pool<const A extends AttributeSchema>(name: string, more: A) {
  return defineOp({
    name,
    arity: [1, 1],
    attributes: { ...attributes, ...more },
    infer: (context) => inferPool(context, context.attributes as Attributes<typeof attributes>),
  });
}

export const MaxPool = pool('MaxPool', { storage_order: 'int' });
/** Opset 17's takes no dilations. */
export const AveragePool = pool('AveragePool', { count_include_pad: 'int' });

/** All of the spatial axes become 1. */
function globalPool(name: string) {
  return defineOp({
    name,
    arity: [1, 1],
    attributes: {},
    infer: ({ inputs, fail }) => {
      const { dtype, shape } = inputs[0] as Value;
      if (shape.length < 3) fail('expected an input with spatial axes');
      return [{ dtype, shape: shape.map((dim, axis) => (axis < 2 ? dim : 1)) }];
    },
  });
}

export const GlobalAveragePool = globalPool('GlobalAveragePool');
export const GlobalMaxPool = globalPool('GlobalMaxPool');
