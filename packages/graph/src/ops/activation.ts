/**
 * Activations. The gradients use the output where they can, not the input, so that the input's memory can be taken
 * again. Relu's uses the input: it mostly follows a normalisation, whose own gradient keeps that.
 */
import type { Value } from '../graph.js';
import { type AttributeSchema, defineOp, type GradientContext } from '../op-definition.js';
import { gradOf, inputOf, outputOf, refuseGradient } from './access.js';
import { Mul, Sub } from './arithmetic.js';
import { Cast, Greater, onnxTypes, Where } from './logic.js';

function activation<const A extends AttributeSchema>(
  name: string,
  attributes: A,
  gradient: (context: GradientContext) => Value,
) {
  return defineOp<A>({
    name,
    arity: [1, 1],
    attributes,
    infer: ({ inputs }) => {
      const { dtype, shape } = inputs[0] as Value;
      return [{ dtype, shape }];
    },
    gradient: (context) => [gradient(context)],
  });
}

export const Relu = activation('Relu', {}, (c) => {
  const positive = c.graph.op(Greater, [inputOf(c, 0), c.graph.float(0)]);
  // On CPUs two thirds of what Where takes.
  return c.graph.op(Mul, [gradOf(c), c.graph.op(Cast, [positive], { to: onnxTypes.float32 })]);
});

/** ONNX's default slope is 0.01. */
export const LeakyRelu = activation('LeakyRelu', { alpha: 'float' }, (c) => {
  const { alpha = 0.01 } = c.node.attributes as { alpha?: number };
  // The sign of the output then tells that of the input.
  if (!(alpha >= 0)) refuseGradient(c, `expected a slope from 0, got ${alpha}`);
  const slope = c.graph.float(alpha);
  const positive = c.graph.op(Greater, [outputOf(c), c.graph.float(0)]);
  return c.graph.op(Where, [positive, gradOf(c), c.graph.op(Mul, [gradOf(c), slope])]);
});

export const Tanh = activation('Tanh', {}, (c) => {
  const squared = c.graph.op(Mul, [outputOf(c), outputOf(c)]);
  return c.graph.op(Mul, [gradOf(c), c.graph.op(Sub, [c.graph.float(1), squared])]);
});

export const Sigmoid = activation('Sigmoid', {}, (c) => {
  const slope = c.graph.op(Mul, [outputOf(c), c.graph.op(Sub, [c.graph.float(1), outputOf(c)])]);
  return c.graph.op(Mul, [gradOf(c), slope]);
});

/** log(1 + eˣ): the vanilla GAN loss on logits, without overflow. */
export const Softplus = activation('Softplus', {}, (c) =>
  c.graph.op(Mul, [gradOf(c), c.graph.op(Sigmoid, [inputOf(c, 0)])]),
);
