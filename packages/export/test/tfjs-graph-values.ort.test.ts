/** Arithmetic, comparison, reduction and what moves elements, each as a GraphModel, against tfjs running that model. */
import { test } from 'vitest';
import {
  type Case,
  expectCase,
  flag,
  float,
  int,
  ints,
  node,
  one,
  randomWeight,
  scalar,
  text,
  texts,
  two,
  type,
  wholeWeight,
} from './tfjs-graph-model.ts';

/** The operator over what is positive. */
const positive = (op: string): Case => ({
  nodes: [node('Abs', ['x'], {}, 'a'), node('AddV2', ['a', 'w'], {}, 'b'), node(op, ['b'])],
  weights: { w: scalar(0.25) },
});

/** The operator between whole numbers of either sign and 3. */
const whole = (op: string): Case => ({
  nodes: [
    node('Mul', ['x', 'ten'], {}, 'm'),
    node('Cast', ['m'], { DstT: type('DT_INT32') }, 'i'),
    node(op, ['i', 'three'], {}, 'r'),
    node('Cast', ['r'], { DstT: type('DT_FLOAT') }),
  ],
  weights: { ten: scalar(10), three: wholeWeight(3) },
});

const cases: Record<string, Case> = {
  Softmax: one('Softmax'),
  LogSoftmax: one('LogSoftmax'),
  Prelu: two('Prelu', randomWeight([1, 1, 3])),
  LeakyRelu: one('LeakyRelu', { alpha: float(0.3) }),
  'LeakyRelu by default': one('LeakyRelu'),
  ...Object.fromEntries(
    [
      'Relu',
      'Relu6',
      'Selu',
      'Elu',
      'Sigmoid',
      'Softplus',
      'Tanh',
      'Abs',
      'Ceil',
      'Erf',
      'Exp',
      'Expm1',
      'Floor',
      'Neg',
      'Round',
      'Sign',
      'Square',
      'ZerosLike',
      'OnesLike',
      'Identity',
      'StopGradient',
    ].map((op): [string, Case] => [op, one(op)]),
  ),
  ...Object.fromEntries(
    ['Log', 'Log1p', 'Reciprocal', 'Rsqrt', 'Sqrt'].map((op): [string, Case] => [op, positive(op)]),
  ),
  ...Object.fromEntries(
    [
      'Add',
      'AddV2',
      'Sub',
      'Mul',
      'RealDiv',
      'DivNoNan',
      'FloorDiv',
      'FloorMod',
      'Maximum',
      'Minimum',
      'SquaredDifference',
    ].map((op): [string, Case] => [op, two(op, randomWeight([1, 1, 3]))]),
  ),
  Pow: two('Pow', scalar(2)),
  AddN: { nodes: [node('AddN', ['x', 'x', 'x'])] },
  ClipByValue: {
    nodes: [node('ClipByValue', ['x', 'least', 'most'])],
    weights: {
      least: scalar(-0.25),
      most: scalar(0.5),
    },
  },
  ...Object.fromEntries(
    ['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual'].map((op): [string, Case] => [
      `${op} and Select`,
      {
        nodes: [
          node(op, ['x', 'w'], {}, 'c'),
          node('LogicalNot', ['c'], {}, 'n'),
          node('LogicalOr', ['n', 'c'], {}, 'o'),
          node('LogicalAnd', ['o', 'c'], {}, 'd'),
          node('Select', ['d', 'x', 'z'], {}, 's'),
          node('SelectV2', ['n', 's', 'w']),
        ],
        weights: { w: randomWeight([1, 1, 3]), z: randomWeight([]) },
      },
    ]),
  ),
  Cast: {
    nodes: [
      node('Mul', ['x', 'w'], {}, 'm'),
      node('Cast', ['m'], { DstT: type('DT_INT32') }, 'i'),
      node('Cast', ['i'], { DstT: type('DT_FLOAT') }),
    ],
    weights: { w: scalar(10) },
  },
  ...Object.fromEntries(
    ['Mean', 'Sum', 'Max', 'Min', 'Prod'].map((op): [string, Case] => [
      op,
      two(op, wholeWeight([1, -2]), { keep_dims: flag(true) }),
    ]),
  ),
  ArgMax: {
    nodes: [node('ArgMax', ['x', 'w'], {}, 'a'), node('ExpandDims', ['a', 'w'])],
    weights: { w: wholeWeight(-1) },
  },
  'Mean over nothing': two('Mean', wholeWeight([])),
  'instance normalisation by its parts': {
    nodes: [
      node('Mean', ['x', 'axes'], { keep_dims: flag(true) }, 'mean'),
      node('SquaredDifference', ['x', 'mean'], {}, 'sq'),
      node('Mean', ['sq', 'axes'], { keep_dims: flag(true) }, 'var'),
      node('AddV2', ['var', 'eps'], {}, 've'),
      node('Rsqrt', ['ve'], {}, 'inv'),
      node('Mul', ['inv', 'gamma'], {}, 'ig'),
      node('Mul', ['x', 'ig'], {}, 'xi'),
      node('Mul', ['mean', 'ig'], {}, 'mi'),
      node('Sub', ['beta', 'mi'], {}, 'bm'),
      node('AddV2', ['xi', 'bm']),
    ],
    weights: {
      axes: wholeWeight([1, 2]),
      eps: { dtype: 'float32', shape: [], values: [1e-3] },
      gamma: randomWeight([3], 4),
      beta: randomWeight([3], 5),
    },
  },
  MatMul: {
    nodes: [
      node('Reshape', ['x', 'flat'], {}, 'f'),
      node(
        '_FusedMatMul',
        ['f', 'w', 'b'],
        { fused_ops: texts('BiasAdd', 'Relu'), transpose_b: flag(true), num_args: int(1) },
        'm',
      ),
      node('Reshape', ['m', 'back']),
    ],
    weights: {
      flat: wholeWeight([-1, 3]),
      w: randomWeight([3, 3]),
      b: randomWeight([3], 2),
      back: wholeWeight([1, 8, 8, 3]),
    },
    shape: [1, 8, 8, 3],
    sizes: [[1, 3, 8, 8]],
  },
  BatchMatMulV2: { nodes: [node('BatchMatMulV2', ['x', 'x'], { adj_y: flag(true) })] },
  Einsum: {
    nodes: [node('Einsum', ['x', 'w'], { equation: text('bhwc,cd->bhwd') })],
    weights: { w: randomWeight([3, 4]) },
  },
  Transpose: two('Transpose', wholeWeight([0, 2, 1, 3])),
  'ConcatV2 and Split': {
    nodes: [
      node('ConcatV2', ['x', 'x', 'x', 'axis'], { N: int(3) }, 'c'),
      node('Split', ['axis', 'c'], { num_split: int(3) }, 's'),
      node('SplitV', ['c', 'sizes', 'axis'], { num_split: int(2) }, 't'),
      node('Mul', ['s:2', 't:1'], {}, 'm'),
      node('AddV2', ['m', 'x']),
    ],
    weights: { axis: wholeWeight(-1), sizes: wholeWeight([6, 3]) },
  },
  'Shape, Pack and Reshape': {
    nodes: [
      node('Shape', ['x'], {}, 'size'),
      node('StridedSlice', ['size', 'i1', 'i2', 'one'], { shrink_axis_mask: int(1) }, 'h'),
      node('StridedSlice', ['size', 'i2', 'i3', 'one'], { shrink_axis_mask: int(1) }, 'w'),
      node('StridedSlice', ['size', 'i0', 'i1', 'one'], { shrink_axis_mask: int(1) }, 'n'),
      node('Mul', ['h', 'w'], {}, 'hw'),
      node('Pack', ['n', 'hw', 'three'], { axis: int(0) }, 'flat'),
      node('Reshape', ['x', 'flat'], {}, 'f'),
      node('Tanh', ['f'], {}, 't'),
      node('Pack', ['n', 'h', 'w', 'minus'], { axis: int(0) }, 'back'),
      node('Reshape', ['t', 'back']),
    ],
    weights: {
      i0: wholeWeight([0]),
      i1: wholeWeight([1]),
      i2: wholeWeight([2]),
      i3: wholeWeight([3]),
      one: wholeWeight([1]),
      three: wholeWeight(3),
      minus: wholeWeight(-1),
    },
  },
  'Unpack and Pack': {
    nodes: [
      node('Unpack', ['x'], { axis: int(3), num: int(3) }, 'u'),
      node('Pack', ['u:2', 'u:0', 'u:1'], { axis: int(3) }),
    ],
  },
  Slice: {
    nodes: [node('Slice', ['x', 'b', 's'])],
    weights: { b: wholeWeight([0, 1, 2, 1]), s: wholeWeight([-1, 4, -1, 2]) },
  },
  'StridedSlice with masks': {
    nodes: [
      node('StridedSlice', ['x', 'b', 'e', 's'], {
        begin_mask: int(4),
        end_mask: int(4),
        ellipsis_mask: int(1),
      }),
    ],
    weights: { b: wholeWeight([0, 1, 0]), e: wholeWeight([0, -1, 3]), s: wholeWeight([1, 2, -1]) },
  },
  'StridedSlice that takes and adds axes': {
    nodes: [
      node('StridedSlice', ['x', 'b', 'e', 's'], {
        begin_mask: int(1),
        end_mask: int(1),
        new_axis_mask: int(2),
        shrink_axis_mask: int(4),
      }),
    ],
    weights: { b: wholeWeight([0, 0, -2, 1]), e: wholeWeight([0, 0, 0, 5]), s: wholeWeight([1, 1, 1, 1]) },
  },
  GatherV2: {
    nodes: [node('GatherV2', ['x', 'i', 'axis'])],
    weights: { i: wholeWeight([2, 0]), axis: wholeWeight(3) },
  },
  Tile: two('Tile', wholeWeight([1, 2, 1, 2])),
  'BroadcastTo and Fill': {
    nodes: [
      node('Shape', ['x'], {}, 'size'),
      node('Fill', ['size', 'v'], {}, 'f'),
      node('BroadcastTo', ['w', 'size'], {}, 'b'),
      node('Mul', ['f', 'b'], {}, 'm'),
      node('AddV2', ['m', 'x']),
    ],
    weights: { v: randomWeight([]), w: randomWeight([3]) },
  },
  'ExpandDims and Squeeze': {
    nodes: [node('ExpandDims', ['x', 'w'], {}, 'e'), node('Squeeze', ['e'], { squeeze_dims: ints(1) })],
    weights: { w: wholeWeight(1) },
  },
  Range: {
    nodes: [
      node('Range', ['a', 'b', 'c'], {}, 'r'),
      node('Cast', ['r'], { DstT: type('DT_FLOAT') }, 'f'),
      node('AddV2', ['x', 'f']),
    ],
    weights: { a: wholeWeight(0), b: wholeWeight(6), c: wholeWeight(2) },
  },
  IdentityN: { nodes: [node('IdentityN', ['x', 'x'], {}, 'i'), node('AddV2', ['i', 'i:1'])] },
  ...Object.fromEntries(
    ['AddV2', 'Sub', 'Mul', 'FloorDiv', 'FloorMod', 'Maximum', 'Minimum'].map((op): [string, Case] => [
      `${op} of whole numbers`,
      whole(op),
    ]),
  ),
  'Div by a positive number': two('Div', { dtype: 'float32', shape: [3], values: [0.5, 1, 3] }),
  Mod: two('Mod', { dtype: 'float32', shape: [3], values: [0.5, 0.3, 0.7] }),
  EuclideanNorm: two('EuclideanNorm', wholeWeight([1, 2]), { keep_dims: flag(true) }),
  ReverseV2: two('ReverseV2', wholeWeight([2, -1])),
  Gather: {
    nodes: [node('Transpose', ['x', 'perm'], {}, 't'), node('Gather', ['t', 'i'])],
    weights: { perm: wholeWeight([0, 3, 1, 2]), i: wholeWeight([0, 0]) },
    shape: [-1, 3, -1, 3],
    sizes: [[1, 3, 3, 5]],
  },
  GatherNd: { nodes: [node('GatherNd', ['x', 'i'])], weights: { i: wholeWeight([0, 0], [2, 1]) } },
  'Concat, axis first': {
    nodes: [node('Concat', ['axis', 'x', 'x'], { N: int(2) })],
    weights: { axis: wholeWeight(2) },
  },
  'Rank and Size': {
    nodes: [
      node('Rank', ['x'], {}, 'r'),
      node('Size', ['x'], {}, 's'),
      node('AddV2', ['r', 's'], {}, 'sum'),
      node('Cast', ['sum'], { DstT: type('DT_FLOAT') }, 'f'),
      node('Mul', ['x', 'f']),
    ],
  },
  'Slice to half of a size': {
    nodes: [
      node('Shape', ['x'], {}, 'size'),
      node('FloorDiv', ['size', 'divisor'], {}, 'half'),
      node('Slice', ['x', 'begin', 'half']),
    ],
    weights: { divisor: wholeWeight([1, 2, 2, 1]), begin: wholeWeight([0, 1, 1, 0]) },
  },
  'StridedSlice from a third of a size': {
    nodes: [
      node('Shape', ['x'], {}, 'size'),
      node('FloorDiv', ['size', 'three'], {}, 'third'),
      node('StridedSlice', ['x', 'third', 'size', 'ones'], { begin_mask: int(9) }),
    ],
    weights: { three: wholeWeight(3), ones: wholeWeight([1, 1, 1, 1]) },
  },
  'PlaceholderWithDefault that nothing feeds': {
    nodes: [node('PlaceholderWithDefault', ['w'], {}, 'p'), node('AddV2', ['x', 'p'])],
    weights: { w: randomWeight([3]) },
  },
  'BatchMatMul and MatMul': {
    nodes: [
      node('BatchMatMul', ['x', 'x'], { adj_x: flag(true) }, 'b'),
      node('Reshape', ['b', 'flat'], {}, 'f'),
      node('MatMul', ['f', 'w'], { transpose_b: flag(true) }, 'm'),
      node('Reshape', ['m', 'back']),
    ],
    weights: { flat: wholeWeight([-1, 3]), w: randomWeight([4, 3]), back: wholeWeight([1, 8, -1, 4]) },
    shape: [1, 8, 8, 3],
    sizes: [[1, 3, 8, 8]],
  },
};

test.each(Object.entries(cases))('%s', (_, each) => expectCase(each));
