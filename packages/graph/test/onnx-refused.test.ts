/** ONNX files that cannot be read: one GraphError each, whatever the bytes are. */
import { GraphError, readOnnx } from '@cyclegan/graph';
import { AttributeProto_AttributeType, TensorProto_DataLocation } from 'onnx-buf';
import { describe, expect, it, test } from 'vitest';
import { floats, modelBytes } from './onnx-model.ts';

const leaky = (attribute: object) => [
  { opType: 'LeakyRelu', name: 'a', input: ['x'], output: ['y'], attribute: [attribute] },
];
const constant = (tensor: object) => ({
  node: [{ opType: 'Identity', input: ['c'], output: ['y'] }],
  initializer: [{ name: 'c', dims: [2n], dataType: 1, ...tensor }],
});
const units = (value: string) => modelBytes({}, { metadataProps: [{ key: 'dim_units', value }] });
const node = (opType: string, more: object = {}) => ({
  opType,
  name: 'n',
  input: ['x'],
  output: ['y'],
  ...more,
});

describe('refuses', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['no bytes', new Uint8Array(), /got no graph with outputs/],
    [
      'bytes of something else',
      new TextEncoder().encode('PK\u0003\u0004 no model'),
      /bytes that are no such protobuf/,
    ],
    ['a graph without outputs', modelBytes({ output: [] }), /no graph with outputs/],
    ['opset 6', modelBytes({}, { opsetImport: [{ domain: '', version: 6n }] }), /opset 7 to 22, got 6/],
    ['opset 23', modelBytes({}, { opsetImport: [{ domain: '', version: 23n }] }), /opset 7 to 22, got 23/],
    ['functions', modelBytes({}, { functions: [{ name: 'mine' }] }), /functions of the file's own \(mine\)/],
    ['training information', modelBytes({}, { trainingInfo: [{}] }), /model for inference/],
    [
      'sparse initializers',
      modelBytes({ sparseInitializer: [{ values: { name: 's' } }] }),
      /got sparse initializers \(s\)\./,
    ],
    [
      'an opset of another domain',
      modelBytes({}, { opsetImport: [{ domain: 'my', version: 17n }] }),
      /got 0\./,
    ],
    [
      'unknown operators, all named at once, with their domains',
      modelBytes({
        node: [
          node('Scan', { name: 'first' }),
          node('Relu', { domain: 'my' }),
          node('Relu'),
          ...['b', 'c', 'd', 'e'].map((name) => node('Scan', { name })),
          node('LSTM', { name: '', output: ['z'] }),
          ...leaky({ name: 'beta', type: AttributeProto_AttributeType.FLOAT }),
        ],
      }),
      /known here, got Scan \(first, b, c and 2 more\), my\.Relu \(n\), LSTM \(z\), LeakyRelu\.beta \(a\)\.$/,
    ],
    [
      'more of them than a sentence holds',
      modelBytes({ node: [...new Array(40).keys()].map((i) => node(`Op${i}`)) }),
      /Op0 \(n\), .*Op11 \(n\) and 28 more\.$/,
    ],
    [
      'a value that nothing makes',
      modelBytes({ node: [node('Relu', { input: ['z'] })] }),
      /readOnnx n: expected a value "z"/,
    ],
    [
      'a value read before it is made',
      modelBytes({ node: [node('Relu', { input: ['y'] })] }),
      /"y" made before/,
    ],
    ['an output that nothing makes', modelBytes({ output: [floats('z', [1])] }), /readOnnx output: .*"z"/],
    ['a name made twice', modelBytes({ node: [node('Relu'), node('Relu')] }), /name of its own, got "y"/],
    [
      'more outputs than there are',
      modelBytes({ node: [node('Relu', { output: ['y', 'z'] })] }),
      /^Relu n \(float32\[2, 3\]\): expected 1 outputs, got 2/,
    ],
    [
      'too few inputs',
      modelBytes({ node: [node('Add')] }),
      /^Add n \(float32\[2, 3\]\): expected 2 inputs, got 1/,
    ],
    [
      'a negative size',
      modelBytes({ input: [floats('x', [2, -3])] }),
      /expected input "x" of whole sizes, got \[2, -3\]/,
    ],
    ['a size beyond counting', modelBytes({ input: [floats('x', [2 ** 62])] }), /whole sizes/],
    [
      'an input that is no tensor',
      modelBytes({ input: [{ name: 'x' }] }),
      /readOnnx x: expected a tensor input/,
    ],
    [
      'an attribute that is not known',
      modelBytes({ node: leaky({ name: 'beta', type: AttributeProto_AttributeType.FLOAT }) }),
      /got LeakyRelu\.beta \(a\)/,
    ],
    [
      'an attribute from every object',
      modelBytes({ node: leaky({ name: 'toString', type: AttributeProto_AttributeType.FLOAT }) }),
      /got LeakyRelu\.toString \(a\)/,
    ],
    [
      'an attribute of another type',
      modelBytes({ node: leaky({ name: 'alpha', type: AttributeProto_AttributeType.INT, i: 1n }) }),
      /got LeakyRelu\.alpha that is no float \(a\)/,
    ],
    [
      'external data by location',
      modelBytes(constant({ dataLocation: TensorProto_DataLocation.EXTERNAL })),
      /readOnnx c: .* external data/,
    ],
    [
      'external data by key',
      modelBytes(constant({ externalData: [{ key: 'location', value: 'w.bin' }] })),
      /external data in "w\.bin"/,
    ],
    [
      'an element type that is not known',
      modelBytes(constant({ dataType: 16 })),
      /readOnnx c: expected a known element type, got 16/,
    ],
    [
      'half an element',
      modelBytes(constant({ rawData: new Uint8Array(7) })),
      /readOnnx c: expected whole float32 elements, got 7/,
    ],
    [
      'too few elements',
      modelBytes(constant({ floatData: [1] })),
      /readOnnx c: tensor \[2\]: expected 2 elements, got 1/,
    ],
    [
      'elements of a huge shape',
      modelBytes(constant({ dims: [2n ** 40n, 2n ** 40n], floatData: [1] })),
      /readOnnx c: tensor .* got 1\./,
    ],
    [
      'elements of a negative shape',
      modelBytes(constant({ dims: [-1n, -2n], floatData: [1, 2] })),
      /shape of whole numbers from 0/,
    ],
    [
      'units that are no JSON',
      units('{"H":'),
      /expected dim_units to give each symbol a whole number, got \{"H":\./,
    ],
    ['units of 0', units('{"H":0}'), /dim_units/],
    ['units in words', units('"four"'), /dim_units/],
  ])('%s', (_, bytes, said) => {
    expect(() => readOnnx(bytes)).toThrow(GraphError);
    expect(() => readOnnx(bytes)).toThrow(said);
  });
});

test('graphs nested without end are refused, not followed', () => {
  // From the inside: field 1 of a graph is a node, 5 of a node an attribute, 6 of an attribute a graph, 7 a model's.
  const fields = [...new Array(30_000).keys()].map((i) => [6, 5, 1][i % 3] as number);
  const file = new Uint8Array(5 * fields.length + 5);
  let begin = file.length;
  for (const field of [...fields, 7]) {
    const size = file.length - begin;
    begin -= 5;
    file.set([(field << 3) | 2, (size & 127) | 128, ((size >> 7) & 127) | 128, (size >> 14) | 128, 0], begin);
  }
  expect(() => readOnnx(file)).toThrow(
    /^readOnnx: expected an ONNX model, got bytes that are no such protobuf\.$/,
  );
});
