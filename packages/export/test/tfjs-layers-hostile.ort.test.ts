/** LayersModels that lie: whatever a configuration says, the importer ends with a graph or with one sentence. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importTfjs } from '@cyclegan/export';
import { GraphError } from '@cyclegan/graph';
import { isCycleganError } from '@cyclegan/runtime-core';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { KerasFile } from './tfjs-layers-keras.ts';
import { type Json, writeModel } from './tfjs-layers-support.ts';
import { seededRandom } from './variants-support.ts';

const RGB = [null, null, null, 3];

/** A convolution, with what a test changes. */
function small(changed: Json = {}, shape: unknown = RGB) {
  const file = new KerasFile();
  const input = file.input(shape as (number | null)[]);
  const config = { filters: 2, kernel_size: [3, 3], name: 'conv', ...changed };
  const weights = { kernel: file.random([3, 3, 3, 2]), bias: file.random([2]) };
  return file.model(input, file.add('Conv2D', config, [input], weights));
}

/** One layer without weights. */
function only(className: string, config: Json, shape: unknown = RGB) {
  const file = new KerasFile();
  const input = file.input(shape as (number | null)[]);
  return file.model(input, file.add(className, { ...config, name: 'layer' }, [input]));
}

/** The functional configuration inside a file. */
function configOf(file: { json: Json }): { layers: Json[]; input_layers: unknown; output_layers: unknown } {
  const topology = file.json['modelTopology'] as { model_config: { config: unknown } };
  return topology.model_config.config as ReturnType<typeof configOf>;
}

function edited(edit: (config: ReturnType<typeof configOf>) => void, file = small()) {
  edit(configOf(file));
  return file;
}

/** A weight called otherwise. */
function renamed(from: string, to: string) {
  const { json, data } = small();
  return { json: JSON.parse(JSON.stringify(json).replace(from, to)) as Json, data };
}

/** Models in models, each called twice by the next. */
function towers(depth: number) {
  const call = (name: string, index: number) => [[name, index, 0, {}]];
  let inner: Json = {
    class_name: 'Functional',
    name: 'm',
    config: {
      layers: [
        { class_name: 'InputLayer', name: 'i', config: { batch_input_shape: RGB }, inbound_nodes: [] },
        { class_name: 'ReLU', name: 'r', config: {}, inbound_nodes: [call('i', 0)] },
      ],
      input_layers: [['i', 0, 0]],
      output_layers: [['r', 0, 0]],
    },
  };
  for (let i = 0; i < depth; i++) {
    inner = {
      class_name: 'Functional',
      name: 'm',
      config: {
        layers: [
          { class_name: 'InputLayer', name: 'i', config: { batch_input_shape: RGB }, inbound_nodes: [] },
          { ...inner, inbound_nodes: [call('i', 0), call('m', 1)] },
        ],
        input_layers: [['i', 0, 0]],
        output_layers: [['m', 2, 0]],
      },
    };
  }
  return { json: { modelTopology: { model_config: inner }, weightsManifest: [] }, data: new Uint8Array() };
}

const lies: Record<string, [{ json: Json; data: Uint8Array }, RegExp]> = {
  'a layer that waits for itself': [
    edited(({ layers }) => Object.assign(layers[1] ?? {}, { inbound_nodes: [[['conv', 0, 0, {}]]] })),
    /got conv, which waits for itself/,
  ],
  'a layer that is not there': [
    edited(({ layers }) => Object.assign(layers[1] ?? {}, { inbound_nodes: [[['gone', 0, 0, {}]]] })),
    /got conv, which waits for itself or for a layer that is missing/,
  ],
  'an output that is not there': [
    edited((config) => Object.assign(config, { output_layers: [['conv', 3, 0]] })),
    /expected layer conv to have output 0 of call 3, got none/,
  ],
  'a tensor that is not there': [
    edited((config) => Object.assign(config, { output_layers: [['conv', 0, 7]] })),
    /expected layer conv to have output 7/,
  ],
  'two layers of one name': [edited(({ layers }) => layers.push({ ...layers[1] })), /got one name twice/],
  'two inputs': [
    edited((config) =>
      Object.assign(config, {
        input_layers: [
          ['input_1', 0, 0],
          ['conv', 0, 0],
        ],
      }),
    ),
    /expected a model of one input, got 2/,
  ],
  'no layers': [edited((config) => Object.assign(config, { layers: [] })), /does not fit at layers/],
  'a missing weight': [
    renamed('conv/kernel', 'conv/other'),
    /expected the weight conv\/kernel of \[3, 3, 3, 2\], got none/,
  ],
  'a weight of another shape': [
    small({ kernel_size: [5, 5] }),
    /expected the weight conv\/kernel of \[5, 5, 3, 2\], got \[3, 3, 3, 2\]/,
  ],
  'weights that no layer reads': [small({ use_bias: false }), /got none for conv\/bias/],
  'absurd filters': [small({ filters: 2 ** 31 - 1 }), /expected the weight conv\/kernel/],
  'filters beyond whole numbers': [small({ filters: 1e300 }), /filters of a whole number from 1/],
  'a stride of 0': [small({ strides: [0, 0] }), /strides of one or two whole numbers from 1, got \[0,0\]/],
  'an unknown padding': [small({ padding: 'around' }), /padding of valid or same, got "around"/],
  'an unknown data_format': [small({ data_format: 'channels_middle' }), /data_format of channels_last or/],
  'an input of 3 axes': [small({}, [null, null, 3]), /expected an input shape of batch, height, width/],
  'an input of unknown channels': [small({}, [null, null, null, null]), /expected/],
  'an input of text': [small({}, 'large'), /expected an input shape of batch, .* got "large"/],
  'an input of whole numbers': [
    edited(({ layers }) => Object.assign(layers[0]?.['config'] ?? {}, { dtype: 'int32' })),
    /expected an input of float32, got int32/,
  ],
  'channels as many as a 32-bit number': [
    only('InstanceNormalization', { scale: false, center: false }, [null, null, null, 2 ** 31 - 1]),
    /expected at most 1048576 channels/,
  ],
  'channels made by padding': [
    only('BatchNormalization', { axis: 1 }, [null, 2 ** 30, 4, 3]),
    /expected at most 1048576 channels/,
  ],
  'padding beyond all memory': [
    only('ZeroPadding2D', {
      padding: [
        [2 ** 31, 0],
        [0, 0],
      ],
    }),
    /padding of a number, two, or two pairs/,
  ],
  'cropping more than there is': [only('Cropping2D', { cropping: 9 }, [1, 8, 8, 3]), /expected/],
  'an axis that is not there': [only('Concatenate', { axis: 9 }), /expected/],
  'a merge of one': [only('Add', {}), /expected at least 2 inputs, got 1/],
  'a target_shape of nothing': [
    only('Reshape', { target_shape: [] }),
    /target_shape of whole numbers, got \[\]/,
  ],
  'a vector as output': [only('GlobalMaxPooling2D', {}), /expected an image as output, got 2 axes/],
  'an input that reads': [
    edited(({ layers }) => {
      Object.assign(layers[1] ?? {}, { class_name: 'InputLayer' });
    }),
    /expected InputLayer conv to read nothing, got inputs/,
  ],
  'one layer of two inputs': [
    edited(({ layers }) =>
      Object.assign(layers[1] ?? {}, {
        inbound_nodes: [
          [
            ['input_1', 0, 0, {}],
            ['input_1', 0, 0, {}],
          ],
        ],
      }),
    ),
    /expected Conv2D conv to have one input, got 2/,
  ],
  'models that double at each of 16 depths': [towers(15), /expected at most 20000 layers, got more/],
  'models beyond all depth': [towers(40), /expected models at most 16 deep/],
};

test.each(Object.entries(lies))('%s', async (_, [file, sentence]) => {
  const failure = await importTfjs(writeModel(temporaryFolder(), file)).catch((error: unknown) => error);
  expect(isCycleganError(failure)).toBe(true);
  expect((failure as Error).message).toMatch(sentence);
  expect((failure as Error).message).not.toContain('\n');
});

test('layers and weights may be called as JavaScript’s own are', async () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const text = JSON.stringify(small().json).replaceAll('"conv', `"${name}`);
    const { json, data } = { json: JSON.parse(text) as Json, data: small().data };
    const { graph } = await importTfjs(writeModel(temporaryFolder(), { json, data }));
    expect(graph.nodes.some(({ op }) => op.name === 'Conv')).toBe(true);
  }
});

const junk = [
  null,
  -1,
  0,
  1,
  2,
  0.5,
  1e9,
  2 ** 53,
  -1e300,
  '',
  'x',
  'same',
  'channels_first',
  'relu',
  '__proto__',
  'Sequential',
  'Conv2D',
  'Concatenate',
  'Reshape',
  [],
  [[]],
  [1, 1],
  [null, null, null, 3],
  [2, 1, 3],
  {},
  { class_name: 'ReLU', config: {} },
  true,
  false,
];

/** A model with a bit of everything, and a model inside it. */
function rich() {
  const file = new KerasFile();
  const input = file.input(RGB);
  const kernel = file.random([3, 3, 3, 4]);
  const conv = { filters: 4, kernel_size: [3, 3], strides: [2, 2], padding: 'same', activation: 'relu' };
  const down = file.add('Conv2D', conv, [input], { kernel, bias: file.random([4]) });
  const affine = { gamma: file.random([4]), beta: file.random([4]) };
  const norm = file.add('InstanceNormalization', { axis: -1, epsilon: 1e-3 }, [down], affine);
  const padded = file.add('ReflectionPadding2D', { padding: [1, 1] }, [norm]);
  const pooled = file.add('AveragePooling2D', { pool_size: 3, strides: 1 }, [padded]);
  const slope = file.add('PReLU', { shared_axes: [1, 2] }, [pooled], { alpha: file.random([1, 1, 4]) });
  const mean = file.add('GlobalAveragePooling2D', {}, [slope]);
  const spread = file.add('Reshape', { target_shape: [1, 1, 4] }, [mean]);
  const joined = file.add('Concatenate', { axis: -1 }, [file.add('Multiply', {}, [slope, spread]), norm]);
  const layers = [{ class_name: 'Dropout', config: { name: 'd', rate: 0.5 } }];
  const model = { class_name: 'Sequential', layers, name: 'inner' };
  const inner = file.add('Sequential', model, [joined]);
  const large = file.add('UpSampling2D', { size: [2, 2], interpolation: 'nearest' }, [inner]);
  return file.model(
    input,
    file.add(
      'Cropping2D',
      {
        cropping: [
          [1, 0],
          [0, 1],
        ],
      },
      [large],
    ),
  );
}

/** Every place in a JSON value, by its holder and key. */
function placesOf(value: unknown): [holder: Json, key: string][] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Json;
  return Object.keys(holder).flatMap((key) => [[holder, key] as [Json, string], ...placesOf(holder[key])]);
}

test('600 mutated configurations end with a graph or one sentence', async () => {
  const folder = temporaryFolder();
  const random = seededRandom(11);
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  const outcomes = { graph: 0, sentence: 0 };
  for (let i = 0; i < 600; i++) {
    const { json, data } = structuredClone(rich());
    for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) {
      const places = placesOf(json['modelTopology']);
      const [[holder, key], [other, from]] = [pick(places), pick(places)];
      const kind = random();
      if (kind < 0.15) delete holder[key];
      else holder[key] = kind < 0.3 ? structuredClone(other[from]) : structuredClone(pick(junk));
    }
    try {
      await importTfjs(writeModel(folder, { json, data }));
      outcomes.graph += 1;
    } catch (error) {
      if (!isCycleganError(error) && !(error instanceof GraphError)) throw error;
      expect(error.message).not.toContain('\n');
      outcomes.sentence += 1;
    }
  }
  expect(outcomes.graph).toBeGreaterThan(50);
  expect(outcomes.sentence).toBeGreaterThan(200);
});

test('files cut or changed anywhere end likewise', async () => {
  const folder = temporaryFolder();
  const random = seededRandom(5);
  const { json, data } = rich();
  const text = Buffer.from(JSON.stringify(json));
  expect((await importTfjs(writeModel(folder, { json, data }))).kind).toBe('tfjs-layers');
  let refused = 0;
  for (let i = 0; i < 200; i++) {
    const bytes = Buffer.from(text.subarray(0, i % 4 ? text.length : Math.floor(random() * text.length)));
    if (bytes.length > 0) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    writeModel(folder, { json, data: i % 5 ? data : data.subarray(0, Math.floor(random() * data.length)) });
    writeFileSync(join(folder, 'model.json'), bytes);
    try {
      await importTfjs(folder);
    } catch (error) {
      if (!isCycleganError(error) && !(error instanceof GraphError)) throw error;
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(100);
});
