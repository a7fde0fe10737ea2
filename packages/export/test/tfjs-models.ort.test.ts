/** GraphModels of TensorFlow's own converter (test/fixtures/tfjs): whole networks against tfjs and TensorFlow itself. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { importTfjs } from '@cyclegan/export';
import { formatShape, writeOnnx } from '@cyclegan/graph';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import {
  expectAsInTfjs,
  modelFiles,
  node,
  placeholder,
  scalar,
  shape,
  type,
  wholeWeight,
  withFiles,
  worst,
} from './tfjs-graph-model.ts';

const folder = (name: string) =>
  fileURLToPath(new URL(`../../../test/fixtures/tfjs/${name}`, import.meta.url));

const sizes = [
  [1, 3, 24, 16],
  [2, 3, 21, 27],
  [1, 3, 9, 31],
];

test.each([
  ['cyclegan', { Conv: 6, ConvTranspose: 2, InstanceNormalization: 7, Pad: 4 }],
  ['cyclegan-uint8', { Conv: 6, ConvTranspose: 2, InstanceNormalization: 7, Pad: 4 }],
  ['cyclegan-uint16', { Conv: 6, ConvTranspose: 2, InstanceNormalization: 7, Pad: 4 }],
  ['cyclegan-float16', { Conv: 6, ConvTranspose: 2, InstanceNormalization: 7, Pad: 4 }],
  // Its batch norms are part of the convolutions before them.
  ['unet', { Conv: 3, ConvTranspose: 3, LeakyRelu: 2, BatchNormalization: 0 }],
  // One of its six is what TensorFlow wrote as SpaceToBatchND, Conv2D and BatchToSpaceND.
  ['mobile', { Conv: 6, DepthToSpace: 1, MaxPool: 1, AveragePool: 1, Resize: 2 }],
])('%s: as in tfjs on even and odd sizes, Transposes all cancelled', async (name, counts) => {
  const left = await expectAsInTfjs(folder(name), sizes);
  const count = (operator: string) => left.filter((each) => each === operator).length;
  expect(count('Transpose')).toBe(0);
  for (const [operator, number] of Object.entries(counts))
    expect([operator, count(operator)]).toEqual([operator, number]);
});

test.each(['cyclegan', 'unet', 'mobile'])('%s: as TensorFlow computed it', async (name) => {
  const golden = JSON.parse(await readFile(`${folder(name)}/tensorflow.json`, 'utf8')) as {
    shape: number[];
    values: number[];
  };
  const [height, width] = [21, 26];
  const { graph } = await importTfjs(folder(name));
  const pixels = new Float32Array(3 * height * width);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) pixels[c * height * width + i] = Math.sin((3 * i + c) * 0.37);
  }
  const session = await InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 4 });
  const [made] = Object.values(
    await session.run({ image: new Tensor('float32', pixels, [1, 3, height, width]) }),
  );
  await session.release();
  const [, h = 0, w = 0, channels = 0] = golden.shape;
  expect(made?.dims).toEqual([1, channels, h, w]);
  const expected = new Float32Array(golden.values.length);
  golden.values.forEach((value, i) => {
    expected[(i % channels) * h * w + Math.floor(i / channels)] = value;
  });
  expect(worst(made?.data as Float32Array, expected)).toBeLessThan(1e-4);
});

test('takes and gives images without an axis of samples', async () => {
  const nodes = [
    placeholder(-1, -1, 3),
    node('ExpandDims', ['x', 'axis'], {}, 'e'),
    node('Tanh', ['e'], {}, 't'),
    node('Squeeze', ['t'], { squeeze_dims: { list: { i: ['0'] } } }),
  ];
  await withFiles(modelFiles({ nodes, weights: { axis: wholeWeight(0) } }), async (path) => {
    expect(await expectAsInTfjs(path, [[1, 3, 5, 7]])).toContain('Tanh');
  });
});

test('takes and gives images of whole numbers as floats', async () => {
  const nodes = [
    { name: 'x', op: 'Placeholder', attr: { dtype: type('DT_INT32'), shape: shape(-1, -1, -1, 3) } },
    node('Cast', ['x'], { DstT: type('DT_FLOAT') }, 'f'),
    node('Mul', ['f', 'w'], {}, 'm'),
    node('Cast', ['m'], { DstT: type('DT_INT32') }),
  ];
  await withFiles(modelFiles({ nodes, weights: { w: scalar(3.5) } }), async (path) => {
    await expectAsInTfjs(path, [[2, 3, 5, 7]], { scale: 255 });
  });
});

test('says what it is: free sizes stay free, the source is NHWC and runs in tfjs-converter', async () => {
  const imported = await importTfjs(`${folder('cyclegan')}/model.json`);
  const { graph } = imported;
  expect(imported).toMatchObject({ kind: 'tfjs-graph', layout: 'NHWC', config: null });
  expect(graph.inputs.map(({ name, shape }) => `${name} ${formatShape(shape)}`)).toEqual([
    'image [N, 3, H, W]',
  ]);
  expect(graph.outputs.map(({ name }) => name)).toEqual(['translation']);
  const reference = await imported.openReference();
  expect(reference.what).toMatch(/^tfjs-converter 4\.\d+\.\d+ on wasm$/);
  await reference.dispose();
});

test('frees what tfjs holds, and leaves the process its choice of backend', async () => {
  const core = await import('@tensorflow/tfjs-core');
  await import('@tensorflow/tfjs-backend-cpu');
  await core.setBackend('cpu');
  const before = core.memory().numTensors;
  const reference = await (await importTfjs(folder('mobile'))).openReference();
  await reference.run({ shape: [1, 3, 8, 8], data: new Float32Array(192) });
  const after = await reference.run({ shape: [1, 3, 8, 8], data: new Float32Array(192) });
  expect(after.shape).toEqual([1, 3, 16, 16]);
  expect(core.memory().numTensors).toBeGreaterThan(before);
  await reference.dispose();
  expect(core.memory().numTensors).toBe(before);
  expect(core.getBackend()).toBe('cpu');
});
