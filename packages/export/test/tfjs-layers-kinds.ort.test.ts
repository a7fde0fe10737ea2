/** Every kind of layer, made and saved by tfjs-layers, against tfjs-layers' own answer, at several sizes. */
import { importTfjs } from '@cyclegan/export';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import {
  largestDifference,
  noise,
  predict,
  randomizeWeights,
  runGraph,
  saved,
  tf,
  trial,
  writeModel,
} from './tfjs-layers-support.ts';

const { layers } = tf;
type Build = (x: SymbolicTensor) => SymbolicTensor;

const one =
  (layer: { apply(x: SymbolicTensor): unknown }): Build =>
  (x) =>
    layer.apply(x) as SymbolicTensor;
const many = (layer: { apply(x: SymbolicTensor[]): unknown }, inputs: SymbolicTensor[]) =>
  layer.apply(inputs) as SymbolicTensor;
/** Two branches of four channels. */
const branches = (x: SymbolicTensor): [SymbolicTensor, SymbolicTensor] => [
  one(layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same' }))(x),
  one(layers.conv2d({ filters: 4, kernelSize: 1 }))(x),
];
const merging =
  (layer: Parameters<typeof many>[0]): Build =>
  (x) =>
    many(layer, branches(x));

/** tfjs's own types do not know all that it has. */
type ActivationName = NonNullable<Parameters<typeof layers.activation>[0]>['activation'];

const activations = [
  'elu',
  'hardSigmoid',
  'linear',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softmax',
  'logSoftmax',
  'softplus',
  'softsign',
  'tanh',
  'swish',
  'mish',
  'gelu',
] as const;

const cases: Record<string, Build> = {
  'Conv2D valid': one(layers.conv2d({ filters: 5, kernelSize: [3, 2] })),
  'Conv2D same, stride 2': one(layers.conv2d({ filters: 5, kernelSize: 3, strides: 2, padding: 'same' })),
  'Conv2D same, strides 3 and 2, kernel 4': one(
    layers.conv2d({ filters: 2, kernelSize: 4, strides: [3, 2], padding: 'same' }),
  ),
  'Conv2D dilated, without bias, tanh': one(
    layers.conv2d({
      filters: 3,
      kernelSize: 3,
      dilationRate: 2,
      useBias: false,
      activation: 'tanh',
      padding: 'same',
    }),
  ),
  DepthwiseConv2D: one(
    layers.depthwiseConv2d({
      kernelSize: 3,
      depthMultiplier: 2,
      strides: 2,
      padding: 'same',
      activation: 'relu6',
    }),
  ),
  SeparableConv2D: one(layers.separableConv2d({ filters: 5, kernelSize: 3, strides: 2, padding: 'same' })),
  'Conv2DTranspose same, stride 2': one(
    layers.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }),
  ),
  'Conv2DTranspose same, kernel 4': one(
    layers.conv2dTranspose({ filters: 4, kernelSize: 4, strides: 2, padding: 'same', useBias: false }),
  ),
  'Conv2DTranspose valid, stride 2': one(layers.conv2dTranspose({ filters: 4, kernelSize: 5, strides: 2 })),
  'Conv2DTranspose valid, stride above kernel': one(
    layers.conv2dTranspose({ filters: 4, kernelSize: 2, strides: 3 }),
  ),
  'Dense on an image': one(layers.dense({ units: 6, activation: 'sigmoid' })),
  BatchNormalization: one(layers.batchNormalization({ epsilon: 0.01 })),
  'BatchNormalization, plain': one(layers.batchNormalization({ scale: false, center: false })),
  'BatchNormalization, axis 3': one(layers.batchNormalization({ axis: 3 })),
  LayerNormalization: one(layers.layerNormalization({ epsilon: 1e-5 })),
  'LayerNormalization, plain': one(layers.layerNormalization({ scale: false, center: false })),
  Rescaling: one(layers.rescaling({ scale: 2, offset: -0.5 })),
  ReLU: one(layers.reLU()),
  'ReLU to 0.5': one(layers.reLU({ maxValue: 0.5 })),
  LeakyReLU: one(layers.leakyReLU({ alpha: 0.2 })),
  'LeakyReLU by default': one(layers.leakyReLU()),
  'PReLU shared': one(layers.prelu({ sharedAxes: [1, 2] })),
  ELU: one(layers.elu()),
  ThresholdedReLU: one(layers.thresholdedReLU({ theta: 0.3 })),
  Softmax: one(layers.softmax({ axis: -1 })),
  MaxPooling2D: one(layers.maxPooling2d({ poolSize: 2 })),
  'MaxPooling2D same, stride 2': one(layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' })),
  'AveragePooling2D same, stride 2': one(
    layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
  ),
  AveragePooling2D: one(layers.averagePooling2d({ poolSize: [2, 3], strides: [1, 2] })),
  ZeroPadding2D: one(
    layers.zeroPadding2d({
      padding: [
        [1, 2],
        [3, 0],
      ],
    }),
  ),
  'ZeroPadding2D by one number': one(layers.zeroPadding2d({ padding: 2 })),
  Cropping2D: one(
    layers.cropping2D({
      cropping: [
        [1, 2],
        [0, 3],
      ],
    }),
  ),
  'UpSampling2D nearest': one(layers.upSampling2d({ size: [2, 3] })),
  'UpSampling2D bilinear': one(layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' })),
  'Dropout and noise': (x) =>
    [
      layers.dropout({ rate: 0.5 }),
      layers.gaussianDropout({ rate: 0.5 }),
      layers.gaussianNoise({ stddev: 1 }),
      layers.alphaDropout({ rate: 0.5 }),
    ].reduce<SymbolicTensor>((value, layer) => one(layer)(value), x),
  Add: merging(layers.add()),
  Multiply: merging(layers.multiply()),
  Average: merging(layers.average()),
  Maximum: merging(layers.maximum()),
  Minimum: merging(layers.minimum()),
  'Add of three': (x) => many(layers.add(), [...branches(x), branches(x)[0]]),
  'Concatenate channels': merging(layers.concatenate()),
  'Concatenate rows': merging(layers.concatenate({ axis: 1 })),
  Permute: one(layers.permute({ dims: [2, 1, 3] })),
  // As in squeeze-and-excitation: the mean of all pixels weighs the channels.
  'GlobalAveragePooling2D, Dense, Reshape, Multiply': (x) => {
    const mean = one(layers.globalAveragePooling2d({}))(x);
    const weights = one(layers.dense({ units: 3, activation: 'sigmoid' }))(mean);
    return many(layers.multiply(), [x, one(layers.reshape({ targetShape: [1, 1, 3] }))(weights)]);
  },
  'GlobalMaxPooling2D, Flatten, and inputs of fewer axes': (x) => {
    const most = one(layers.globalMaxPooling2d({}))(x);
    const flat = one(layers.flatten())(one(layers.reshape({ targetShape: [1, 3] }))(most));
    return many(layers.add(), [x, flat]);
  },
  ...Object.fromEntries(
    activations.map((activation) => [
      `Activation ${activation}`,
      one(layers.activation({ activation: activation as ActivationName })),
    ]),
  ),
};

const sizes = [
  [1, 3, 8, 8],
  [2, 3, 11, 7],
  [1, 3, 5, 14],
];

test.each(Object.entries(cases))('%s', async (_, build) => {
  const input = tf.input({ shape: [null, null, 3] });
  const model = tf.model({ inputs: input, outputs: build(input) });
  randomizeWeights(model);
  expect(await trial({ model, folder: temporaryFolder(), sizes })).toBeLessThan(1e-5);
  model.dispose();
});

test('Flatten and Reshape of a fixed size', async () => {
  const input = tf.input({ shape: [4, 6, 3] });
  const flat = one(layers.flatten())(input);
  const mixed = one(layers.dense({ units: 48 }))(flat);
  const model = tf.model({
    inputs: input,
    outputs: one(layers.reshape({ targetShape: [4, -1, 2] }))(mixed),
  });
  randomizeWeights(model);
  const fixed = [
    [1, 3, 4, 6],
    [3, 3, 4, 6],
  ];
  expect(await trial({ model, folder: temporaryFolder(), sizes: fixed })).toBeLessThan(1e-5);
});

test('PReLU with a slope for each element', async () => {
  const input = tf.input({ shape: [5, 4, 3] });
  const model = tf.model({ inputs: input, outputs: one(layers.prelu())(input) });
  randomizeWeights(model);
  expect(await trial({ model, folder: temporaryFolder(), sizes: [[2, 3, 5, 4]] })).toBe(0);
});

const channelsFirst: Record<string, Build> = {
  Conv2D: one(
    layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', dataFormat: 'channelsFirst' }),
  ),
  DepthwiseConv2D: one(layers.depthwiseConv2d({ kernelSize: 3, dataFormat: 'channelsFirst' })),
  'SeparableConv2D without bias': one(
    layers.separableConv2d({ filters: 4, kernelSize: 3, dataFormat: 'channelsFirst', useBias: false }),
  ),
  Conv2DTranspose: one(
    layers.conv2dTranspose({
      filters: 4,
      kernelSize: 3,
      strides: 2,
      padding: 'same',
      dataFormat: 'channelsFirst',
    }),
  ),
  'pooling, padding, cropping, enlarging': (x) =>
    [
      layers.maxPooling2d({ poolSize: 2, strides: 1, padding: 'same', dataFormat: 'channelsFirst' }),
      layers.averagePooling2d({ poolSize: 2, strides: 1, dataFormat: 'channelsFirst' }),
      layers.zeroPadding2d({ padding: [1, 2], dataFormat: 'channelsFirst' }),
      layers.cropping2D({ cropping: [1, 2], dataFormat: 'channelsFirst' }),
      layers.upSampling2d({ size: [3, 2], dataFormat: 'channelsFirst', interpolation: 'bilinear' }),
    ].reduce<SymbolicTensor>((value, layer) => one(layer)(value), x),
};

test.each(Object.entries(channelsFirst))('channels first: %s', async (_, build) => {
  const input = tf.input({ shape: [3, null, null] });
  const model = tf.model({ inputs: input, outputs: build(input) });
  randomizeWeights(model);
  expect(await trial({ model, folder: temporaryFolder(), sizes, nhwc: false })).toBeLessThan(1e-5);
});

// tfjs forgets the multiplier when it saves, Keras does not.
test('SeparableConv2D with a depth multiplier', async () => {
  const input = tf.input({ shape: [null, null, 3] });
  const layer = layers.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2 });
  const model = tf.model({ inputs: input, outputs: one(layer)(input) });
  randomizeWeights(model);
  const { json, data } = await saved(model);
  const text = JSON.stringify(json).replace('"filters":5', '"filters":5,"depth_multiplier":2');
  const folder = writeModel(temporaryFolder(), { json: JSON.parse(text), data });
  const image = noise([2, 3, 7, 9]);
  const [output] = await runGraph((await importTfjs(folder)).graph, [image]);
  expect(largestDifference(predict(model, image), output)).toBeLessThan(1e-5);
});

// tfjs's own answer is wrong on its cpu and wasm backends: they spread the statistics along the last axis.
test('channels first: BatchNormalization is that of the channels last', async () => {
  const norms = [1, 3].map((axis) => {
    const input = tf.input({ shape: axis === 1 ? [3, null, null] : [null, null, 3] });
    const model = tf.model({ inputs: input, outputs: one(layers.batchNormalization({ axis }))(input) });
    randomizeWeights(model);
    return model;
  });
  const image = noise([2, 3, 7, 9]);
  const [first, last] = norms;
  if (!first || !last) throw new Error('expected two models');
  const folder = writeModel(temporaryFolder(), await saved(first));
  const [output] = await runGraph((await importTfjs(folder)).graph, [image]);
  expect(largestDifference(predict(last, image), output)).toBeLessThan(1e-5);
});
