/** What files of other programs hold beside operators: data in other files, options, names of any kind, leftovers. */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  Add,
  Concat,
  Conv,
  Div,
  formatShape,
  Graph,
  GraphError,
  Identity,
  int64,
  knownElements,
  Loop,
  Mul,
  Reshape,
  readOnnx,
  Shape,
  Slice,
  symbolicDim,
  tensor,
  writeOnnx,
} from '@cyclegan/graph';
import { AttributeProto_AttributeType, ModelProtoSchema, TensorProto_DataLocation } from 'onnx-buf';
import { describe, expect, it, test } from 'vitest';
import { floats, modelBytes } from './onnx-model.ts';

describe('external data', () => {
  const model = (keys: Record<string, string>) =>
    modelBytes({
      node: [{ opType: 'Add', name: 'add', input: ['c', 'd'], output: ['y'] }],
      initializer: ['c', 'd'].map((name) => ({
        name,
        dims: [2n],
        dataType: 1,
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: Object.entries(keys).map(([key, value]) => ({ key, value })),
      })),
    });
  const beside = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

  it.each<[Record<string, string>, number[]]>([
    [{ location: 'w.bin' }, [1, 2]],
    [{ location: 'w.bin', offset: '8', length: '8', checksum: 'none' }, [3, 4]],
  ])('is asked for once a location, and copied: %j', (keys, expected) => {
    const asked: string[] = [];
    const { graph } = readOnnx(model(keys), {
      externalData: (location) => {
        asked.push(location);
        return beside;
      },
    });
    expect(asked).toEqual(['w.bin']);
    const data = graph.nodes[0]?.inputs[0]?.constant?.data;
    expect([...(data ?? [])]).toEqual(expected);
    expect(data?.buffer).not.toBe(beside.buffer);
  });

  it.each<[Record<string, string>, RegExp]>([
    [{ offset: '0' }, /external data with a location/],
    [
      { location: 'w.bin', offset: '12' },
      /^readOnnx c: expected 8 bytes from 12 on in "w\.bin" of 16, got a length of 8\.$/,
    ],
    [{ location: 'w.bin', offset: '-4' }, /expected 8 bytes from -4/],
    [{ location: 'w.bin', length: '4' }, /got a length of 4/],
    [{ location: 'w.bin', length: '9007199254740993' }, /expected 8 bytes/],
    [{ location: 'w.bin', offset: 'x' }, /from NaN/],
  ])('outside the file is refused: %j', (keys, said) => {
    expect(() => readOnnx(model(keys), { externalData: () => beside })).toThrow(said);
  });

  it("lets the caller's own errors through", () => {
    const gone = new Error('no such file');
    const externalData = () => {
      throw gone;
    };
    expect(() => readOnnx(model({ location: 'w.bin' }), { externalData })).toThrow(gone);
  });
});

describe('reads', () => {
  it('the exporter and the metadata', () => {
    const { producer, metadata, irVersion, opset } = readOnnx(
      modelBytes(
        {},
        { producerName: 'keras2onnx', producerVersion: '1.9', metadataProps: [{ key: 'a', value: 'b' }] },
      ),
    );
    expect({ producer, metadata, irVersion, opset }).toEqual({
      producer: { name: 'keras2onnx', version: '1.9' },
      metadata: { a: 'b' },
      irVersion: 8,
      opset: 17,
    });
  });

  it('multiples that the caller promises, below those of the file', () => {
    const metadataProps = [{ key: 'dim_units', value: '{"H":4}' }];
    const bytes = modelBytes({ input: [floats('x', ['N', 'H', 'W'])] }, { metadataProps });
    const { graph } = readOnnx(bytes, { units: { H: 8, W: 2 } });
    expect(graph.inputs[0]?.shape).toEqual([symbolicDim('N'), symbolicDim('H', 4), symbolicDim('W', 2)]);
  });

  it('sizes of -1 as unknown, and computed ones as they are', () => {
    const { graph } = readOnnx(modelBytes({ input: [floats('x', [-1, 'H/4', 3])] }));
    expect(formatShape(graph.inputs[0]?.shape ?? [])).toBe('[x_0, H/4, 3]');
    expect(formatShape(graph.outputs[0]?.value.shape ?? [])).toBe('[x_0, H/4, 3]');
  });

  it('names of any characters, made names apart from them', () => {
    const name = 'généré/…:0 %s\u{1F600}';
    const node = [
      {
        opType: 'Clip',
        name: '',
        input: ['x'],
        output: [name],
        attribute: [{ name: 'max', type: AttributeProto_AttributeType.FLOAT, f: 1 }],
      },
      { opType: 'Relu', name: '', input: [name], output: ['const_1'] },
      { opType: 'Relu', name: 'Relu_1', input: ['const_1'], output: ['y'] },
    ];
    const { graph } = readOnnx(modelBytes({ node }, { opsetImport: [{ domain: '', version: 9n }] }));
    expect(graph.nodes[0]?.outputs[0]?.name).toBe(name);
    const made = [...graph.nodes.map((each) => each.name), graph.nodes[0]?.inputs[2]?.name];
    expect(new Set(made).size).toBe(4);
    expect(made).not.toContain('const_1');
    expect(fromBinary(ModelProtoSchema, writeOnnx(graph)).graph?.node[0]?.output).toEqual([name]);
  });

  it('inputs left out at the end and between', () => {
    const node = [{ opType: 'Clip', name: 'c', input: ['x', '', 'm', ''], output: ['y'] }];
    const initializer = [{ name: 'm', dataType: 1, floatData: [1] }];
    expect(() => readOnnx(modelBytes({ node, initializer }))).not.toThrow();
    const [clip] = readOnnx(modelBytes({ node, initializer })).graph.nodes;
    expect(clip?.inputs.map((input) => input?.name)).toEqual(['x', undefined, 'm']);
  });

  it('elements of float64', () => {
    const { graph } = readOnnx(
      modelBytes({
        node: [
          {
            opType: 'Cast',
            name: 'c',
            input: ['d'],
            output: ['y'],
            attribute: [{ name: 'to', type: AttributeProto_AttributeType.INT, i: 1n }],
          },
        ],
        initializer: [{ name: 'd', dims: [2n], dataType: 11, doubleData: [0.1, 0.2] }],
      }),
    );
    expect(graph.nodes[0]?.inputs[0]?.constant?.data).toEqual(Float64Array.of(0.1, 0.2));
  });

  it('the largest integers, and writes them again', () => {
    const ints = (...values: bigint[]) => ({ type: AttributeProto_AttributeType.INTS, ints: values });
    const node = [
      {
        opType: 'Slice',
        name: 's',
        input: ['x'],
        output: ['y'],
        attribute: [
          { name: 'starts', ...ints(1n) },
          { name: 'ends', ...ints(2n ** 63n - 1n) },
          { name: 'axes', ...ints(1n) },
        ],
      },
    ];
    const { graph } = readOnnx(modelBytes({ node }, { opsetImport: [{ domain: '', version: 9n }] }));
    expect(graph.outputs[0]?.value.shape).toEqual([2, 2]);
    expect(graph.nodes[0]?.inputs[2]?.constant?.data).toEqual(BigInt64Array.of(2n ** 63n - 1n));
  });
});

describe('what is known of elements', () => {
  const graph = new Graph('sizes');
  const x = graph.input('x', 'float32', [symbolicDim('N'), 3, symbolicDim('H'), 5]);
  const shape = graph.op(Shape, [x]);

  it('are sizes, followed through arithmetic', () => {
    expect(knownElements(shape)).toEqual([symbolicDim('N'), 3, symbolicDim('H'), 5]);
    const half = graph.op(Div, [graph.op(Slice, [shape, graph.ints([2]), graph.ints([4])]), graph.ints([2])]);
    expect(formatShape(knownElements(half) ?? [])).toBe('[floor(H/2), 2]');
    expect(knownElements(graph.op(Identity, [graph.ints([7])]))).toEqual([7]);
  });

  it('is nothing of inputs, of large tensors and of float constants that are only moved', () => {
    expect(knownElements(x)).toBeUndefined();
    const long = graph.op(Concat, new Array(17).fill(shape), { axis: 0 });
    expect(long.elements).toBeUndefined();
    expect(graph.op(Reshape, [graph.float([1, 2]), graph.ints([2, 1])]).elements).toBeUndefined();
    expect(graph.op(Add, [graph.float([1]), graph.float([2])]).elements).toBeUndefined();
  });

  it('and of constants up to a bound', () => {
    expect(knownElements(graph.ints([1, 2]))).toEqual([1, 2]);
    const large = graph.constant(tensor('int64', [5000], new BigInt64Array(5000)));
    expect(knownElements(large)).toBeUndefined();
    expect(() => graph.op(Reshape, [x, large])).toThrow(GraphError);
  });

  it('of sizes multiplied without end stays small', () => {
    let sizes = shape;
    for (let i = 0; i < 60; i++) sizes = graph.op(Mul, [sizes, graph.op(Add, [sizes, shape])]);
    expect(JSON.stringify(knownElements(sizes) ?? []).length).toBeLessThan(20_000);
  });
});

test('files are those of the plain encoder but for the order of fields, with constants of subgraphs and none', () => {
  const graph = new Graph('encoded');
  const x = graph.input('x', 'float32', [1, 2, symbolicDim('H', 2), 8]);
  const weights = tensor(
    'float32',
    [2, 2, 3, 3],
    Float32Array.from({ length: 36 }, (_, i) => i / 7),
  );
  const body = graph.subgraph('turn');
  body.input('turn', 'int64', []);
  body.input('goes_on', 'bool', []);
  const state = body.input('state', 'float32', x.shape);
  body.output('goes_on_next', body.constant(tensor('bool', [], Uint8Array.of(1))));
  body.output('next', body.op(Conv, [state, body.constant(weights, 'inner')], { pads: [1, 1, 1, 1] }));
  const [after] = graph.ops(Loop, [graph.constant(int64([2], [])), undefined, x], { body });
  graph.output('y', graph.op(Conv, [after, graph.constant(weights, 'outer')], { pads: [1, 1, 1, 1] }));
  graph.output('none', graph.op(Identity, [graph.float([], [0, 3])]));
  const bytes = writeOnnx(graph, { metadata: { a: 'b' } });
  const model = fromBinary(ModelProtoSchema, bytes);
  const plain = toBinary(ModelProtoSchema, model);
  expect(plain.length).toBe(bytes.length);
  expect(fromBinary(ModelProtoSchema, plain)).toEqual(model);
  expect(model.graph?.initializer.find(({ name }) => name === 'outer')?.rawData).toEqual(
    new Uint8Array(weights.data.buffer),
  );
  expect(writeOnnx(readOnnx(bytes).graph, { metadata: { a: 'b' } })).toEqual(bytes);
});
