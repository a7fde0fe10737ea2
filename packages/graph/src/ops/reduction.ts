/** Reductions. At opset 17 ReduceMean takes its axes as an attribute, ReduceSum as an input. */
import type { Dim } from '../dim.js';
import { productDim } from '../dim-product.js';
import { knownElements, MAX_ELEMENTS } from '../elements.js';
import type { Value } from '../graph.js';
import { defineOp, type GradientContext, type InferContext, type InputGradients } from '../op-definition.js';
import {
  axisOf,
  constantInput,
  gradOf,
  inputOf,
  parameters,
  refuseGradient,
  sameAsInput,
  sizesOf,
} from './access.js';
import { Mul } from './arithmetic.js';
import { Expand, Reshape } from './shape.js';

/** The axes reduced, counted from the front: all of them when none are given. */
function reducedAxes(axes: readonly number[] | undefined, rank: number, fail: (message: string) => never) {
  const given = axes?.length ? axes : Array.from({ length: rank }, (_, i) => i);
  return new Set(given.map((axis) => axisOf(axis, rank, fail)));
}

function inferReduced(
  { inputs, fail }: Pick<InferContext, 'inputs' | 'fail'>,
  axes: readonly number[] | undefined,
  keepdims: number,
) {
  const { dtype, shape } = inputs[0] as Value;
  const reduced = reducedAxes(axes, shape.length, fail);
  const kept = shape.flatMap((dim, i): Dim[] => (reduced.has(i) ? (keepdims ? [1] : []) : [dim]));
  return [{ dtype, shape: kept }];
}

/** Spreads a reduction's gradient over the input's shape; the mean's is divided by the elements that share it. */
function spread(c: GradientContext, axes: readonly number[] | undefined, mean: boolean): Value {
  const { graph } = c;
  const sizes = sizesOf(c, inputOf(c, 0));
  const reduced = reducedAxes(axes, sizes.length, (message) => refuseGradient(c, message));
  const count = sizes.reduce((product, size, i) => (reduced.has(i) ? product * size : product), 1);
  const scaled = mean ? graph.op(Mul, [gradOf(c), graph.float(1 / count)]) : gradOf(c);
  const kept = sizes.map((size, i) => (reduced.has(i) ? 1 : size));
  const grad = scaled.shape.length === sizes.length ? scaled : graph.op(Reshape, [scaled, graph.ints(kept)]);
  return graph.op(Expand, [grad, graph.ints(sizes)]);
}

export const ReduceSum = defineOp({
  name: 'ReduceSum',
  arity: [1, 2],
  attributes: { keepdims: 'int', noop_with_empty_axes: 'int' },
  infer: (context) => {
    const { keepdims = 1, noop_with_empty_axes: noop } = context.attributes;
    const axes = context.inputs[1] ? constantInput(context, 1, 'axes') : [];
    return axes.length === 0 && noop ? sameAsInput(context) : inferReduced(context, axes, keepdims);
  },
  gradient: (c): InputGradients => [spread(c, c.node.inputs[1] ? parameters(c, 1) : undefined, false)],
});

export const ReduceMean = defineOp({
  name: 'ReduceMean',
  arity: [1, 1],
  attributes: { axes: 'ints', keepdims: 'int' },
  infer: (context) => inferReduced(context, context.attributes.axes, context.attributes.keepdims ?? 1),
  gradient: (c): InputGradients => [
    spread(c, (c.node.attributes as { axes?: readonly number[] }).axes, true),
  ],
});

/** A reduction without gradient, over the axes of the attribute. */
function reduction(name: string) {
  return defineOp({
    name,
    arity: [1, 1],
    attributes: { axes: 'ints', keepdims: 'int' },
    infer: (context) => inferReduced(context, context.attributes.axes, context.attributes.keepdims ?? 1),
  });
}

export const ReduceMax = reduction('ReduceMax');
export const ReduceMin = reduction('ReduceMin');
export const ReduceL1 = reduction('ReduceL1');
export const ReduceL2 = reduction('ReduceL2');
export const ReduceSumSquare = reduction('ReduceSumSquare');

/** Of a shape's elements it gives how many there are. */
export const ReduceProd = defineOp({
  name: 'ReduceProd',
  arity: [1, 1],
  attributes: { axes: 'ints', keepdims: 'int' },
  infer: (context) => {
    const { axes, keepdims = 1 } = context.attributes;
    const x = context.inputs[0] as Value;
    const factors = x.dtype.startsWith('int') && x.shape.length === 1 ? knownElements(x) : undefined;
    return inferReduced(context, axes, keepdims).map((result) => ({
      ...result,
      elements: factors && factors.length <= MAX_ELEMENTS ? [productDim(factors)] : undefined,
    }));
  },
});

/** An index along one axis, by default the first. */
function indexReduction(name: string) {
  return defineOp({
    name,
    arity: [1, 1],
    attributes: { axis: 'int', keepdims: 'int', select_last_index: 'int' },
    infer: (context) => {
      const { axis = 0, keepdims = 1 } = context.attributes;
      return inferReduced(context, [axis], keepdims).map(({ shape }) => ({ dtype: 'int64', shape }));
    },
  });
}

export const ArgMax = indexReduction('ArgMax');
export const ArgMin = indexReduction('ArgMin');
