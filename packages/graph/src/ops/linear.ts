/** Matrix products. */
import { agreedDim, agreeShapes, type Dim, formatDim } from '../dim.js';
import type { Value } from '../graph.js';
import { defineOp, type GradientContext, type InputGradients } from '../op-definition.js';
import { checkSameType, gradOf, inputOf, refuseGradient } from './access.js';
import { broadcast, Mul, sumTo } from './arithmetic.js';
import { Transpose } from './shape.js';

function swapLastTwo(c: GradientContext, value: Value): Value {
  const perm = value.shape.map((_, i) => i);
  const rank = perm.length;
  [perm[rank - 2], perm[rank - 1]] = [rank - 1, rank - 2];
  return c.graph.op(Transpose, [value], { perm });
}

/** Batched product of matrices; leading axes broadcast. A vector is a row on the left and a column on the right. */
export const MatMul = defineOp({
  name: 'MatMul',
  arity: [2, 2],
  attributes: {},
  infer: (context) => {
    const { inputs, fail } = context;
    const [a, b] = [inputs[0] as Value, inputs[1] as Value];
    checkSameType(context);
    const [k, k2] = [a.shape.at(-1), b.shape.at(-2) ?? b.shape[0]];
    if (k === undefined || k2 === undefined) return fail('expected matrices or vectors');
    if (agreedDim(k, k2) === undefined)
      fail(`expected equal inner sizes, got ${formatDim(k)} and ${formatDim(k2)}`);
    const lead =
      broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)) ?? fail('expected leading axes that broadcast');
    // A vector's other axis, of size 1, is not kept.
    const [rows, columns] = [a.shape.slice(-2, -1), b.shape.length > 1 ? b.shape.slice(-1) : []];
    return [{ dtype: a.dtype, shape: [...lead, ...rows, ...columns] }];
  },
  gradient: (c): InputGradients => {
    const [a, b, dy] = [inputOf(c, 0), inputOf(c, 1), gradOf(c)];
    if (Math.min(a.shape.length, b.shape.length) < 2) refuseGradient(c, 'expected matrices, got a vector');
    return [
      c.needs[0] ? sumTo(c, c.graph.op(MatMul, [dy, swapLastTwo(c, b)]), a) : undefined,
      c.needs[1] ? sumTo(c, c.graph.op(MatMul, [swapLastTwo(c, a), dy]), b) : undefined,
    ];
  },
});

/** alpha·A'·B' + beta·C with optional transposes; A and B are matrices, C broadcasts. */
export const Gemm = defineOp({
  name: 'Gemm',
  arity: [2, 3],
  attributes: { alpha: 'float', beta: 'float', transA: 'int', transB: 'int' },
  infer: (context) => {
    const { inputs, attributes, fail } = context;
    const [a, b] = [inputs[0] as Value, inputs[1] as Value];
    checkSameType(context);
    if (a.shape.length !== 2 || b.shape.length !== 2) fail('expected two matrices');
    const [m, k] = (attributes.transA ? a.shape.toReversed() : a.shape) as [Dim, Dim];
    const [k2, n] = (attributes.transB ? b.shape.toReversed() : b.shape) as [Dim, Dim];
    if (agreedDim(k, k2) === undefined)
      fail(`expected equal inner sizes, got ${formatDim(k)} and ${formatDim(k2)}`);
    const shape = [m, n];
    const added = broadcast(inputs[2]?.shape ?? [], shape);
    if (!added || !agreeShapes(added, shape)) fail('expected C to broadcast to the product');
    return [{ dtype: a.dtype, shape }];
  },
  gradient: (c): InputGradients => {
    const { alpha = 1, beta = 1, transA = 0, transB = 0 } = c.node.attributes as Record<string, number>;
    const [a, b, dy] = [inputOf(c, 0), inputOf(c, 1), gradOf(c)];
    const g = c.graph;
    const da = () =>
      transA
        ? g.op(Gemm, [b, dy], { alpha, transA: transB, transB: 1 })
        : g.op(Gemm, [dy, b], { alpha, transB: 1 - transB });
    const db = () =>
      transB
        ? g.op(Gemm, [dy, a], { alpha, transA: 1, transB: transA })
        : g.op(Gemm, [a, dy], { alpha, transA: 1 - transA });
    const dc = () => sumTo(c, beta === 1 ? dy : g.op(Mul, [dy, g.float(beta)]), inputOf(c, 2));
    return [c.needs[0] ? da() : undefined, c.needs[1] ? db() : undefined, c.needs[2] ? dc() : undefined];
  },
});
