/**
 * Normalisations: fused operators for inference. The gradient of InstanceNormalization needs 1/σ, which the fused
 * operator keeps to itself, so that differentiating puts the elementary operators in its place.
 */
import { agreeShapes } from '../dim.js';
import type { Value } from '../graph.js';
import { defineOp, type InputGradients } from '../op-definition.js';
import { toNumbers } from '../tensor.js';
import { axisOf, checkSameType, gradOf, inputOf, outputOf, refuseGradient, sameAsInput } from './access.js';
import { Add, broadcast, Div, Mul, Sqrt, Sub } from './arithmetic.js';
import { ReduceMean } from './reduction.js';

/** X [N, C, …], scale [C], B [C]; per sample and channel over the axes behind, biased variance, default epsilon 1e-5. */
export const InstanceNormalization = defineOp({
  name: 'InstanceNormalization',
  arity: [3, 3],
  attributes: { epsilon: 'float' },
  infer: (context) => {
    const [x, scale, bias] = context.inputs as [Value, Value, Value];
    checkSameType(context);
    const fits = (vector: Value) => agreeShapes(vector.shape, x.shape.slice(1, 2));
    if (x.shape.length < 3 || !fits(scale) || !fits(bias)) {
      context.fail('expected NCHW and two vectors of C elements');
    }
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: (c): InputGradients => {
    const { graph, node } = c;
    const spatial = {
      axes: inputOf(c, 0)
        .shape.map((_, axis) => axis)
        .slice(2),
      keepdims: 1,
    };
    const [x, dy, y] = [inputOf(c, 0), gradOf(c), outputOf(c)];
    const isPlain = (i: number, value: number) => {
      const { constant } = inputOf(c, i);
      return constant !== undefined && toNumbers(constant).every((element) => element === value);
    };
    if (!isPlain(1, 1) || !isPlain(2, 0)) refuseGradient(c, 'expected a constant scale of 1 and bias of 0');
    const { epsilon = 1e-5 } = node.attributes as { epsilon?: number };
    const inverseDeviation = graph.replace(node, () => {
      const centred = graph.op(Sub, [x, graph.op(ReduceMean, [x], spatial)]);
      const variance = graph.op(ReduceMean, [graph.op(Mul, [centred, centred])], spatial);
      // Not 1/√: onnxruntime would divide by the root where it is read once alone, with another rounding.
      const inverse = graph.op(Div, [graph.float(1), graph.op(Add, [variance, graph.float(epsilon)])]);
      const result = graph.op(Sqrt, [inverse]);
      return { output: graph.op(Mul, [centred, result]), result };
    });
    // dX = (dY − mean(dY) − y · mean(dY · y)) / σ
    const meanGrad = graph.op(ReduceMean, [dy], spatial);
    const correlation = graph.op(ReduceMean, [graph.op(Mul, [dy, y])], spatial);
    const residue = graph.op(Sub, [graph.op(Sub, [dy, meanGrad]), graph.op(Mul, [y, correlation])]);
    return [graph.op(Mul, [residue, inverseDeviation]), undefined, undefined];
  },
});

/**
 * X [N, C, …]; scale, B, running mean and variance [C]; default epsilon 1e-5. The inference form alone: in training
 * the batch's statistics are elementary operators, which have gradients.
 */
export const BatchNormalization = defineOp({
  name: 'BatchNormalization',
  arity: [5, 5],
  attributes: { epsilon: 'float', momentum: 'float', training_mode: 'int' },
  infer: (context) => {
    const [x, ...vectors] = context.inputs as [Value, ...Value[]];
    checkSameType(context);
    const fits = ({ shape }: Value) => x.shape.length > 1 && agreeShapes(shape, x.shape.slice(1, 2));
    if (!vectors.every(fits)) context.fail('expected four vectors of as many elements as channels');
    if (context.attributes.training_mode) context.fail('expected training_mode 0');
    return [{ dtype: x.dtype, shape: x.shape }];
  },
});

/** X, scale, B (may be left out), which broadcast to X; over the axes from `axis` (default the last) on. */
export const LayerNormalization = defineOp({
  name: 'LayerNormalization',
  arity: [2, 3],
  attributes: { axis: 'int', epsilon: 'float', stash_type: 'int' },
  infer: (context) => {
    const { inputs, attributes, fail } = context;
    const [x, ...others] = inputs as [Value, ...Value[]];
    axisOf(attributes.axis ?? -1, x.shape.length, fail);
    checkSameType(context);
    for (const other of others) {
      const shape = broadcast(x.shape, other.shape);
      if (!shape || !agreeShapes(shape, x.shape))
        fail('expected a scale and bias that broadcast to the input');
    }
    return sameAsInput(context);
  },
});

/** Divides by the norm (p 1 or 2, default 2) along one axis, by default the last. */
export const LpNormalization = defineOp({
  name: 'LpNormalization',
  arity: [1, 1],
  attributes: { axis: 'int', p: 'int' },
  infer: (context) => {
    axisOf(context.attributes.axis ?? -1, (context.inputs[0] as Value).shape.length, context.fail);
    return sameAsInput(context);
  },
});
