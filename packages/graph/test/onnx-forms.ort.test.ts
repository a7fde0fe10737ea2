/**
 * Nodes as other opsets have them: the file as it is and the graph read from it give the same in onnxruntime, with
 * sizes fixed and with symbols.
 */
import { readOnnx, writeOnnx } from '@cyclegan/graph';
import { AttributeProto_AttributeType } from 'onnx-buf';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { floats, modelBytes } from './onnx-model.ts';

type Attribute = number | string | readonly number[] | { readonly floats: readonly number[] };
/** Operator, inputs, outputs, attributes; whole numbers are ints, others floats. */
type FileNode = [string, string[], string[], Record<string, Attribute>?];
interface File {
  opset: number;
  nodes: FileNode[];
  /** Lists of int64; or float32, with a point. */
  constants?: Record<
    string,
    { floats?: readonly number[]; ints?: readonly number[]; dims?: readonly number[] }
  >;
  /** Of x; default [2, 4, 6, 8]. */
  shape?: readonly number[];
  /** Which axes of x get a symbol in the second turn; default all but the channels. */
  symbols?: readonly number[];
}

function attribute([name, value]: [string, Attribute]) {
  const { INT, FLOAT, STRING, INTS, FLOATS } = AttributeProto_AttributeType;
  if (typeof value === 'string') return { name, type: STRING, s: new TextEncoder().encode(value) };
  if (typeof value === 'number') {
    return Number.isInteger(value) ? { name, type: INT, i: BigInt(value) } : { name, type: FLOAT, f: value };
  }
  return 'floats' in value
    ? { name, type: FLOATS, floats: [...value.floats] }
    : { name, type: INTS, ints: value.map((n) => (n === toTheEnd ? BigInt(n) - 1n : BigInt(n))) };
}

function fileOf(
  { opset, nodes, constants = {}, shape = [2, 4, 6, 8], symbols = [0, 2, 3] }: File,
  symbolic: boolean,
) {
  return modelBytes(
    {
      node: nodes.map(([opType, input, output, attributes = {}], i) => ({
        opType,
        name: `node${i}`,
        input,
        output,
        attribute: Object.entries(attributes).map(attribute),
      })),
      input: [
        floats(
          'x',
          shape.map((size, axis) => (symbolic && symbols.includes(axis) ? `S${axis}` : size)),
        ),
      ],
      output: [{ ...floats('y', []), type: { value: { case: 'tensorType', value: { elemType: 1 } } } }],
      initializer: Object.entries(constants).map(([name, { floats: data, ints = [], dims }]) =>
        data
          ? { name, dataType: 1, dims: (dims ?? [data.length]).map(BigInt), floatData: [...data] }
          : { name, dataType: 7, dims: (dims ?? [ints.length]).map(BigInt), int64Data: ints.map(BigInt) },
      ),
    },
    { opsetImport: [{ domain: '', version: BigInt(opset) }], irVersion: 8n },
  );
}

async function run(bytes: Uint8Array, shape: readonly number[]): Promise<Tensor> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: size }, (_, i) => Math.sin(i * 12.9898) * 2);
  const { y } = await session.run({ x: new Tensor('float32', data, shape) });
  await session.release();
  return y as Tensor;
}

/** The largest integer, which a number cannot hold. */
const toTheEnd = 2 ** 63;

const one = (opset: number, op: string, attributes: Record<string, Attribute> = {}): File => ({
  opset,
  nodes: [[op, ['x'], ['y'], attributes]],
});
const vectors = (names: string, size = 4) =>
  Object.fromEntries(
    [...names].map((name, n) => [
      name,
      { floats: Array.from({ length: size }, (_, i) => 0.5 + i / 4 + n / 3) },
    ]),
  );
const onAxes = (opset: number, op: string): File => ({
  opset,
  nodes: [[op, ['x', 'axes'], ['y'], { keepdims: 0 }]],
  constants: { axes: { ints: [1, -1] } },
});
const scaled = (opset: number, op: string, mode: string, scales: readonly number[]): File => ({
  opset,
  nodes: [[op, ['x', 'scales'], ['y'], { mode }]],
  constants: { scales: { floats: scales } },
});

const files: Record<string, File> = {
  'Clip 6': one(6 + 1, 'Clip', { min: -0.5, max: 0.75 }),
  'Clip 6 without bounds': one(10, 'Clip', { max: 0.5 }),
  'Pad 2, reflecting': one(10, 'Pad', { pads: [0, 0, 2, 1, 0, 0, 1, 3], mode: 'reflect' }),
  'Pad 2, with a value': one(7, 'Pad', { pads: [0, 1, 0, 1, 0, 0, 1, 0], value: 0.5 }),
  'Pad 18, of some axes': {
    opset: 18,
    nodes: [['Pad', ['x', 'pads', '', 'axes'], ['y'], { mode: 'edge' }]],
    constants: { pads: { ints: [1, 2, 3, 4] }, axes: { ints: [3, -2] } },
  },
  'Slice 1': one(9, 'Slice', { starts: [1, -3], ends: [toTheEnd, -1], axes: [2, 3] }),
  'Slice 1 without axes': one(7, 'Slice', { starts: [0, 1], ends: [2, 3] }),
  'Split 2': {
    opset: 11,
    nodes: [
      ['Split', ['x'], ['a', 'b'], { axis: 1, split: [1, 3] }],
      ['Mul', ['a', 'b'], ['y']],
    ],
  },
  'Split 2 into equal parts': {
    opset: 11,
    nodes: [
      ['Split', ['x'], ['a', 'b'], { axis: 1 }],
      ['Sub', ['a', 'b'], ['y']],
    ],
  },
  'Split 13 into equal parts of a symbol': {
    opset: 13,
    nodes: [
      ['Split', ['x'], ['a', 'b'], { axis: -1 }],
      ['Sub', ['a', 'b'], ['y']],
    ],
  },
  'Split 18, a smaller last part': {
    opset: 18,
    nodes: [
      ['Split', ['x'], ['a', 'b', 'c'], { axis: 1, num_outputs: 3 }],
      ['Concat', ['c', 'a', 'b'], ['y'], { axis: 1 }],
    ],
    shape: [2, 5, 6, 8],
  },
  'Squeeze 1': { ...one(11, 'Squeeze', { axes: [1] }), shape: [2, 1, 6, 8] },
  'Squeeze 1, all axes': { ...one(7, 'Squeeze'), shape: [2, 1, 1, 8], symbols: [0, 3] },
  'Unsqueeze 1': one(11, 'Unsqueeze', { axes: [0, 3] }),
  'ReduceSum 11': one(11, 'ReduceSum', { axes: [1, -1], keepdims: 0 }),
  'ReduceMean 18': onAxes(18, 'ReduceMean'),
  'ReduceMax 20': onAxes(20, 'ReduceMax'),
  'ReduceL2 18': onAxes(18, 'ReduceL2'),
  'ReduceProd 18, all axes': { ...one(18, 'ReduceProd'), shape: [2, 3], symbols: [0, 1] },
  'ReduceMin 18, of no axes': one(18, 'ReduceMin', { noop_with_empty_axes: 1 }),
  'ReduceMean 11': one(11, 'ReduceMean', { axes: [2, 3] }),
  'Upsample 7': one(7, 'Upsample', { mode: 'nearest', scales: { floats: [1, 1, 2, 3] } }),
  'Upsample 9, nearest': scaled(9, 'Upsample', 'nearest', [1, 1, 2, 1.5]),
  'Upsample 9, linear': scaled(9, 'Upsample', 'linear', [1, 1, 2, 2]),
  'Resize 10, larger': scaled(10, 'Resize', 'nearest', [1, 1, 2.5, 1]),
  'Resize 10, smaller': scaled(10, 'Resize', 'nearest', [1, 1, 0.4, 0.75]),
  'Resize 10, linear': scaled(10, 'Resize', 'linear', [1, 1, 2.5, 0.5]),
  'Resize 11, for TensorFlow': {
    opset: 11,
    nodes: [
      [
        'Resize',
        ['x', 'none', 'scales'],
        ['y'],
        { coordinate_transformation_mode: 'tf_half_pixel_for_nn', nearest_mode: 'floor' },
      ],
    ],
    constants: { none: { floats: [] }, scales: { floats: [1, 1, 1.5, 0.5] } },
  },
  'Resize 11 to sizes': {
    opset: 11,
    nodes: [['Resize', ['x', 'none', 'none', 'sizes'], ['y'], { mode: 'cubic' }]],
    constants: { none: { floats: [] }, sizes: { ints: [2, 4, 9, 5] } },
    symbols: [2, 3],
  },
  'Resize 18, of some axes': {
    opset: 18,
    nodes: [['Resize', ['x', '', 'scales'], ['y'], { axes: [-2, 3], mode: 'linear' }]],
    constants: { scales: { floats: [2, 0.5] } },
  },
  'Resize 19 to sizes of some axes': {
    opset: 19,
    nodes: [['Resize', ['x', '', '', 'sizes'], ['y'], { axes: [3, 2], mode: 'nearest' }]],
    constants: { sizes: { ints: [10, 3] } },
  },
  'Softmax 11': one(11, 'Softmax', { axis: 2 }),
  'Softmax 11, by default': one(7, 'Softmax'),
  'Softmax 11 along the last axis': one(11, 'Softmax', { axis: 3 }),
  'Softmax 13, by default': one(13, 'Softmax'),
  'LogSoftmax 11': one(11, 'LogSoftmax'),
  'BatchNormalization 7': {
    opset: 7,
    nodes: [['BatchNormalization', ['x', ...'abcd'], ['y'], { epsilon: 0.001, spatial: 1 }]],
    constants: vectors('abcd'),
  },
  'BatchNormalization 15': {
    opset: 15,
    nodes: [['BatchNormalization', ['x', ...'abcd'], ['y'], { epsilon: 0.001 }]],
    constants: vectors('abcd'),
  },
  'Dropout 7 and its mask': {
    opset: 11,
    nodes: [
      ['Dropout', ['x'], ['a', 'mask'], { ratio: 0.25 }],
      ['Cast', ['mask'], ['m'], { to: 1 }],
      ['Add', ['a', 'm'], ['y']],
    ],
  },
  'Dropout 12 and its mask': {
    opset: 12,
    nodes: [
      ['Dropout', ['x'], ['a', 'mask']],
      ['Where', ['mask', 'a', 'mask_float'], ['y']],
    ],
    constants: { mask_float: { floats: [9] } },
  },
  'Dropout 12, mask not read': {
    opset: 13,
    nodes: [['Dropout', ['x', 'r'], ['y', 'mask']]],
    constants: { r: { floats: [0.5], dims: [] } },
  },
  'MaxPool 12, indices not read': {
    opset: 12,
    nodes: [['MaxPool', ['x'], ['y', 'indices'], { kernel_shape: [2, 2] }]],
  },
  'AveragePool 19': one(19, 'AveragePool', {
    kernel_shape: [2, 2],
    dilations: [1, 1],
    ceil_mode: 1,
    strides: [3, 3],
  }),
  'Cast 19': {
    opset: 19,
    nodes: [
      ['Cast', ['x'], ['a'], { to: 6, saturate: 1 }],
      ['CastLike', ['a', 'x'], ['y']],
    ],
  },
  'Gelu 20': one(20, 'Gelu'),
  'Gelu 20, by tanh': one(20, 'Gelu', { approximate: 'tanh' }),
  'Mish 18': one(18, 'Mish'),
  'MeanVarianceNormalization 13': one(13, 'MeanVarianceNormalization'),
  'GroupNormalization 18': {
    opset: 18,
    nodes: [['GroupNormalization', ['x', 'a', 'b'], ['y'], { num_groups: 2, epsilon: 0.01 }]],
    constants: vectors('ab', 2),
  },
  'GroupNormalization 21': {
    opset: 21,
    nodes: [['GroupNormalization', ['x', 'a', 'b'], ['y'], { num_groups: 2 }]],
    constants: vectors('ab'),
  },
  'QuantizeLinear 10 and DequantizeLinear 21': {
    opset: 21,
    nodes: [
      ['QuantizeLinear', ['x', 's'], ['q'], { saturate: 1, output_dtype: 2 }],
      ['DequantizeLinear', ['q', 's'], ['y'], { block_size: 0 }],
    ],
    constants: { s: { floats: [0.0625], dims: [] } },
  },
  'GridSample 20': {
    opset: 20,
    nodes: [['GridSample', ['x', 'grid'], ['y'], { mode: 'linear', padding_mode: 'border' }]],
    constants: { grid: { floats: [-0.9, 0.1, 0.3, 0.7, 1.2, 0.5, 0, 0], dims: [2, 2, 1, 2] } },
    symbols: [2, 3],
  },
  'Constant in all its forms': {
    opset: 13,
    nodes: [
      ['Constant', [], ['a'], { value_float: 0.5 }],
      ['Constant', [], ['b'], { value_floats: { floats: [1, 2, 3, 4, 5, 6, 7, 8] } }],
      ['Constant', [], ['i'], { value_int: 3 }],
      ['Constant', [], ['j'], { value_ints: [1, 2] }],
      ['Cast', ['i'], ['c'], { to: 1 }],
      ['ReduceSum', ['x', 'j'], ['s']],
      ['Sum', ['a', 'b', 'c', 's'], ['y']],
    ],
    symbols: [0, 2],
  },
};

describe('nodes of another opset do in opset 17 what they did', () => {
  it.each(Object.entries(files))('%s', async (_, file) => {
    const { shape = [2, 4, 6, 8] } = file;
    const before = await run(fileOf(file, false), shape);
    for (const symbolic of [false, true]) {
      const { graph, opset } = readOnnx(fileOf(file, symbolic));
      expect(opset).toBe(file.opset);
      const after = await run(writeOnnx(graph), shape);
      expect(after.dims).toEqual(before.dims);
      expect(after.data.length).toBe(before.data.length);
      const [got, wanted] = [after.data as Float32Array, before.data as Float32Array];
      const worst = got.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - (wanted[i] ?? Number.NaN))),
        0,
      );
      expect(worst).toBeLessThan(1e-6 * Math.max(1, ...wanted.map(Math.abs)));
    }
  });
});

describe('refuses what changed its meaning and cannot be carried', () => {
  it.each<[string, File, RegExp]>([
    [
      'statistics for each pixel',
      {
        ...files['BatchNormalization 7'],
        opset: 7,
        nodes: [['BatchNormalization', ['x', ...'abcd'], ['y'], { spatial: 0 }]],
      },
      /^readOnnx BatchNormalization node0: expected spatial 1, got 0\.$/,
    ],
    [
      'antialias',
      {
        ...scaled(18, 'Resize', 'linear', [1, 1, 1, 1]),
        nodes: [['Resize', ['x', '', 'scales'], ['y'], { antialias: 1 }]],
      },
      /expected no antialias/,
    ],
    [
      'an aspect ratio',
      {
        opset: 18,
        nodes: [['Resize', ['x', '', '', 'sizes'], ['y'], { keep_aspect_ratio_policy: 'not_larger' }]],
        constants: { sizes: { ints: [2, 4, 9, 5] } },
      },
      /policy stretch, got not_larger/,
    ],
    [
      'pools with holes',
      one(19, 'AveragePool', { kernel_shape: [2, 2], dilations: [2, 2] }),
      /no dilations, got \[2, 2\]/,
    ],
    [
      'blocks of scales',
      {
        opset: 21,
        nodes: [['QuantizeLinear', ['x', 's'], ['y'], { block_size: 2 }]],
        constants: { s: { floats: [1] } },
      },
      /no blocks/,
    ],
    [
      'indices that are read',
      {
        opset: 12,
        nodes: [
          ['MaxPool', ['x'], ['y', 'i'], { kernel_shape: [2, 2] }],
          ['Identity', ['i'], ['z']],
        ],
      },
      /^MaxPool node0 .*expected 1 outputs, got 2/,
    ],
    [
      'a mask of training',
      { opset: 13, nodes: [['Dropout', ['x', '', 't'], ['y']]], constants: { t: { ints: [1] } } },
      /training_mode false/,
    ],
    [
      'axes that are computed',
      {
        opset: 18,
        nodes: [
          ['Cast', ['x'], ['a'], { to: 7 }],
          ['ReduceMean', ['x', 'a'], ['y']],
        ],
      },
      /expected constant axes/,
    ],
    [
      'both reducing and enlarging',
      scaled(10, 'Resize', 'nearest', [1, 1, 2, 0.5]),
      /all enlarge or all reduce/,
    ],
  ])('%s', (_, file, said) => {
    expect(() => readOnnx(fileOf(file, false))).toThrow(said);
  });
});
