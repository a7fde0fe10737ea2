/** Layers of users' own, and what is said of layers that nobody knows. */
import { type CustomLayer, importTfjs } from '@cyclegan/export';
import { DepthToSpace, type Graph, Mul, Transpose, type Value } from '@cyclegan/graph';
import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { KerasFile } from './tfjs-layers-keras.ts';
import { largestDifference, noise, runGraph, writeModel } from './tfjs-layers-support.ts';

/** One layer on an image, in a file of its own. */
function fileOf(className: string, config: Record<string, unknown>, channels = 3) {
  const file = new KerasFile();
  const input = file.input([null, null, null, channels]);
  return writeModel(temporaryFolder(), file.model(input, file.add(className, config, [input])));
}

// The docstring's example.
const scale: CustomLayer = {
  className: 'Scale',
  convert: ({ graph, x, config }) => graph.op(Mul, [x, graph.float(config.number('factor', 1))]),
  define: (tf) =>
    class Scale extends tf.layers.Layer {
      static className = 'Scale';
      factor: number;
      constructor(config: { factor?: number; name?: string }) {
        super(config);
        this.factor = config.factor ?? 1;
      }
      override call(inputs: TfTensor | TfTensor[]) {
        const [x] = [inputs].flat();
        return x ? tf.mul(x, this.factor) : [];
      }
    },
};

describe('a layer of one’s own', () => {
  test('is converted, and runs in the source model by the class that it defines', async () => {
    const { graph, openReference } = await importTfjs(fileOf('Scale', { factor: -3 }), {
      customLayers: [scale],
    });
    const image = noise([1, 3, 5, 4]);
    const [output] = await runGraph(graph, [image]);
    expect(output?.data).toEqual(image.data.map((value) => Math.fround(value * -3)));
    const reference = await openReference();
    expect(largestDifference(output, await reference.run(image))).toBe(0);
    await reference.dispose();
  });

  test('without a class cannot be run by tfjs, which one sentence says', async () => {
    const { define: _, ...unrunnable } = { ...scale, className: 'ScaleWithoutClass' };
    const { openReference } = await importTfjs(fileOf('ScaleWithoutClass', {}), {
      customLayers: [unrunnable],
    });
    await expect(openReference()).rejects.toThrow(
      /^\[export\] .*: expected a model that tfjs-layers itself can load, got this: Unknown layer: ScaleWithoutClass\. .*define/,
    );
  });

  test('comes before a built-in one of the same name', async () => {
    const other: CustomLayer = {
      className: 'ReflectionPadding2D',
      convert: ({ graph, x }) => graph.op(Mul, [x, graph.float(2)]),
    };
    const { graph } = await importTfjs(fileOf('ReflectionPadding2D', {}), { customLayers: [other] });
    const image = noise([1, 3, 5, 4]);
    const [output] = await runGraph(graph, [image]);
    expect(output?.data).toEqual(image.data.map((value) => value * 2));
  });

  test('may be TensorFlow’s own operator, as tf.keras saves it', async () => {
    const toNhwc = (graph: Graph, x: Value) => graph.op(Transpose, [x], { perm: [0, 2, 3, 1] });
    const operator: CustomLayer = {
      className: 'TensorFlowOpLayer',
      refuse: (config) =>
        nodeOf(config.value('node_def')).op === 'DepthToSpace' ? undefined : 'an operator',
      convert: ({ graph, x, config }) => {
        const blocksize = Number(nodeOf(config.value('node_def')).attr.block_size.i);
        const planes = graph.op(Transpose, [x], { perm: [0, 3, 1, 2] });
        return toNhwc(graph, graph.op(DepthToSpace, [planes], { blocksize, mode: 'DCR' }));
      },
    };
    const node_def = { name: 'DepthToSpace', op: 'DepthToSpace', attr: { block_size: { i: '2' } } };
    const { graph } = await importTfjs(fileOf('TensorFlowOpLayer', { node_def }, 4), {
      customLayers: [operator],
    });
    const [output] = await runGraph(graph, [{ shape: [1, 4, 1, 1], data: Float32Array.of(1, 2, 3, 4) }]);
    expect(output).toEqual({ shape: [1, 1, 2, 2], data: Float32Array.of(1, 2, 3, 4) });
  });
});

function nodeOf(value: unknown) {
  return value as { op: string; attr: { block_size: { i: string } } };
}

test('the built-in ones read every spelling of their configurations', async () => {
  const spellings = [
    1,
    [1, 1],
    [
      [1, 1],
      [1, 1],
    ],
  ];
  const image = noise([1, 3, 4, 5]);
  const outputs = await Promise.all(
    spellings.map(async (padding) => {
      const { graph } = await importTfjs(fileOf('ReflectionPadding2D', { padding }));
      return runGraph(graph, [image]);
    }),
  );
  for (const [output] of outputs) expect(output?.shape).toEqual([1, 3, 6, 7]);
  expect(outputs[1]).toEqual(outputs[0]);
  expect(outputs[2]).toEqual(outputs[0]);
  await expect(importTfjs(fileOf('ReflectionPadding2D', {}))).rejects.toThrow(/with padding of .*, got none/);
  await expect(importTfjs(fileOf('InstanceNormalization', { axis: [1, 2] }))).rejects.toThrow(
    /channels’ axis/,
  );
  await expect(importTfjs(fileOf('InstanceNormalization', { axis: null }))).rejects.toThrow(/got null/);
});

test('layers that cannot be carried over are named all at once, with why', async () => {
  const file = new KerasFile();
  const input = file.input([null, null, null, 3]);
  const conv = { filters: 3, kernel_size: 3 };
  const added = [
    ['Lambda', { name: 'lambda_1', function: 'x' }],
    ['Masking', { name: 'mask' }],
    ['Conv2D', { ...conv, name: 'wavy', activation: 'wave' }],
    ['Conv2D', { ...conv, name: 'grouped', groups: 3 }],
    ['Conv2D', { ...conv, name: 'causal', padding: 'causal' }],
    ['DepthwiseConv2D', { kernel_size: 3, name: 'wide', dilation_rate: [2, 2] }],
    ['Conv2DTranspose', { ...conv, name: 'more', output_padding: [1, 1] }],
    ['SeparableConv2D', { ...conv, name: 'first', data_format: 'channels_first' }],
    ['ReLU', { name: 'slope', negative_slope: 0.2 }],
    ['ELU', { name: 'elu', alpha: 2 }],
    ['GlobalMaxPooling2D', { name: 'kept', keepdims: true }],
    ['UpSampling2D', { name: 'cubic', interpolation: 'bicubic' }],
    ['__proto__', { name: '__proto__' }],
    ['constructor', { name: 'made' }],
  ] as const;
  let x = input;
  for (const [className, config] of added) x = file.add(className, config, [x]);
  const folder = writeModel(temporaryFolder(), file.model(input, x));
  const message = await importTfjs(folder).then(
    () => '',
    (error: Error) => error.message,
  );
  expect(message).toContain(
    'expected layers that can be carried over, got Lambda lambda_1; Masking mask; Conv2D wavy (activation wave); ' +
      'Conv2D grouped (groups, which tfjs does not know); Conv2D causal (padding causal, which has one dimension alone)',
  );
  for (const [className, { name }] of added) expect(message).toContain(`${className} ${name}`);
  expect(message).toContain('ReLU slope (negative_slope other than 0, which tfjs leaves out without a word)');
  expect(message).toMatch(/Give their kinds as customLayers\.$/);
});
