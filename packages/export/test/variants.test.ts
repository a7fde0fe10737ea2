/** What the manifest says of variants, what their files are called, and what is refused. */
import { describeVariant, toRgba8, type VariantOptions, variantFile, variantOf } from '@cyclegan/export';
import { Concat, Graph, Relu, Slice, symbolicDim } from '@cyclegan/graph';
import { manifestSchema } from '@cyclegan/runtime-core';
import { expect, test } from 'vitest';
import { generator } from './variants-support.ts';

const graph = generator({ inputChannels: 1 });
const size = { width: 64, height: 48 };
const float32 = { dtype: 'float32' };
const planes = (channels: number) => ({
  ...float32,
  shape: ['N', channels, 'H', 'W'],
  image: { layout: 'NCHW', channels, range: [-1, 1] },
});
const image = { layout: 'NHWC', channels: 4, range: [0, 255] };
const bytes = { dtype: 'uint8', shape: [2, 48, 64, 4], image };
const statistics = { name: 'statistics', ...float32, shape: ['N', 2, 72], image: null };

test.each<[string, VariantOptions, object]>([
  [
    'AtoB.int8.rgba8.64x48.batch2.onnx',
    { io: 'rgba8', size: { ...size, batch: 2 } },
    {
      io: 'rgba8',
      layout: 'NHWC',
      size,
      part: 'whole',
      inputs: [{ name: 'image', ...bytes }],
      outputs: [{ name: 'translation', ...bytes }],
      statistics: null,
    },
  ],
  [
    'AtoB.int8.nhwc.onnx',
    { layout: 'NHWC' },
    {
      io: 'float32',
      layout: 'NHWC',
      size: null,
      part: 'whole',
      inputs: [{ shape: ['N', 'H', 'W', 1], image: { layout: 'NHWC', channels: 1, range: [-1, 1] } }],
      outputs: [{ shape: ['N', 'H', 'W', 3] }],
    },
  ],
  [
    'AtoB.int8.statistics.onnx',
    { part: 'statistics' },
    {
      part: 'statistics',
      inputs: [planes(1), { ...statistics, name: 'correction' }],
      outputs: [statistics],
      statistics: 72,
    },
  ],
  [
    'AtoB.int8.tile.onnx',
    { part: 'tile' },
    {
      part: 'tile',
      inputs: [planes(1), statistics, { name: 'core', shape: [1, 1, 4], image: null }],
      outputs: [planes(3), { ...statistics, name: 'own_statistics' }],
      statistics: 72,
    },
  ],
  ['AtoB.int8.tile.rgba8.onnx', { part: 'tile', io: 'rgba8' }, { io: 'rgba8', layout: 'NHWC', size: null }],
])('%s', (file, options, expected) => {
  const described = describeVariant(variantOf(graph, options), options);
  expect(described).toMatchObject(expected);
  expect(variantFile({ direction: 'AtoB', precision: 'int8' }, options)).toBe(file);
  const entry = {
    direction: 'AtoB',
    precision: 'int8',
    file,
    bytes: 1,
    sha256: '0'.repeat(64),
    opset: 17,
    irVersion: 8,
    sizeMultiple: 4,
    minSize: 8,
    ...described,
  };
  expect(manifestSchema.shape.variants.parse([entry])).toEqual([entry]);
});

test('bytes have one layout', () => {
  const options = { io: 'rgba8', layout: 'NCHW' } as const;
  expect(() => variantOf(graph, options)).toThrow(expect.objectContaining({ code: 'usage' }));
  expect(() => variantFile({ direction: 'AtoB', precision: 'fp32' }, options)).toThrow(/expected NHWC/);
});

test('describes images and statistics alone', () => {
  for (const shape of [
    [1, 2, 8, 8],
    [8, 8],
  ]) {
    const made = new Graph('odd');
    made.output('y', made.op(Relu, [made.input('x', 'float32', shape)]));
    expect(() => describeVariant(made, {})).toThrow(/"x": expected an image .* or statistics, got float32/);
  }
});

/** One node from image to answer. */
function plain(channels: number, build: (graph: Graph) => void): Graph {
  const made = new Graph('plain');
  made.input('image', 'float32', [1, channels, symbolicDim('H'), 32]);
  build(made);
  return made;
}

test.each<[string, Graph, RegExp]>([
  ['nothing', new Graph('empty'), /graph empty: expected an image as input and an output, got none/],
  [
    'two channels',
    plain(2, (made) => made.output('y', made.op(Relu, made.inputs))),
    /expected "image" to be float32 \[N, C, H, W\] with 1 or 3 channels, got float32\[1, 2, H, 32\]/,
  ],
  [
    'another number of channels out',
    plain(3, (made) => made.output('y', made.op(Concat, [...made.inputs, ...made.inputs], { axis: 1 }))),
    /expected "y" to be float32 \[N, C, H, W\] with 1 or 3 channels, got float32\[1, 6, H, 32\]/,
  ],
  [
    'an output of another size',
    plain(3, (made) => {
      const half = [0, 16, 3].map((n) => made.ints([n]));
      made.output('y', made.op(Slice, [...made.inputs, ...half]));
    }),
    /expected an output of the input's size to join alpha to/,
  ],
])('toRgba8 refuses %s', (_, made, message) => {
  expect(() => toRgba8(made)).toThrow(message);
});
