/** Elementwise arithmetic with numpy broadcasting, and its gradients. */
import { agreedDim, type Dim, type Shape, sameDim, sameShape } from '../dim.js';
import { elementArithmetic, keptElements, mappedElements } from '../elements.js';
import type { Value } from '../graph.js';
import { defineOp, type GradientContext, type InferContext, type Inferred } from '../op-definition.js';
import { gradOf, inputOf, outputOf, sameAsInput, sizesOf } from './access.js';
import { ReduceSum } from './reduction.js';
import { Reshape } from './shape.js';

/** Shape of an elementwise result by numpy's rule, or undefined when the shapes do not go together. */
export function broadcast(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const result: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    const agreed = y === 1 ? x : x === 1 ? y : agreedDim(x, y);
    if (agreed === undefined) return undefined;
    result.push(agreed);
  }
  return result;
}

/** Type and shape of an elementwise result of the two inputs from `first` on. */
export function inferBroadcast({ inputs, fail }: InferContext, first = 0) {
  const [a, b] = [inputs[first] as Value, inputs[first + 1] as Value];
  if (a.dtype !== b.dtype) fail(`expected equal types, got ${a.dtype} and ${b.dtype}`);
  const shape = broadcast(a.shape, b.shape);
  return shape ? { dtype: a.dtype, shape } : fail('expected shapes that broadcast');
}

/** As {@link inferBroadcast}, with the elements of what is computed from shapes. */
export function inferArithmetic(context: InferContext, name: string): Inferred {
  const { dtype, shape } = inferBroadcast(context);
  const compute = elementArithmetic[name];
  // Sizes are computed in these; smaller integers would overflow.
  const whole = dtype === 'int64' || dtype === 'int32';
  const map = (a: Dim, b: Dim) => (whole || dtype.startsWith('float') ? compute?.(a, b, whole) : undefined);
  return { dtype, shape, elements: mappedElements(context.inputs, shape, map) };
}

/** Sums `grad` over the axes along which `value` was broadcast. */
export function sumTo(c: GradientContext, grad: Value, value: Value): Value {
  const { shape } = value;
  if (sameShape(grad.shape, shape)) return grad;
  const lead = grad.shape.length - shape.length;
  const axes = grad.shape.flatMap((dim, i) => (i < lead || !sameDim(dim, shape[i - lead] as Dim) ? [i] : []));
  const summed = c.graph.op(ReduceSum, [grad, c.graph.ints(axes)], { keepdims: 1 });
  return lead === 0 ? summed : c.graph.op(Reshape, [summed, c.graph.ints(sizesOf(c, value))]);
}

type Side = (context: GradientContext) => Value;

/** A two-input elementwise op; the sides give the gradient in the output's shape. */
function binary(name: string, left: Side, right: Side) {
  return defineOp({
    name,
    arity: [2, 2],
    attributes: {},
    infer: (context) => [inferArithmetic(context, name)],
    gradient: (context) =>
      [left, right].map((side, i) =>
        context.needs[i] ? sumTo(context, side(context), inputOf(context, i)) : undefined,
      ),
  });
}

/** A one-input elementwise op with the gradient's rule. */
function unary(name: string, gradient: (context: GradientContext) => Value | undefined) {
  return defineOp({
    name,
    arity: [1, 1],
    attributes: {},
    infer: sameAsInput,
    gradient: (context) => [gradient(context)],
  });
}

export const Add = binary('Add', gradOf, gradOf);

export const Sub = binary('Sub', gradOf, (c) => c.graph.op(Neg, [gradOf(c)]));

export const Mul = binary(
  'Mul',
  (c) => c.graph.op(Mul, [gradOf(c), inputOf(c, 1)]),
  (c) => c.graph.op(Mul, [gradOf(c), inputOf(c, 0)]),
);

export const Div = binary(
  'Div',
  (c) => c.graph.op(Div, [gradOf(c), inputOf(c, 1)]),
  (c) => {
    const scaled = c.graph.op(Div, [outputOf(c), inputOf(c, 1)]);
    return c.graph.op(Neg, [c.graph.op(Mul, [gradOf(c), scaled])]);
  },
);

export const Neg = unary('Neg', (c) => c.graph.op(Neg, [gradOf(c)]));
/** Its gradient is zero but at 0, and is taken as zero there too, as PyTorch does. */
export const Sign = unary('Sign', () => undefined);
export const Abs = unary('Abs', (c) => c.graph.op(Mul, [gradOf(c), c.graph.op(Sign, [inputOf(c, 0)])]));
export const Sqrt = unary('Sqrt', (c) =>
  c.graph.op(Div, [c.graph.op(Mul, [gradOf(c), c.graph.float(0.5)]), outputOf(c)]),
);
export const Exp = unary('Exp', (c) => c.graph.op(Mul, [gradOf(c), outputOf(c)]));
export const Log = unary('Log', (c) => c.graph.op(Div, [gradOf(c), inputOf(c, 0)]));

export const Identity = defineOp({
  name: 'Identity',
  arity: [1, 1],
  attributes: {},
  infer: ({ inputs }) => {
    const x = inputs[0] as Value;
    return [{ dtype: x.dtype, shape: x.shape, elements: keptElements(x, x.shape) }];
  },
  gradient: (c) => [gradOf(c)],
});
