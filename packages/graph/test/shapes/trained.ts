/** The operators that training uses, each in the forms whose shapes differ. No tests. */
import {
  Abs,
  Add,
  BatchNormalization,
  Cast,
  Concat,
  Conv,
  ConvTranspose,
  Div,
  Exp,
  Expand,
  Gather,
  Gemm,
  Greater,
  Identity,
  InstanceNormalization,
  int64,
  LeakyRelu,
  Log,
  Loop,
  MatMul,
  Mul,
  Neg,
  onnxTypes,
  Pad,
  ReduceMean,
  ReduceSum,
  Relu,
  Reshape,
  Resize,
  Sigmoid,
  Sign,
  Slice,
  Softplus,
  Split,
  Sqrt,
  Sub,
  Tanh,
  Transpose,
  tensor,
  type Value,
  Where,
} from '@cyclegan/graph';
import { type Case, each, pair, zeros } from './run.ts';

export const trained: Record<string, Case> = {
  ...Object.fromEntries(
    [Abs, Exp, Identity, LeakyRelu, Log, Neg, Relu, Sigmoid, Sign, Softplus, Sqrt, Tanh].map((op) => [
      op.name,
      each(op),
    ]),
  ),
  Add: pair(Add, ['N', 3, 'H', 'W'], ['N', 3, 'H', 'W']),
  'Add of channels': pair(Add, ['N', 3, 'H', 'W'], [3, 1, 1]),
  'Sub of a row from a column': pair(Sub, ['H', 1], ['W']),
  'Mul of a scalar': pair(Mul, [], ['N', 'H']),
  Div: pair(Div, ['N', 1, 'W'], [1, 'H', 1]),
  Greater: pair(Greater, ['N', 'H'], ['H']),
  Where: {
    build: (g, [x, y]) => g.op(Where, [g.op(Greater, [x, g.float(0)]), x, y]),
    shapes: [
      ['H', 1],
      [1, 'W'],
    ],
  },
  Cast: { build: (g, [x]) => g.op(Cast, [x], { to: onnxTypes.int32 }) },
  Conv: {
    build: (g, [x]) =>
      g.op(Conv, [x, zeros(g, [5, 3, 3, 3]), zeros(g, [5])], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  },
  'Conv of kernel 4, stride 2': {
    build: (g, [x]) => g.op(Conv, [x, zeros(g, [5, 3, 4, 4])], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  },
  'Conv of groups, dilated': {
    build: (g, [x]) =>
      g.op(Conv, [x, zeros(g, [6, 1, 3, 2])], { group: 3, dilations: [2, 3], pads: [2, 0, 0, 1] }),
  },
  ConvTranspose: {
    build: (g, [x]) =>
      g.op(ConvTranspose, [x, zeros(g, [3, 5, 3, 3])], {
        strides: [2, 2],
        pads: [1, 1, 1, 1],
        output_padding: [1, 1],
      }),
  },
  'ConvTranspose of groups, dilated': {
    build: (g, [x]) =>
      g.op(ConvTranspose, [x, zeros(g, [3, 2, 3, 2])], { group: 3, dilations: [2, 1], strides: [1, 3] }),
  },
  BatchNormalization: {
    build: (g, [x]) => {
      const [zero, one] = [zeros(g, [3]), g.float([1, 1, 1])];
      return g.op(BatchNormalization, [x, one, zero, zero, one], { epsilon: 1e-5, momentum: 0.9 });
    },
  },
  InstanceNormalization: {
    build: (g, [x]) => g.op(InstanceNormalization, [x, zeros(g, [3]), zeros(g, [3])]),
  },
  'Pad, constant': { build: (g, [x]) => g.op(Pad, [x, g.ints([0, 1, 2, 3, 0, 0, 1, 0]), g.float(1)]) },
  'Pad, cropping': { build: (g, [x]) => g.op(Pad, [x, g.ints([0, 0, -2, 3, 0, 0, -1, -1])]) },
  'Pad, reflect': {
    build: (g, [x]) => g.op(Pad, [x, g.ints([0, 0, 3, 3, 0, 0, 3, 3])], { mode: 'reflect' }),
  },
  'Pad, edge': { build: (g, [x]) => g.op(Pad, [x, g.ints([0, 0, 0, 9, 0, 0, 9, 0])], { mode: 'edge' }) },
  'Resize, larger': { build: (g, [x]) => g.op(Resize, [x, undefined, g.float([1, 1, 2, 3])]) },
  'Resize, smaller': { build: (g, [x]) => g.op(Resize, [x, undefined, g.float([1, 1, 0.25, 0.5])]) },
  ReduceMean: { build: (g, [x]) => g.op(ReduceMean, [x], { axes: [2, -1] }) },
  'ReduceMean to a scalar': { build: (g, [x]) => g.op(ReduceMean, [x], { keepdims: 0 }) },
  ReduceSum: { build: (g, [x]) => g.op(ReduceSum, [x, g.ints([-3])], { keepdims: 0 }) },
  'ReduceSum over an empty list, which means all': { build: (g, [x]) => g.op(ReduceSum, [x, g.ints([])]) },
  MatMul: pair(MatMul, ['N', 3, 'H', 'W'], ['W', 5]),
  'MatMul of batches': pair(MatMul, ['N', 1, 'H', 3], [2, 3, 'W']),
  Gemm: {
    build: (g, [x, y]) => g.op(Gemm, [x, y, g.float([1, 2, 3])], { transA: 1, transB: 1 }),
    shapes: [
      ['H', 'N'],
      [3, 'H'],
    ],
  },
  Reshape: { build: (g, [x]) => g.op(Reshape, [x, g.ints([0, 1, 3, 0])]), shapes: [['N', 3, 1, 'H']] },
  'Reshape with what is left': {
    build: (g, [x]) => g.op(Reshape, [x, g.ints([0, -1, 2])]),
    shapes: [['N', 4, 3]],
  },
  Transpose: { build: (g, [x]) => g.op(Transpose, [x], { perm: [2, 0, 3, 1] }) },
  'Transpose, all axes turned round': { build: (g, [x]) => g.op(Transpose, [x]) },
  Concat: { build: (g, [x]) => g.op(Concat, [x, x, x], { axis: -3 }) },
  'Concat of one': { build: (g, [x]) => g.op(Concat, [x], { axis: 2 }) },
  Split: { build: (g, [x]) => g.ops(Split, [x, g.ints([2, 0, 1])], { axis: 1 }) },
  Slice: { build: (g, [x]) => g.op(Slice, [x, g.ints([2]), g.ints([-100]), g.ints([1]), g.ints([-2])]) },
  'Slice, axes left out': {
    build: (g, [x]) => g.op(Slice, [x, g.ints([1, 0]), g.ints([9, -1]), undefined, g.ints([1, 2])]),
    shapes: [[5, 6, 'W']],
  },
  Expand: { build: (g, [x]) => g.op(Expand, [x, g.ints([2, 1, 3, 1])]), shapes: [['N', 1, 'W']] },
  Loop: {
    build: (g, [x]) => {
      const body = g.subgraph('turn');
      body.input('turn', 'int64', []);
      body.input('goes_on', 'bool', []);
      const state = body.input('state', 'float32', (x as Value).shape);
      body.output('goes_on_next', body.constant(tensor('bool', [], Uint8Array.of(1))));
      body.output('next', body.op(Neg, [state]));
      body.output('kept', body.op(ReduceSum, [state, body.ints([1])], { keepdims: 0 }));
      return g.ops(Loop, [g.constant(int64([5], [])), undefined, x], { body });
    },
  },
  Gather: { build: (g, [x]) => g.op(Gather, [x, g.constant(int64([0, 2, 1, 1], [2, 2]))], { axis: 1 }) },
};
