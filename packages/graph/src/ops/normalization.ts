/**
 * Normalisations: fused operators for inference. The gradient of InstanceNormalization needs 1/σ, which the fused
 * operator keeps to itself, so that differentiating puts the elementary operators in its place.
 */
import { type Dim, sameDim } from '../dim.js';
import type { Value } from '../graph.js';
import { defineOp, type InputGradients } from '../op-definition.js';
import { toNumbers } from '../tensor.js';
import { checkSameType, gradOf, inputOf, outputOf, refuseGradient } from './access.js';
import { Add, Div, Mul, Sqrt, Sub } from './arithmetic.js';
import { ReduceMean } from './reduction.js';

const spatial = { axes: [2, 3], keepdims: 1 };

/** X [N, C, H, W], scale [C], B [C]; per sample and channel over H and W, biased variance, default epsilon 1e-5. */
export const InstanceNormalization = defineOp({
  name: 'InstanceNormalization',
  arity: [3, 3],
  attributes: { epsilon: 'float' },
  infer: (context) => {
    const [x, scale, bias] = context.inputs as [Value, Value, Value];
    checkSameType(context);
    const fits = (vector: Value) =>
      vector.shape.length === 1 && sameDim(vector.shape[0] as Dim, x.shape[1] as Dim);
    if (x.shape.length !== 4 || !fits(scale) || !fits(bias)) {
      context.fail('expected NCHW and two vectors of C elements');
    }
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: (c): InputGradients => {
    const { graph, node } = c;
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
    const fits = ({ shape }: Value) =>
      shape.length === 1 && x.shape.length > 1 && sameDim(shape[0] as Dim, x.shape[1] as Dim);
    if (!vectors.every(fits)) context.fail('expected four vectors of as many elements as channels');
    if (context.attributes.training_mode) context.fail('expected training_mode 0');
    return [{ dtype: x.dtype, shape: x.shape }];
  },
});
