/**
 * Activations. The gradients use the output where they can, not the input, so that the input's memory can be taken
 * again. Relu's uses the input: it mostly follows a normalisation, whose own gradient keeps that. Those that only
 * exported models use have none.
 */
import { agreeShapes } from '../dim.js';
import type { Value } from '../graph.js';
import { type AttributeSchema, defineOp, type GradientContext } from '../op-definition.js';
import { toNumbers } from '../tensor.js';
import { axisOf, checkSameType, gradOf, inputOf, outputOf, refuseGradient, sameAsInput } from './access.js';
import { broadcast, Mul, Sub } from './arithmetic.js';
import { Cast, Greater, onnxTypes, Where } from './logic.js';

function activation<const A extends AttributeSchema>(
  name: string,
  attributes: A,
  gradient?: (context: GradientContext) => Value,
) {
  return defineOp<A>({
    name,
    arity: [1, 1],
    attributes,
    infer: sameAsInput,
    ...(gradient ? { gradient: (context: GradientContext) => [gradient(context)] } : {}),
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

/** ONNX's default alpha is 1. */
export const Elu = activation('Elu', { alpha: 'float' });
export const Celu = activation('Celu', { alpha: 'float' });
/** ONNX's defaults are the paper's 1.67326… and 1.0507…. */
export const Selu = activation('Selu', { alpha: 'float', gamma: 'float' });
/** max(0, min(1, alpha · x + beta)), by default with 0.2 and 0.5. */
export const HardSigmoid = activation('HardSigmoid', { alpha: 'float', beta: 'float' });
/** x · max(0, min(1, x / 6 + 0.5)). */
export const HardSwish = activation('HardSwish', {});
export const Softsign = activation('Softsign', {});
export const ThresholdedRelu = activation('ThresholdedRelu', { alpha: 'float' });

/** Normalises along one axis, by default the last. */
function alongAxis(name: string) {
  return defineOp({
    name,
    arity: [1, 1],
    attributes: { axis: 'int' },
    infer: (context) => {
      const { inputs, attributes, fail } = context;
      axisOf(attributes.axis ?? -1, (inputs[0] as Value).shape.length, fail);
      return sameAsInput(context);
    },
  });
}

export const Softmax = alongAxis('Softmax');
export const LogSoftmax = alongAxis('LogSoftmax');

/** x where it is not negative, else slope · x; the slope broadcasts to x. */
export const PRelu = defineOp({
  name: 'PRelu',
  arity: [2, 2],
  attributes: {},
  infer: (context) => {
    const [x, slope] = context.inputs as [Value, Value];
    checkSameType(context);
    const shape = broadcast(x.shape, slope.shape);
    if (!shape || !agreeShapes(shape, x.shape)) context.fail('expected a slope that broadcasts to the input');
    return sameAsInput(context);
  },
});

/** Inputs: x, least and most; the bounds are scalars, and may be left out. */
export const Clip = defineOp({
  name: 'Clip',
  arity: [1, 3],
  attributes: {},
  infer: (context) => {
    checkSameType(context);
    const wide = context.inputs.slice(1).some((bound) => bound?.shape.some((dim) => dim !== 1));
    if (wide) context.fail('expected bounds that are scalars');
    return sameAsInput(context);
  },
});

/** Inputs: x, ratio, training mode. Out of training it does nothing; in training it is refused. */
export const Dropout = defineOp({
  name: 'Dropout',
  arity: [1, 3],
  attributes: { seed: 'int' },
  infer: (context) => {
    const training = context.inputs[2];
    if (training && !(training.constant && toNumbers(training.constant).every((flag) => flag === 0))) {
      context.fail('expected training_mode false');
    }
    return sameAsInput(context);
  },
});
