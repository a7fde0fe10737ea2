/** The operators that only exported models use, each in the forms whose shapes differ. No tests. */
import {
  And,
  ArgMax,
  ArgMin,
  AveragePool,
  Ceil,
  Celu,
  Clip,
  Conv,
  ConvTranspose,
  Cos,
  DepthToSpace,
  DequantizeLinear,
  Dropout,
  Einsum,
  Elu,
  Equal,
  Erf,
  Floor,
  GatherND,
  GlobalAveragePool,
  GlobalMaxPool,
  Greater,
  GreaterOrEqual,
  GridSample,
  HardSigmoid,
  HardSwish,
  InstanceNormalization,
  int64,
  LayerNormalization,
  Less,
  LessOrEqual,
  LogSoftmax,
  LpNormalization,
  MatMul,
  Max,
  MaxPool,
  Mean,
  Min,
  Mod,
  Not,
  Or,
  Pow,
  PRelu,
  QuantizeLinear,
  Reciprocal,
  ReduceL1,
  ReduceL2,
  ReduceMax,
  ReduceMin,
  ReduceProd,
  ReduceSumSquare,
  Reshape,
  Resize,
  Round,
  ScatterND,
  Selu,
  Sin,
  Slice,
  Softmax,
  Softsign,
  SpaceToDepth,
  Sum,
  ThresholdedRelu,
  Trilu,
  tensor,
} from '@cyclegan/graph';
import { type Case, each, pair, zeros } from './run.ts';

const elementwise = [
  ...[Ceil, Cos, Erf, Floor, HardSwish, Reciprocal, Round, Sin, Softsign, Celu, Elu, HardSigmoid, Selu],
  ...[
    ThresholdedRelu,
    Dropout,
    Softmax,
    LogSoftmax,
    LpNormalization,
    GlobalAveragePool,
    GlobalMaxPool,
    Trilu,
  ],
  ...[ReduceL1, ReduceL2, ReduceMax, ReduceMin, ReduceProd, ReduceSumSquare],
];
const comparisons = [Equal, GreaterOrEqual, Less, LessOrEqual];
const same = { auto_pad: 'SAME_UPPER', strides: [2, 2] };
const matrix = { shapes: [['H', 'W']] as const };

export const exported: Record<string, Case> = {
  ...Object.fromEntries(elementwise.map((op) => [op.name, each(op)])),
  ...Object.fromEntries(comparisons.map((op) => [op.name, pair(op, ['N', 'H'], ['H'])])),
  ...Object.fromEntries(
    [And, Or].map((op): [string, Case] => [
      op.name,
      {
        build: (g, [x, y]) => g.op(op, [g.op(Greater, [x, y]), g.op(Less, [x, y])]),
        shapes: [['H', 1], ['W']],
      },
    ]),
  ),
  Not: { build: (g, [x]) => g.op(Not, [g.op(Greater, [x, x])]) },
  Pow: pair(Pow, ['H', 1], ['W']),
  Mod: { build: (g, [x, y]) => g.op(Mod, [x, y], { fmod: 1 }), shapes: [['H', 1], ['W']] },
  ...Object.fromEntries(
    [Max, Mean, Min, Sum].map((op): [string, Case] => [
      op.name,
      { build: (g, [x, y, z]) => g.op(op, [x, y, z]), shapes: [['H', 1], ['W'], ['N', 1, 1]] },
    ]),
  ),
  'Max of one': each(Max),
  PRelu: { build: (g, [x]) => g.op(PRelu, [x, zeros(g, [3, 1, 1])]) },
  Clip: { build: (g, [x]) => g.op(Clip, [x, undefined, g.float(1)]) },
  'MatMul of a row': pair(MatMul, ['H'], ['N', 'H', 'W']),
  'MatMul of a column': pair(MatMul, ['N', 3, 'H'], ['H']),
  'MatMul of vectors': pair(MatMul, ['W'], ['W']),
  'Softmax, over channels': each(Softmax, { axis: 1 }),
  LayerNormalization: {
    build: (g, [x]) => g.op(LayerNormalization, [x, g.float([1, 2, 3, 4]), g.float([0, 0, 0, 0])]),
    shapes: [['N', 'H', 4]],
  },
  'InstanceNormalization of groups': {
    build: (g, [x]) => {
      const grouped = g.op(Reshape, [x, g.ints([0, 2, -1])]);
      return g.op(InstanceNormalization, [grouped, zeros(g, [2]), zeros(g, [2])]);
    },
    shapes: [['N', 6, 'H', 'W']],
  },
  'Conv, SAME_UPPER': { build: (g, [x]) => g.op(Conv, [x, zeros(g, [5, 3, 3, 3])], same) },
  'Conv, SAME_LOWER': {
    build: (g, [x]) => g.op(Conv, [x, zeros(g, [5, 3, 4, 2])], { auto_pad: 'SAME_LOWER', strides: [3, 2] }),
  },
  'Conv, VALID': {
    build: (g, [x]) => g.op(Conv, [x, zeros(g, [5, 3, 4, 3])], { auto_pad: 'VALID', strides: [3, 2] }),
  },
  'ConvTranspose, SAME_LOWER': {
    build: (g, [x]) =>
      g.op(ConvTranspose, [x, zeros(g, [3, 5, 3, 3])], { auto_pad: 'SAME_LOWER', strides: [2, 2] }),
  },
  'ConvTranspose, VALID': {
    build: (g, [x]) => g.op(ConvTranspose, [x, zeros(g, [3, 5, 3, 3])], { ...same, auto_pad: 'VALID' }),
  },
  'ConvTranspose, with an output_shape': {
    build: (g, [x]) =>
      g.op(ConvTranspose, [x, zeros(g, [3, 5, 3, 3])], { strides: [2, 2], output_shape: [16, 24] }),
    shapes: [['N', 3, 8, 12]],
  },
  MaxPool: each(MaxPool, { kernel_shape: [3, 2], strides: [2, 3], pads: [1, 0, 1, 1] }),
  'MaxPool, SAME_UPPER': each(MaxPool, { kernel_shape: [3, 3], ...same }),
  'MaxPool, rounding up': each(MaxPool, { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  'MaxPool, rounding up beyond the input': each(MaxPool, {
    kernel_shape: [1, 2],
    strides: [3, 3],
    pads: [0, 0, 0, 1],
    ceil_mode: 1,
  }),
  'MaxPool, dilated': each(MaxPool, { kernel_shape: [2, 2], dilations: [2, 3] }),
  AveragePool: each(AveragePool, { kernel_shape: [2, 2], strides: [2, 2], count_include_pad: 1 }),
  'AveragePool, VALID': each(AveragePool, { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'VALID' }),
  'ReduceMax of axes': each(ReduceMax, { axes: [1, -1], keepdims: 0 }),
  ArgMax: each(ArgMax, { axis: 1 }),
  ArgMin: each(ArgMin, { axis: -1, keepdims: 0 }),
  'Resize, by fractions': { build: (g, [x]) => g.op(Resize, [x, undefined, g.float([1, 1, 1.5, 0.7])]) },
  'Resize, cubic': {
    build: (g, [x]) =>
      g.op(Resize, [x, undefined, g.float([1, 1, 2, 2])], { mode: 'cubic', cubic_coeff_a: -0.5 }),
  },
  'Resize, an older form with empty scales': {
    build: (g, [x]) => g.op(Resize, [x, g.float([]), g.float([]), g.ints([2, 3, 30, 5])], { mode: 'linear' }),
    shapes: [[2, 3, 'H', 'W']],
  },
  'Resize, cropping': {
    build: (g, [x]) =>
      g.op(Resize, [x, g.float([0, 0, 0, 0, 1, 1, 0.5, 0.5]), undefined, g.ints([1, 3, 6, 7])], {
        mode: 'linear',
        coordinate_transformation_mode: 'tf_crop_and_resize',
      }),
    shapes: [[1, 3, 'H', 'W']],
  },
  GridSample: {
    build: (g, [x, grid]) => g.op(GridSample, [x, grid]),
    shapes: [
      ['N', 3, 'H', 'W'],
      ['N', 5, 'W', 2],
    ],
  },
  DepthToSpace: {
    build: (g, [x]) => g.op(DepthToSpace, [x], { blocksize: 2 }),
    shapes: [['N', 8, 'H', 'W']],
  },
  SpaceToDepth: { ...each(SpaceToDepth, { blocksize: 4 }), multiples: true },
  GatherND: {
    build: (g, [x]) => g.op(GatherND, [x, g.constant(int64([0, 1, 0, 2], [2, 2]))]),
  },
  'GatherND, in batches': {
    build: (g, [x]) => g.op(GatherND, [x, g.constant(int64([0, 1], [2, 1]))], { batch_dims: 1 }),
    shapes: [[2, 5, 'H']],
  },
  ScatterND: {
    build: (g, [x, y]) => g.op(ScatterND, [x, g.constant(int64([1, 0], [2, 1])), y]),
    shapes: [
      [4, 'H', 'W'],
      [2, 'H', 'W'],
    ],
  },
  Einsum: {
    build: (g, [x, y]) => g.op(Einsum, [x, y], { equation: 'nchw,oc->nohw' }),
    shapes: [
      ['N', 3, 'H', 'W'],
      [5, 3],
    ],
  },
  'Einsum, its result not named': {
    build: (g, [x, y]) => g.op(Einsum, [x, y], { equation: 'bj, ja' }),
    shapes: [
      ['H', 'W'],
      ['W', 'N'],
    ],
  },
  'Trilu, the lower': { build: (g, [x]) => g.op(Trilu, [x], { upper: 0 }), ...matrix },
  QuantizeLinear: { build: (g, [x]) => g.op(QuantizeLinear, [x, g.float(0.5)]) },
  'QuantizeLinear, a channel each': {
    build: (g, [x]) => {
      const zero = g.constant(tensor('int8', [3], new Int8Array(3)));
      return g.op(QuantizeLinear, [x, g.float([1, 2, 3]), zero], { axis: 1 });
    },
  },
  DequantizeLinear: {
    build: (g, [x]) => {
      const zero = g.constant(tensor('uint8', [], Uint8Array.of(128)));
      return g.op(DequantizeLinear, [g.op(QuantizeLinear, [x, g.float(0.5), zero]), g.float(0.5), zero]);
    },
  },
  'Slice, of symbols': {
    build: (g, [x]) =>
      g.op(Slice, [x, g.ints([1, 2]), g.ints([-1, 2 ** 40]), g.ints([2, 3]), g.ints([1, 3])]),
  },
  'Slice, backwards': {
    build: (g, [x]) => g.op(Slice, [x, g.ints([-1]), g.ints([-(2 ** 40)]), g.ints([3]), g.ints([-2])]),
  },
  'Slice, up to a size': { build: (g, [x]) => g.op(Slice, [x, g.ints([3]), g.ints([10]), g.ints([2])]) },
};
