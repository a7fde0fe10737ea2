/**
 * CycleGAN's generators as Keras models with the built-in custom layers: against tfjs, and the resnet against this
 * project's own with the same weights.
 */
import { generatorGraph, importTfjs } from '@cyclegan/export';
import { formatShape } from '@cyclegan/graph';
import { describe, expect, test } from 'vitest';
import { randomWeights, smallNetworks } from '../../../test/support/make-bundle.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { KerasFile, type KerasWeight } from './tfjs-layers-keras.ts';
import { largestDifference, noise, runGraph, writeModel } from './tfjs-layers-support.ts';

const blocks = 2;
const networks = smallNetworks({ blocks });
const weights = randomWeights(networks, 3);

/** The reference's resnet, with PyTorch's paddings spelled out in Keras's layers. */
function resnet(): { json: Record<string, unknown>; data: Uint8Array } {
  const file = new KerasFile();
  const conv = (x: string, parameter: string, strides: number): string => {
    const { kernel, bias } = kerasWeights(parameter);
    const [size = 1, , , filters = 1] = kernel.shape;
    const config = { filters, kernel_size: [size, size], strides: [strides, strides], padding: 'valid' };
    return file.add('Conv2D', { ...config, activation: 'linear', use_bias: true }, [x], { kernel, bias });
  };
  const up = (x: string, parameter: string): string => {
    const { kernel, bias } = kerasWeights(parameter);
    const config = { filters: kernel.shape[2], kernel_size: [3, 3], strides: [2, 2], padding: 'valid' };
    const y = file.add('Conv2DTranspose', config, [x], { kernel, bias });
    // PyTorch's padding 1 and output padding 1.
    return file.add(
      'Cropping2D',
      {
        cropping: [
          [1, 0],
          [1, 0],
        ],
        data_format: 'channels_last',
      },
      [y],
    );
  };
  const normalize = (x: string): string =>
    file.add('InstanceNormalization', { epsilon: 1e-5, axis: -1, center: false, scale: false }, [x]);
  const relu = (x: string): string => file.add('Activation', { activation: 'relu' }, [x]);
  const reflect = (x: string, padding: unknown): string => file.add('ReflectionPadding2D', { padding }, [x]);

  const input = file.input([null, null, null, 3]);
  let x = relu(
    normalize(
      conv(
        reflect(input, [
          [3, 3],
          [3, 3],
        ]),
        'model.1',
        1,
      ),
    ),
  );
  for (const parameter of ['model.4', 'model.7']) {
    const padded = file.add(
      'ZeroPadding2D',
      {
        padding: [
          [1, 1],
          [1, 1],
        ],
      },
      [x],
    );
    x = relu(normalize(conv(padded, parameter, 2)));
  }
  for (let block = 0; block < blocks; block++) {
    const at = `model.${10 + block}.conv_block`;
    const y = relu(normalize(conv(reflect(x, [1, 1]), `${at}.1`, 1)));
    const z = normalize(conv(reflect(y, 1), `${at}.5`, 1));
    x = file.add('Add', {}, [x, z]);
  }
  x = relu(normalize(up(x, `model.${10 + blocks}`)));
  x = relu(normalize(up(x, `model.${13 + blocks}`)));
  x = conv(reflect(x, 3), `model.${17 + blocks}`, 1);
  return file.model(input, file.add('Activation', { activation: 'tanh' }, [x]));
}

/** PyTorch's weights as Keras has them: the first two axes last. Transposed ones keep their order that way. */
function kerasWeights(parameter: string): { kernel: KerasWeight; bias: KerasWeight } {
  const [kernel, bias] = ['weight', 'bias'].map((name) => weights.get(`G_A.${parameter}.${name}`));
  if (!kernel || !bias) throw new Error(`expected the generator to have ${parameter}`);
  const [outer = 1, inner = 1, height = 1, width = 1] = kernel.shape;
  const area = height * width;
  const data = new Float32Array(kernel.data.length).map((_, i) => {
    const [o, rest] = [i % outer, Math.floor(i / outer)];
    return kernel.data[(o * inner + (rest % inner)) * area + Math.floor(rest / inner)] ?? Number.NaN;
  });
  return {
    kernel: { shape: [height, width, inner, outer], data },
    bias: { shape: bias.shape, data: Float32Array.from(bias.data) },
  };
}

describe('resnet', () => {
  const images = [noise([1, 3, 16, 16], 1), noise([2, 3, 20, 28], 2)];

  test('gives what this project’s own generator and tfjs give', async () => {
    const imported = await importTfjs(writeModel(temporaryFolder(), resnet()));
    expect(imported).toMatchObject({ kind: 'tfjs-layers', layout: 'NHWC', config: null });
    const own = generatorGraph({ config: networks.generator, weights, direction: 'AtoB' });
    const [outputs, expected] = [await runGraph(imported.graph, images), await runGraph(own, images)];
    const reference = await imported.openReference();
    expect(reference.what).toMatch(/^tfjs-layers 4\.22\.0 on (wasm|cpu)$/);
    for (const [i, image] of images.entries()) {
      expect(largestDifference(outputs[i], expected[i])).toBeLessThan(1e-4);
      expect(largestDifference(outputs[i], await reference.run(image))).toBeLessThan(1e-4);
    }
    await reference.dispose();
  });

  test('keeps sizes free, and InstanceNormalization in one piece without Transposes', async () => {
    const { graph } = await importTfjs(writeModel(temporaryFolder(), resnet()));
    expect(graph.inputs.map(({ shape }) => formatShape(shape))).toEqual(['[N, 3, H, W]']);
    const count = (name: string) => graph.nodes.filter(({ op }) => op.name === name).length;
    expect(count('InstanceNormalization')).toBe(5 + 2 * blocks);
    expect(count('Transpose')).toBe(0);
  });

  test('of odd sizes gives what tfjs gives', async () => {
    const imported = await importTfjs(writeModel(temporaryFolder(), resnet()));
    const image = noise([1, 3, 17, 23], 4);
    const [output] = await runGraph(imported.graph, [image]);
    const reference = await imported.openReference();
    expect(largestDifference(output, await reference.run(image))).toBeLessThan(1e-4);
    await reference.dispose();
  });
});

/** Three halvings with skips, with affine norms under both of the usual names. */
function unet(names: 'gamma' | 'scale'): { json: Record<string, unknown>; data: Uint8Array } {
  const file = new KerasFile();
  const [scale, shift] = names === 'gamma' ? ['gamma', 'beta'] : ['scale', 'offset'];
  const normalize = (x: string, channels: number): string => {
    const affine = {
      [scale]: file.random([channels], 1, 0.5),
      [shift]: file.random([channels], 0, 0.5),
    };
    // TensorFlow's example keeps no epsilon.
    const config = names === 'gamma' ? { axis: 3, epsilon: 1e-3, center: true, scale: true } : {};
    return file.add('InstanceNormalization', config, [x], affine);
  };
  const down = (x: string, input: number, filters: number): string => {
    const kernel = file.random([4, 4, input, filters], 0, 0.2);
    const config = { filters, kernel_size: [4, 4], strides: [2, 2], padding: 'same', use_bias: false };
    const y = normalize(file.add('Conv2D', config, [x], { kernel }), filters);
    return file.add('LeakyReLU', { alpha: 0.2 }, [y]);
  };
  const up = (x: string, input: number, filters: number): string => {
    const kernel = file.random([4, 4, filters, input], 0, 0.2);
    const config = { filters, kernel_size: [4, 4], strides: [2, 2], padding: 'same', use_bias: false };
    const y = normalize(file.add('Conv2DTranspose', config, [x], { kernel }), filters);
    return file.add('ReLU', {}, [file.add('Dropout', { rate: 0.5 }, [y])]);
  };
  const join = (a: string, b: string): string => file.add('Concatenate', { axis: -1 }, [a, b]);

  const input = file.input([null, null, null, 3]);
  const first = down(input, 3, 4);
  const second = down(first, 4, 8);
  const third = down(second, 8, 8);
  const x = join(up(join(up(third, 8, 8), second), 16, 4), first);
  const kernel = file.random([4, 4, 3, 8], 0, 0.2);
  const config = { filters: 3, kernel_size: [4, 4], strides: [2, 2], padding: 'same', activation: 'tanh' };
  return file.model(input, file.add('Conv2DTranspose', config, [x], { kernel, bias: file.random([3]) }));
}

describe('unet', () => {
  test.each(['gamma', 'scale'] as const)(
    'with norms by the name of %s gives what tfjs gives',
    async (names) => {
      const imported = await importTfjs(writeModel(temporaryFolder(), unet(names)));
      const images = [noise([1, 3, 16, 32], 1), noise([2, 3, 24, 8], 2)];
      const outputs = await runGraph(imported.graph, images);
      const reference = await imported.openReference();
      for (const [i, image] of images.entries()) {
        expect(largestDifference(outputs[i], await reference.run(image))).toBeLessThan(1e-4);
      }
      await reference.dispose();
    },
  );
});
