/** Operators on images, each as a GraphModel: imported and run in onnxruntime, against tfjs running that model. */
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
  wholeWeight,
} from './tfjs-graph-model.ts';

const windows = (stride: number, padding: string, dilation = 1) => ({
  strides: ints(1, stride, stride, 1),
  padding: text(padding),
  dilations: ints(1, dilation, dilation, 1),
  data_format: text('NHWC'),
});

const twice = [
  node('Shape', ['x'], {}, 'size'),
  node('StridedSlice', ['size', 'i0', 'i1', 'i1'], { shrink_axis_mask: int(1) }, 'n'),
  node('StridedSlice', ['size', 'i1', 'i2', 'i1'], { shrink_axis_mask: int(1) }, 'h'),
  node('StridedSlice', ['size', 'i2', 'i3', 'i1'], { shrink_axis_mask: int(1) }, 'w1'),
  node('Mul', ['h', 'factor'], {}, 'h2'),
  node('Mul', ['w1', 'factor'], {}, 'w2'),
  node('Pack', ['n', 'h2', 'w2', 'four'], { axis: int(0), N: int(4) }, 's'),
];

const twiceWeights = {
  i0: wholeWeight([0]),
  i1: wholeWeight([1]),
  i2: wholeWeight([2]),
  i3: wholeWeight([3]),
  factor: wholeWeight(2),
  four: wholeWeight(4),
};

const cases: Record<string, Case> = {
  'Conv2D SAME': two('Conv2D', randomWeight([3, 3, 3, 4]), windows(1, 'SAME')),
  'Conv2D SAME stride 2': {
    ...two('Conv2D', randomWeight([3, 3, 3, 4]), windows(2, 'SAME')),
    left: ['Conv'],
  },
  'Conv2D SAME stride 2, even kernel': two('Conv2D', randomWeight([4, 4, 3, 4]), windows(2, 'SAME')),
  'Conv2D SAME stride 3, kernel 2 by 5': two('Conv2D', randomWeight([2, 5, 3, 4]), windows(3, 'SAME')),
  'Conv2D VALID stride 2': two('Conv2D', randomWeight([3, 3, 3, 4]), windows(2, 'VALID')),
  'Conv2D SAME dilation 2': two('Conv2D', randomWeight([3, 3, 3, 4]), windows(1, 'SAME', 2)),
  'Conv2D EXPLICIT': two('Conv2D', randomWeight([3, 3, 3, 4]), {
    ...windows(1, 'EXPLICIT'),
    explicit_paddings: ints(0, 0, 1, 2, 0, 1, 0, 0),
  }),
  'Conv2D in NCHW': {
    ...two('Conv2D', randomWeight([3, 3, 3, 4]), {
      // tfjs takes the strides' second and third numbers whatever the layout.
      strides: ints(1, 1, 1, 1),
      padding: text('SAME'),
      dilations: ints(1, 1, 1, 1),
      data_format: text('NCHW'),
    }),
    shape: [-1, 3, -1, -1],
    left: ['Conv'],
  },
  'Conv2D SAME stride 2, fixed odd size': {
    ...two('Conv2D', randomWeight([3, 3, 3, 4]), windows(2, 'SAME')),
    shape: [-1, 9, 8, 3],
    sizes: [[2, 3, 9, 8]],
  },
  'DepthwiseConv2dNative stride 2': two(
    'DepthwiseConv2dNative',
    randomWeight([3, 3, 3, 1]),
    windows(2, 'SAME'),
  ),
  'DepthwiseConv2dNative, 2 results a channel': two(
    'DepthwiseConv2dNative',
    randomWeight([3, 3, 3, 2]),
    windows(1, 'SAME'),
  ),
  '_FusedConv2D with bias and activation': {
    nodes: [
      node('_FusedConv2D', ['x', 'w', 'b'], {
        ...windows(1, 'SAME'),
        num_args: int(1),
        fused_ops: texts('BiasAdd', 'Relu6'),
      }),
    ],
    weights: { w: randomWeight([3, 3, 3, 4]), b: randomWeight([4], 2) },
  },
  '_FusedConv2D with LeakyRelu': {
    nodes: [
      node('_FusedConv2D', ['x', 'w', 'b'], {
        ...windows(2, 'SAME'),
        num_args: int(1),
        fused_ops: texts('BiasAdd', 'LeakyRelu'),
        leakyrelu_alpha: float(0.3),
      }),
    ],
    weights: { w: randomWeight([3, 3, 3, 4]), b: randomWeight([4], 2) },
  },
  '_FusedConv2D with Prelu': {
    nodes: [
      node('_FusedConv2D', ['x', 'w', 'b', 'a'], {
        ...windows(1, 'SAME'),
        num_args: int(2),
        fused_ops: texts('BiasAdd', 'Prelu'),
      }),
    ],
    weights: { w: randomWeight([3, 3, 3, 4]), b: randomWeight([4], 2), a: randomWeight([1, 1, 4], 3) },
  },
  FusedDepthwiseConv2dNative: {
    nodes: [
      node('FusedDepthwiseConv2dNative', ['x', 'w', 'b'], {
        ...windows(1, 'SAME'),
        num_args: int(1),
        fused_ops: texts('BiasAdd', 'Elu'),
      }),
    ],
    weights: { w: randomWeight([3, 3, 3, 1]), b: randomWeight([3], 2) },
  },
  'Conv2DBackpropInput to a fixed odd size': {
    nodes: [node('Conv2DBackpropInput', ['s', 'w', 'x'], windows(2, 'SAME'))],
    weights: { s: wholeWeight([1, 9, 7, 4]), w: randomWeight([3, 3, 4, 3]) },
    shape: [1, 5, 4, 3],
    sizes: [[1, 3, 5, 4]],
  },
  'Conv2DBackpropInput VALID': {
    nodes: [node('Conv2DBackpropInput', ['s', 'w', 'x'], windows(2, 'VALID'))],
    weights: { s: wholeWeight([1, 12, 10, 4]), w: randomWeight([3, 3, 4, 3]) },
    shape: [1, 5, 4, 3],
    sizes: [[1, 3, 5, 4]],
  },
  ...Object.fromEntries(
    [3, 4, 1].map((kernel): [string, Case] => [
      `Conv2DBackpropInput to twice the size, kernel ${kernel}`,
      {
        nodes: [...twice, node('Conv2DBackpropInput', ['s', 'w', 'x'], windows(2, 'SAME'))],
        weights: { ...twiceWeights, w: randomWeight([kernel, kernel, 4, 3]) },
      },
    ]),
  ),
  'Conv2DBackpropInput to the size before a stride': {
    nodes: [
      node('Conv2D', ['x', 'w'], windows(2, 'SAME'), 'small'),
      node('Shape', ['x'], {}, 'size'),
      node('Conv2DBackpropInput', ['size', 'w', 'small'], windows(2, 'SAME'), 'large'),
      node('AddV2', ['large', 'x']),
    ],
    weights: { w: randomWeight([3, 3, 3, 4]) },
  },
  'SpaceToBatchND, Conv2D, BatchToSpaceND': {
    nodes: [
      node('SpaceToBatchND', ['x', 'block', 'pads'], {}, 's'),
      node('Conv2D', ['s', 'w'], windows(1, 'VALID'), 'c'),
      node('BatchToSpaceND', ['c', 'block', 'crops']),
    ],
    weights: {
      block: wholeWeight([2, 2]),
      pads: wholeWeight([2, 2, 2, 3], [2, 2]),
      crops: wholeWeight([0, 0, 0, 1], [2, 2]),
      w: randomWeight([3, 3, 3, 4]),
    },
    shape: [-1, 8, 9, 3],
    sizes: [[2, 3, 8, 9]],
    left: ['Conv'],
  },
  'SpaceToBatchND, DepthwiseConv2dNative, BatchToSpaceND with a bias': {
    nodes: [
      node('SpaceToBatchND', ['x', 'block', 'pads'], {}, 's'),
      node(
        'FusedDepthwiseConv2dNative',
        ['s', 'w', 'b'],
        { ...windows(1, 'VALID'), num_args: int(1), fused_ops: texts('BiasAdd') },
        'c',
      ),
      node('BatchToSpaceND', ['c', 'block', 'crops']),
    ],
    weights: {
      block: wholeWeight([3, 3]),
      pads: wholeWeight([3, 4, 3, 3], [2, 2]),
      crops: wholeWeight([0, 1, 0, 0], [2, 2]),
      w: randomWeight([3, 3, 3, 1]),
      b: randomWeight([3], 2),
    },
    shape: [-1, 8, 9, 3],
    sizes: [[2, 3, 8, 9]],
    left: ['Conv'],
  },
  'BatchToSpaceND that crops before the first pixel': {
    nodes: [
      node('SpaceToBatchND', ['x', 'block', 'pads'], {}, 's'),
      node('Conv2D', ['s', 'w'], windows(1, 'VALID'), 'c'),
      node('BatchToSpaceND', ['c', 'block', 'crops']),
    ],
    weights: {
      block: wholeWeight([2, 2]),
      pads: wholeWeight([3, 3, 2, 2], [2, 2]),
      crops: wholeWeight([1, 0, 0, 0], [2, 2]),
      w: randomWeight([3, 3, 3, 4]),
    },
    sizes: [[1, 3, 8, 10]],
  },
  'SpaceToBatchND and BatchToSpaceND': {
    nodes: [
      node('SpaceToBatchND', ['x', 'block', 'pads'], {}, 's'),
      node('Relu', ['s'], {}, 'c'),
      node('BatchToSpaceND', ['c', 'block', 'crops']),
    ],
    weights: {
      block: wholeWeight([2, 3]),
      pads: wholeWeight([1, 1, 0, 0], [2, 2]),
      crops: wholeWeight([0, 1, 1, 0], [2, 2]),
    },
    sizes: [
      [1, 3, 8, 9],
      [2, 3, 4, 3],
    ],
  },
  'MaxPool SAME': one('MaxPool', { ...windows(2, 'SAME'), ksize: ints(1, 3, 3, 1) }),
  'MaxPool VALID': one('MaxPool', { ...windows(2, 'VALID'), ksize: ints(1, 2, 2, 1) }),
  'AvgPool SAME': one('AvgPool', { ...windows(2, 'SAME'), ksize: ints(1, 3, 3, 1) }),
  'AvgPool SAME stride 1': one('AvgPool', { ...windows(1, 'SAME'), ksize: ints(1, 3, 3, 1) }),
  ...Object.fromEntries(
    ['ResizeBilinear', 'ResizeNearestNeighbor'].flatMap((op) =>
      (
        [
          [false, false],
          [true, false],
          [false, true],
        ] as const
      ).flatMap(([corners, centres]) =>
        (
          [
            [12, 20],
            [5, 4],
            [16, 16],
          ] as const
        ).map(([height, width]): [string, Case] => [
          `${op} to ${height} by ${width}${corners ? ', align_corners' : ''}${centres ? ', half_pixel_centers' : ''}`,
          two(op, wholeWeight([height, width]), {
            align_corners: flag(corners),
            half_pixel_centers: flag(centres),
          }),
        ]),
      ),
    ),
  ),
  'ResizeBilinear to twice the size': {
    nodes: [
      node('Shape', ['x'], {}, 'size'),
      node('StridedSlice', ['size', 'i1', 'i3', 'i11'], {}, 'hw'),
      node('Mul', ['hw', 'two'], {}, 'hw2'),
      node('ResizeBilinear', ['x', 'hw2'], { half_pixel_centers: flag(true) }),
    ],
    weights: { i1: wholeWeight([1]), i3: wholeWeight([3]), i11: wholeWeight([1]), two: wholeWeight(2) },
  },
  'MirrorPad REFLECT': two('MirrorPad', wholeWeight([0, 0, 3, 2, 1, 4, 0, 0], [4, 2]), {
    mode: text('REFLECT'),
  }),
  'MirrorPad SYMMETRIC': two('MirrorPad', wholeWeight([0, 0, 3, 2, 1, 0, 0, 0], [4, 2]), {
    mode: text('SYMMETRIC'),
  }),
  Pad: two('Pad', wholeWeight([0, 0, 3, 2, 1, 0, 0, 2], [4, 2])),
  PadV2: {
    nodes: [node('PadV2', ['x', 'w', 'v'])],
    weights: {
      w: wholeWeight([0, 0, 3, 2, 1, 0, 0, 0], [4, 2]),
      v: scalar(0.5),
    },
  },
  DepthToSpace: {
    ...one('DepthToSpace', { block_size: int(2), data_format: text('NHWC') }),
    shape: [-1, -1, -1, 12],
    sizes: [[2, 12, 3, 5]],
  },
  'FusedBatchNorm and FusedBatchNormV2': {
    nodes: [
      node('FusedBatchNorm', ['x', 'a', 'b', 'm', 'v'], { epsilon: float(0.01) }, 'n'),
      node('FusedBatchNormV2', ['n', 'a', 'b', 'm', 'v']),
    ],
    weights: {
      a: randomWeight([3], 1),
      b: randomWeight([3], 2),
      m: randomWeight([3], 3),
      v: { dtype: 'float32', shape: [3], values: [0.5, 1, 2] },
    },
  },
  FusedBatchNormV3: {
    nodes: [
      node('FusedBatchNormV3', ['x', 'a', 'b', 'm', 'v'], { epsilon: float(0.01), is_training: flag(false) }),
    ],
    weights: {
      a: randomWeight([3], 1),
      b: randomWeight([3], 2),
      m: randomWeight([3], 3),
      v: { dtype: 'float32', shape: [3], values: [0.5, 1, 2] },
    },
  },
  BiasAdd: two('BiasAdd', randomWeight([3])),
};

test.each(Object.entries(cases))('%s', (_, each) => expectCase(each));
