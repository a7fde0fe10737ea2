/** ONNX bytes: what is written is read back, in every element type and attribute kind, and so are others' files. */
import { fromBinary } from '@bufbuild/protobuf';
import {
  Conv,
  type DType,
  Graph,
  GraphError,
  IR_VERSION,
  LeakyRelu,
  OPSET,
  onnxTypes,
  Pad,
  Relu,
  readOnnx,
  Split,
  symbolicDim,
  type Tensor,
  tensor,
  writeOnnx,
} from '@cyclegan/graph';
import fc from 'fast-check';
import { ModelProtoSchema } from 'onnx-buf';
import { describe, expect, it, test } from 'vitest';
import { floats, modelBytes } from './onnx-model.ts';

const arrays = {
  float64: Float64Array,
  float32: Float32Array,
  float16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};
const dtypes = Object.keys(arrays) as DType[];

const anyTensor = fc
  .tuple(fc.constantFrom(...dtypes), fc.array(fc.nat(4), { maxLength: 4 }))
  .chain(([dtype, shape]) => {
    const size = shape.reduce((product, dim) => product * dim, 1) * arrays[dtype].BYTES_PER_ELEMENT;
    return fc
      .uint8Array({ minLength: size, maxLength: size })
      .map((raw): Tensor => tensor(dtype, shape, new arrays[dtype](raw.slice().buffer)));
  });
const bytesOf = ({ data }: Tensor) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

describe('written and read back', () => {
  test('tensors of any type and shape, to the bit', () => {
    fc.assert(
      fc.property(anyTensor, (constant) => {
        const graph = new Graph('constants');
        graph.output('y', graph.constant(constant, 'c'));
        // From a Buffer, as files are read: its memory is not the tensor's own.
        const [node] = readOnnx(Buffer.from(writeOnnx(graph))).graph.nodes;
        const read = node?.inputs[0]?.constant;
        expect(read).toMatchObject({ dtype: constant.dtype, shape: constant.shape });
        expect(read && bytesOf(read)).toEqual(bytesOf(constant));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  const graph = new Graph('all');
  const x = graph.input('x', 'float32', [symbolicDim('N'), 2, symbolicDim('H', 4), symbolicDim('W', 6)]);
  const padded = graph.op(Pad, [x, graph.ints([0, 0, 1, 1, 0, 0, 1, 1])], { mode: 'reflect' });
  const weights = graph.constant(tensor('float32', [4, 2, 3, 3], new Float32Array(72)), 'weights');
  const y = graph.scope('net', () =>
    graph.op(Conv, [padded, weights], { strides: [2, 2], pads: [0, 1, 2, 1] }),
  );
  const [, half] = graph.ops(Split, [graph.op(LeakyRelu, [y], { alpha: 0.25 }), graph.ints([1, 3])], {
    axis: 1,
  });
  graph.output('half', half as typeof y);
  const bytes = writeOnnx(graph, { metadata: { licence: 'none' }, producer: { name: 'me', version: '7' } });

  it('attributes of every kind', () => {
    const nodes = readOnnx(bytes).graph.nodes;
    expect(nodes.map(({ attributes }) => attributes)).toEqual([
      { mode: 'reflect' },
      { strides: [2, 2], pads: [0, 1, 2, 1] },
      { alpha: 0.25 },
      { axis: 1 },
    ]);
  });

  it('names, shapes and the multiples that symbols promise', () => {
    const read = readOnnx(bytes);
    expect(read.graph.inputs).toEqual([x]);
    expect(read.graph.nodes.map(({ name }) => name)).toEqual(graph.nodes.map(({ name }) => name));
    expect(read.graph.outputs[0]?.value.shape).toEqual(half?.shape);
    expect(read.metadata).toEqual({ licence: 'none', dim_units: '{"H":4,"W":6}' });
    expect(
      writeOnnx(read.graph, { metadata: { licence: 'none' }, producer: { name: 'me', version: '7' } }),
    ).toEqual(bytes);
  });

  it('with the versions that it says, and shapes as ONNX has them', () => {
    expect(readOnnx(bytes)).toMatchObject({ opset: OPSET, irVersion: IR_VERSION });
    const { producerName, producerVersion, graph: proto } = fromBinary(ModelProtoSchema, bytes);
    expect([producerName, producerVersion]).toEqual(['me', '7']);
    const type = proto?.output[0]?.type?.value;
    const dims = type?.case === 'tensorType' ? type.value.shape?.dim.map(({ value }) => value.value) : [];
    expect(dims).toEqual(['N', 3n, 'H/2+1', 'W/2+1']);
  });

  it('without constants that nothing reads', () => {
    const lean = new Graph('lean');
    lean.output('y', lean.op(Relu, [lean.input('x', 'float32', [1])]));
    lean.constant(tensor('float32', [1000], new Float32Array(1000)));
    expect(writeOnnx(lean).length).toBeLessThan(300);
  });
});

test('more than protobuf can hold is refused before it is written', () => {
  const graph = new Graph('huge');
  const big = tensor('float32', [2 ** 28], new Float32Array(2 ** 28));
  for (let i = 0; i < 2; i++) graph.output(`y${i}`, graph.constant(big));
  expect(() => writeOnnx(graph)).toThrow(
    new GraphError('writeOnnx huge: expected under 2 GiB of constants, got 2147483648 bytes.'),
  );
});

describe("others' files", () => {
  it.each<[DType, object, (number | bigint)[]]>([
    ['float32', { floatData: [0.5, -1] }, [0.5, -1]],
    ['int64', { int64Data: [5n, -1n] }, [5n, -1n]],
    ['int32', { int32Data: [5, -1] }, [5, -1]],
    ['float16', { int32Data: [0x3c00, 0xbc00] }, [0x3c00, 0xbc00]],
    ['int8', { int32Data: [5, -1] }, [5, -1]],
    ['uint8', { int32Data: [5, 255] }, [5, 255]],
    ['bool', { int32Data: [0, 1] }, [0, 1]],
  ])('keep %s elements in lists', (dtype, data, expected) => {
    const file = modelBytes({
      node: [{ opType: 'Identity', input: ['c'], output: ['y'] }],
      initializer: [{ name: 'c', dims: [2n], dataType: onnxTypes[dtype], ...data }],
    });
    const constant = readOnnx(file).graph.nodes[0]?.inputs[0]?.constant;
    expect(constant?.dtype).toBe(dtype);
    expect([...(constant?.data ?? [])]).toEqual(expected);
  });

  it('name values as nodes are named here, leave names out, and say ai.onnx', () => {
    const node = [
      { opType: 'Relu', name: '', input: ['x'], output: ['a'], domain: 'ai.onnx' },
      { opType: 'Relu', name: 'twice', input: ['a'], output: ['Relu_1'] },
      { opType: 'Relu', name: 'twice', input: ['Relu_1'], output: ['y'] },
    ];
    const { graph } = readOnnx(modelBytes({ node }, { opsetImport: [{ domain: 'ai.onnx', version: 13n }] }));
    expect(graph.nodes.map(({ name }) => name)).toEqual(['Relu_2', 'twice', 'twice']);
    expect(graph.outputs[0]?.value.name).toBe('y');
  });

  it('repeat initializers among the inputs, and leave sizes unnamed', () => {
    const { graph } = readOnnx(
      modelBytes({
        node: [{ opType: 'Add', input: ['x', 'c'], output: ['y'] }],
        input: [floats('x', ['', '', 'constructor']), floats('c', [1])],
        initializer: [{ name: 'c', dims: [1n], dataType: 1, floatData: [1] }],
      }),
    );
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(graph.inputs[0]?.shape).toEqual(['x_0', 'x_1', 'constructor'].map((name) => symbolicDim(name)));
  });
});
