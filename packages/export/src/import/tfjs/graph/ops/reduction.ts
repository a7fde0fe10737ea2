/** Reductions along constant axes. */
import {
  ArgMax,
  ReduceL2,
  ReduceMax,
  ReduceMean,
  ReduceMin,
  ReduceProd,
  ReduceSum,
  type Value,
} from '@cyclegan/graph';
import { axisOf, type Call, type Converter, numbers } from '../call.js';

type Build = (call: Call, axes: readonly number[], keepdims: number) => Value;

function reduction(build: Build): Converter {
  return (call) => {
    const x = call.input(0);
    const axes = numbers(call, 1, 'axes').map((axis) => axisOf(call, axis, x.shape.length));
    // No axes mean none here, and all of them in ONNX.
    return axes.length === 0 ? x : build(call, axes, call.attributes.bool('keep_dims', false) ? 1 : 0);
  };
}

const byAttribute = (op: typeof ReduceMean | typeof ReduceMax): Converter =>
  reduction(({ graph, input }, axes, keepdims) => graph.op(op, [input(0)], { axes, keepdims }));

export const reductions: Readonly<Record<string, Converter>> = {
  Mean: byAttribute(ReduceMean),
  Max: byAttribute(ReduceMax),
  Min: byAttribute(ReduceMin),
  Prod: byAttribute(ReduceProd),
  EuclideanNorm: byAttribute(ReduceL2),
  Sum: reduction(({ graph, input }, axes, keepdims) =>
    graph.op(ReduceSum, [input(0), graph.ints(axes)], { keepdims }),
  ),
  ArgMax: (call) => {
    const [axis = 0] = numbers(call, 1, 'an axis');
    return call.graph.op(ArgMax, [call.input(0)], {
      axis: axisOf(call, axis, call.input(0).shape.length),
      keepdims: 0,
    });
  },
};
