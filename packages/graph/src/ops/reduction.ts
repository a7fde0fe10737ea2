/** Reductions. At opset 17 ReduceMean takes its axes as an attribute, ReduceSum as an input. */
import { type Dim, fixedShape } from '../dim.js';
import type { Graph, Value } from '../graph.js';
import { defineOp, type GradientContext, type InferContext, type InputGradients } from '../op-definition.js';
import { axisOf, constantInput, gradOf, inputOf, parameters, sizeAt } from './access.js';
import { Mul } from './arithmetic.js';
import { Expand, Reshape } from './shape.js';

function inferReduced({ inputs, fail }: InferContext, axes: readonly number[] | undefined, keepdims: number) {
  const { dtype, shape } = inputs[0] as Value;
  const reduced = new Set((axes ?? shape.map((_, i) => i)).map((axis) => axisOf(axis, shape.length, fail)));
  const kept = shape.flatMap((dim, i): Dim[] => (reduced.has(i) ? (keepdims ? [1] : []) : [dim]));
  return [{ dtype, shape: kept }];
}

/** Spreads a reduction's gradient over the input's shape. */
function spread(
  c: GradientContext,
  axes: readonly number[] | undefined,
  scale: (graph: Graph, dy: Value) => Value,
) {
  const x = inputOf(c, 0);
  const rank = x.shape.length;
  const reduced = new Set((axes ?? x.shape.map((_, i) => i)).map((axis) => (axis < 0 ? axis + rank : axis)));
  const sizes = fixedShape(x.shape, `gradient of ${c.node.name}`);
  const kept = sizes.map((size, i) => (reduced.has(i) ? 1 : size));
  const scaled = scale(c.graph, gradOf(c));
  const grad = scaled.shape.length === rank ? scaled : c.graph.op(Reshape, [scaled, c.graph.ints(kept)]);
  return c.graph.op(Expand, [grad, c.graph.ints(sizes)]);
}

export const ReduceSum = defineOp({
  name: 'ReduceSum',
  arity: [1, 2],
  attributes: { keepdims: 'int' },
  infer: (context) =>
    inferReduced(
      context,
      context.inputs[1] ? constantInput(context, 1, 'axes') : undefined,
      context.attributes.keepdims ?? 1,
    ),
  gradient: (c): InputGradients => [
    spread(c, c.node.inputs[1] ? parameters(c, 1) : undefined, (_, dy) => dy),
  ],
});

export const ReduceMean = defineOp({
  name: 'ReduceMean',
  arity: [1, 1],
  attributes: { axes: 'ints', keepdims: 'int' },
  infer: (context) => inferReduced(context, context.attributes.axes, context.attributes.keepdims ?? 1),
  gradient: (c): InputGradients => {
    const x = inputOf(c, 0);
    const { axes } = c.node.attributes as { axes?: readonly number[] };
    const count = (axes ?? x.shape.map((_, i) => i))
      .map((axis) => sizeAt(c, x, axis < 0 ? axis + x.shape.length : axis))
      .reduce((product, size) => product * size, 1);
    return [spread(c, axes, (graph, dy) => graph.op(Mul, [dy, graph.float(1 / count)]))];
  },
});
