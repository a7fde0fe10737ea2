/** How layers make up models: shared, nested, in sequence, and spelled by other versions of Keras; and their weights. */
import { importTfjs } from '@cyclegan/export';
import { formatShape } from '@cyclegan/graph';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { KerasFile } from './tfjs-layers-keras.ts';
import {
  type Json,
  largestDifference,
  noise,
  type Plain,
  predict,
  randomizeWeights,
  runGraph,
  saved,
  tf,
  trial,
  writeModel,
} from './tfjs-layers-support.ts';

const { layers } = tf;
const sizes = [
  [1, 3, 8, 8],
  [2, 3, 7, 11],
];
const rgb = () => tf.input({ shape: [null, null, 3] });
const conv = (filters = 3) => layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu' });
const on = (layer: { apply(x: SymbolicTensor): unknown }, x: SymbolicTensor) =>
  layer.apply(x) as SymbolicTensor;

/** Imports a file, and holds the graph against the source model in tfjs. @returns the largest difference of all */
async function againstReference(
  file: { json: Json; data: Uint8Array },
  options?: Parameters<typeof importTfjs>[1],
): Promise<number> {
  const imported = await importTfjs(writeModel(temporaryFolder(), file), options);
  const images = sizes.map((size, i) => noise(size, i + 1));
  const outputs = await runGraph(imported.graph, images);
  const reference = await imported.openReference();
  const differences: number[] = [];
  for (const [i, image] of images.entries()) {
    differences.push(largestDifference(outputs[i], await reference.run(image)));
  }
  await reference.dispose();
  return Math.max(...differences);
}

/** Three convolutions, the last of them applied twice. */
function sharedModel(): LayersModel {
  const input = rgb();
  const shared = conv();
  const x = on(shared, on(conv(), input));
  return tf.model({ inputs: input, outputs: on(layers.leakyReLU(), on(shared, x)) });
}

test('a Sequential, whose first layer holds the input shape', async () => {
  const model = tf.sequential({
    layers: [
      layers.conv2d({ filters: 4, kernelSize: 3, inputShape: [null, null, 3], padding: 'same' }),
      layers.batchNormalization(),
      layers.upSampling2d({}),
    ],
  });
  randomizeWeights(model);
  expect(await trial({ model, folder: temporaryFolder(), sizes })).toBeLessThan(1e-5);
});

test('a layer that is applied twice, whose weights the graph holds once', async () => {
  const model = sharedModel();
  randomizeWeights(model);
  const folder = temporaryFolder();
  expect(await trial({ model, folder, sizes })).toBeLessThan(1e-5);
  const { graph } = await importTfjs(folder);
  const kernels = graph.nodes.flatMap(({ op, inputs }) => (op.name === 'Conv' ? [inputs[1]] : []));
  expect(kernels).toHaveLength(3);
  expect(new Set(kernels).size).toBe(2);
});

/** An inner model of one convolution, applied twice. */
function nestedModel(): LayersModel {
  const inside = rgb();
  const inner = tf.model({
    inputs: inside,
    outputs: on(layers.leakyReLU(), on(conv(), inside)),
    name: 'inner',
  });
  const input = rgb();
  return tf.model({ inputs: input, outputs: on(inner, on(inner, input)), name: 'outer' });
}

test('a model inside a model, applied twice', async () => {
  const model = nestedModel();
  randomizeWeights(model);
  expect(await trial({ model, folder: temporaryFolder(), sizes })).toBeLessThan(1e-5);
});

test('models in a Sequential, the first without an input of the outer one', async () => {
  const first = tf.sequential({
    layers: [layers.conv2d({ filters: 3, kernelSize: 3, inputShape: [null, null, 3], padding: 'same' })],
  });
  const model = tf.sequential({ layers: [first, sharedModel()] });
  randomizeWeights(model);
  expect(await trial({ model, folder: temporaryFolder(), sizes })).toBeLessThan(1e-5);
});

test('the source model runs beside the graph', async () => {
  for (const model of [sharedModel(), nestedModel()]) {
    randomizeWeights(model);
    expect(await againstReference(await saved(model))).toBeLessThan(1e-5);
  }
});

test('one of several outputs', async () => {
  const input = rgb();
  const [left, right] = [on(conv(2), input), on(conv(3), input)];
  const model = tf.model({ inputs: input, outputs: [left, right] });
  randomizeWeights(model);
  const file = await saved(model);
  const folder = writeModel(temporaryFolder(), file);
  await expect(importTfjs(folder)).rejects.toThrow(
    /expected one of its outputs conv2d_\w+, conv2d_\w+, got none/,
  );
  const [, output = ''] = model.outputNames;
  const imported = await importTfjs(folder, { output });
  expect(imported.graph.outputs.map(({ value }) => formatShape(value.shape))).toEqual(['[N, 3, H, W]']);
  expect(await againstReference(file, { output })).toBeLessThan(1e-5);
});

/** The same model as Keras 3 writes it. */
function kerasThree({ json, data }: { json: Json; data: Uint8Array }): { json: Json; data: Uint8Array } {
  const text = JSON.stringify(json)
    .replaceAll('"batch_input_shape"', '"batch_shape"')
    .replaceAll(
      '"dtype":"float32","sparse"',
      '"dtype":{"module":"keras","class_name":"DTypePolicy","config":{"name":"float32"}},"sparse"',
    )
    .replaceAll(
      '"activation":"swish"',
      '"activation":{"module":"builtins","class_name":"function","config":"silu","registered_name":"function"}',
    )
    .replaceAll('"alpha":0.2', '"negative_slope":0.2');
  const changed = JSON.parse(text, (key, value) =>
    key === 'inbound_nodes' ? value.map(nodeOfThree) : /^(in|out)put_layers$/.test(key) ? value[0] : value,
  );
  return { json: changed, data };
}

function nodeOfThree(node: [string, number, number][]): Json {
  const tensors = node.map((history) => ({
    class_name: '__keras_tensor__',
    config: { shape: [null, null, null, 3], dtype: 'float32', keras_history: history.slice(0, 3) },
  }));
  return { args: tensors.length > 1 ? [tensors] : tensors, kwargs: {} };
}

test('Keras 3’s spelling', async () => {
  const file = new KerasFile();
  const input = file.input([null, null, null, 3]);
  const config = { filters: 3, kernel_size: [3, 3], padding: 'same', activation: 'swish' };
  const weights = { kernel: file.random([3, 3, 3, 3]), bias: file.random([3]) };
  const x = file.add('LeakyReLU', { alpha: 0.2 }, [file.add('Conv2D', config, [input], weights)]);
  const model = file.model(input, file.add('Add', {}, [x, input]));
  const changed = kerasThree(model);
  expect(JSON.stringify(changed.json)).toContain('keras_history');
  const [image, outputs] = [noise([1, 3, 6, 9]), []] as [Plain, Plain[]];
  for (const each of [model, changed]) {
    const { graph } = await importTfjs(writeModel(temporaryFolder(), each));
    outputs.push(...(await runGraph(graph, [image])));
  }
  expect(outputs[1]?.data).toEqual(outputs[0]?.data);
  expect(await againstReference(changed)).toBeLessThan(1e-5);
});

test('a Sequential that tells its input’s shape beside the layers', async () => {
  const kernel = { filters: 4, kernel_size: [3, 3], name: 'a' };
  const json = {
    modelTopology: {
      class_name: 'Sequential',
      keras_version: '2.15.0',
      config: {
        layers: [{ class_name: 'Conv2D', config: kernel }],
        build_input_shape: [null, null, null, 3],
      },
    },
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: [
          { name: 'a/kernel', shape: [3, 3, 3, 4], dtype: 'float32' },
          { name: 'a/bias', shape: [4], dtype: 'float32' },
        ],
      },
    ],
  };
  const data = new Uint8Array(noise([3 * 3 * 3 * 4 + 4]).data.buffer);
  expect(await againstReference({ json, data })).toBeLessThan(1e-5);
});

test('a class under its package’s name', async () => {
  const file = new KerasFile();
  const input = file.input([null, null, null, 3]);
  const affine = { gamma: file.random([3]), beta: file.random([3]) };
  const config = { name: 'norm', axis: -1, epsilon: 1e-3, center: true, scale: true };
  const model = file.model(input, file.add('Addons>InstanceNormalization', config, [input], affine));
  expect(await againstReference(model)).toBeLessThan(1e-5);
});

test('layers that tfjs has none of', async () => {
  const file = new KerasFile();
  const input = file.input([null, null, null, 3]);
  const passed = ['SpatialDropout2D', 'ActivityRegularization'].reduce(
    (x, className) => file.add(className, {}, [x]),
    file.add('LeakyReLU', { alpha: 0.5 }, [input]),
  );
  const model = file.model(input, file.add('Subtract', {}, [passed, input]));
  expect(await againstReference(model)).toBeLessThan(1e-6);
});

test('the built-in custom layers, channels first', async () => {
  const file = new KerasFile();
  const input = file.input([null, 3, null, null]);
  const padding = {
    padding: [
      [1, 2],
      [0, 3],
    ],
    data_format: 'channels_first',
  };
  const affine = { gamma: file.random([3]), beta: file.random([3]) };
  const padded = file.add('ReflectionPadding2D', padding, [input]);
  const model = file.model(
    input,
    file.add('InstanceNormalization', { axis: 1, name: 'norm' }, [padded], affine),
  );
  expect(await againstReference(model)).toBeLessThan(1e-5);
});

test.each([
  ['uint8', (size: number) => noiseBytes(size)],
  ['uint16', (size: number) => noiseBytes(2 * size)],
  // Of halves the exponent stays small.
  ['float16', (size: number) => noiseBytes(2 * size).map((byte, i) => (i % 2 ? byte & 0b10110111 : byte))],
] as const)('weights quantised to %s, and its source', async (dtype, bytes) => {
  const model = sharedModel();
  const { json } = await saved(model);
  const [group] = (json['weightsManifest'] ?? []) as { weights: { shape: number[] }[] }[];
  const specs = group?.weights ?? [];
  const data = bytes(specs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0));
  const quantization =
    dtype === 'float16' ? { dtype } : { dtype, scale: dtype === 'uint8' ? 2e-3 : 8e-6, min: -0.25 };
  const weights = specs.map((spec) => ({ ...spec, quantization }));
  const quantised = { ...json, weightsManifest: [{ paths: ['weights.bin'], weights }] };
  expect(await againstReference({ json: quantised, data })).toBeLessThan(1e-4);
});

function noiseBytes(length: number): Uint8Array {
  return Uint8Array.from(noise([length]).data, (value) => (value + 1) * 127.5);
}

test.each([
  ['cell names', (layer: string, name: string) => `${layer}/cell/${name}`],
  ['numbers', (layer: string, name: string) => `${layer}/vars/${name === 'kernel' ? 0 : 1}`],
] as const)('weights called by %s', async (_, rename) => {
  const model = sharedModel();
  randomizeWeights(model);
  const { json, data } = await saved(model);
  const text = JSON.stringify(json).replaceAll(/"(conv2d_\w+)\/(kernel|bias)"/g, (_all, layer, name) =>
    JSON.stringify(rename(layer, name)),
  );
  const file = { json: JSON.parse(text), data };
  expect(await againstReference(file)).toBeLessThan(1e-5);
  const { graph } = await importTfjs(writeModel(temporaryFolder(), file));
  const image = noise([1, 3, 6, 9]);
  const [output] = await runGraph(graph, [image]);
  expect(largestDifference(predict(model, image), output)).toBeLessThan(1e-5);
});
