/** importOnnx: foreign files of every layout, type and size, against onnxruntime on the file itself; hostile ones. */
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freeSizes, type Imported, importOnnx, withBundleInterface } from '@cyclegan/export';
import {
  Add,
  Cast,
  Concat,
  Conv,
  ConvTranspose,
  type Dim,
  type DType,
  formatShape,
  Graph,
  Mul,
  onnxTypes,
  Pad,
  Relu,
  Reshape,
  readOnnx,
  symbolicDim,
  Tanh,
  Transpose,
  tensor,
  type Value,
  writeOnnx,
} from '@cyclegan/graph';
import type { Tensor } from '@cyclegan/model';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { generator } from './variants-support.ts';

const random = xoroshiro128plus(3);
const noise = (...shape: number[]) => {
  const size = shape.reduce((product, dim) => product * dim, 1);
  const values = Float32Array.from({ length: size }, () => uniformInt(random, -1000, 1000) / 1500);
  return { shape, data: values };
};
const weight = (graph: Graph, ...shape: number[]) => {
  const { data } = noise(...shape);
  return graph.constant(
    tensor('float32', shape, data.map((value) => value / 3) as Float32Array<ArrayBuffer>),
  );
};

/** Halves and doubles an image [N, C, H, W]: even sizes alone come out as they went in. */
function halving(graph: Graph, x: Value, channels = 3): Value {
  const padded = graph.op(Pad, [x, graph.ints([0, 0, 2, 2, 0, 0, 2, 2])], { mode: 'reflect' });
  const half = graph.op(Conv, [padded, weight(graph, 4, channels, 5, 5)], { strides: [2, 2] });
  const whole = graph.op(ConvTranspose, [graph.op(Relu, [half]), weight(graph, 4, channels, 4, 4)], {
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  });
  return graph.op(Tanh, [whole]);
}

interface Ends {
  shape?: Dim[];
  dtype?: DType;
  layout?: 'NCHW' | 'NHWC';
}

function foreign({ shape = [1, 3, 16, 24], dtype = 'float32', layout = 'NCHW' }: Ends = {}): Uint8Array {
  const graph = new Graph('foreign');
  const cast = (value: Value, to: DType) =>
    dtype === 'float32' ? value : graph.op(Cast, [value], { to: onnxTypes[to] });
  const input = cast(graph.input('in', dtype, shape), 'float32');
  const image = layout === 'NCHW' ? input : graph.op(Transpose, [input], { perm: [0, 3, 1, 2] });
  // uint8's range is that of bytes.
  const small = dtype === 'uint8' ? graph.op(Mul, [image, graph.float(1 / 255)]) : image;
  const y = halving(graph, small);
  const scaled =
    dtype === 'uint8' ? graph.op(Mul, [graph.op(Add, [y, graph.float(1)]), graph.float(127)]) : y;
  const laid = layout === 'NCHW' ? scaled : graph.op(Transpose, [scaled], { perm: [0, 2, 3, 1] });
  graph.output('out', cast(laid, dtype));
  return writeOnnx(graph);
}

async function run(graph: Graph, image: Tensor): Promise<Tensor> {
  const session = await InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 4 });
  const [output] = Object.values(
    await session.run({ [session.inputNames[0] ?? '']: new OrtTensor('float32', image.data, image.shape) }),
  );
  await session.release();
  return { shape: output?.dims ?? [], data: output?.data as Float32Array };
}

/** Graph and reference on the same image, which is to be more than zeros. */
async function worst(imported: Imported, image: Tensor): Promise<number> {
  const reference = await imported.openReference();
  const expected = await reference.run(image);
  await reference.dispose();
  const got = await run(imported.graph, image);
  expect(got.shape).toEqual(expected.shape);
  expect(Math.max(...expected.data.map(Math.abs))).toBeGreaterThan(0.1);
  return expected.data.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (got.data[i] ?? Number.NaN))),
    0,
  );
}
const bytesOf = ({ shape, data }: Tensor): Tensor => ({
  shape,
  data: data.map((value) => Math.round(127 + 127 * value)),
});
const inputOf = ({ graph }: Pick<Imported, 'graph'>) =>
  `${graph.inputs[0]?.dtype}${formatShape(graph.inputs[0]?.shape ?? [])}`;
const outputOf = ({ graph }: Pick<Imported, 'graph'>) =>
  `${graph.outputs[0]?.value.dtype}${formatShape(graph.outputs[0]?.value.shape ?? [])}`;

test.each([
  ['float32 NCHW', {}, 'NCHW'],
  ['float32 NHWC', { shape: [1, 16, 24, 3], layout: 'NHWC' }, 'NHWC'],
  ['float16 NCHW', { dtype: 'float16' }, 'NCHW'],
  ['uint8 NHWC', { shape: [1, 16, 24, 3], layout: 'NHWC', dtype: 'uint8' }, 'NHWC'],
] as [string, Ends, string][])(
  '%s becomes float32 NCHW and computes as the file',
  async (_, ends, layout) => {
    const imported = await importOnnx(foreign(ends));
    expect(imported).toMatchObject({ kind: 'onnx', layout, config: null });
    expect(imported.range).toEqual(ends.dtype === 'uint8' ? [0, 255] : undefined);
    expect([inputOf(imported), outputOf(imported)]).toEqual(Array(2).fill('float32[1, 3, 16, 24]'));
    const image = noise(1, 3, 16, 24);
    expect(await worst(imported, ends.dtype === 'uint8' ? bytesOf(image) : image)).toBeLessThan(1e-5);
  },
);

test('bytes are rounded at the ends, not cut off', async () => {
  const graph = new Graph('bytes');
  graph.output('out', graph.input('in', 'uint8', [1, 3, 4, 4]));
  const imported = await importOnnx(writeOnnx(graph));
  const image = { shape: [1, 3, 4, 4], data: new Float32Array(48).fill(254.6) };
  image.data.set([-3, 300, 0.5, 1.5]);
  expect([...(await run(imported.graph, image)).data.slice(0, 6)]).toEqual([0, 255, 0, 2, 255, 255]);
  expect(await worst(imported, image)).toBe(0);
});

test('sizes are set free where that is right, with the multiple and the least size found', async () => {
  const imported = await importOnnx(foreign());
  const sized = freeSizes(imported.graph);
  expect(sized).toMatchObject({ sizeMultiple: 2, minSize: 4 });
  expect([inputOf(sized), outputOf(sized)]).toEqual(Array(2).fill('float32[N, 3, H, W]'));
  const free = await importOnnx(
    foreign({ shape: [symbolicDim('b'), 3, symbolicDim('y'), symbolicDim('x')] }),
  );
  const other = noise(2, 3, 10, 6);
  const [expected, got] = [await run(free.graph, other), await run(sized.graph, other)];
  // Other weights, so only the shape.
  expect(got.shape).toEqual(expected.shape);
  // The file's own size comes out as before.
  const image = noise(1, 3, 16, 24);
  expect((await run(sized.graph, image)).data).toEqual((await run(imported.graph, image)).data);
});

test('a generator of this project is found to take what its configuration says', () => {
  for (const [config, sizes] of [
    [{}, { sizeMultiple: 4, minSize: 8 }],
    [
      { norm: 'none', upsample: 'resize' },
      { sizeMultiple: 4, minSize: 8 },
    ],
    [
      { kind: 'unet', downs: 5, ngf: 2 },
      { sizeMultiple: 32, minSize: 32 },
    ],
  ] as const) {
    expect(freeSizes(generator(config))).toMatchObject(sizes);
  }
});

test('a model that holds on to its size, or changes it, says why', async () => {
  const pinned = new Graph('pinned');
  const x = pinned.input('in', 'float32', [1, 3, 16, 16]);
  const flat = pinned.op(Reshape, [x, pinned.ints([1, 3, 16, 16])]);
  pinned.output('out', pinned.op(Tanh, [flat]));
  const kept = freeSizes((await importOnnx(writeOnnx(pinned))).graph);
  expect(kept).not.toHaveProperty('sizeMultiple');
  expect('reason' in kept && kept.reason).toMatch(/Reshape/);

  const larger = new Graph('larger');
  const small = larger.input('in', 'float32', [1, 3, symbolicDim('h'), symbolicDim('w')]);
  larger.output('out', larger.op(ConvTranspose, [small, weight(larger, 3, 3, 2, 2)], { strides: [2, 2] }));
  const upscaler = freeSizes((await importOnnx(writeOnnx(larger))).graph);
  expect('reason' in upscaler && upscaler.reason).toMatch(/turns \[1, 3, h, w\] into \[1, 3, 2\*h, 2\*w\]/);
});

test('a batch of one that is held on to is kept', async () => {
  const graph = new Graph('one');
  const x = graph.input('in', 'float32', [1, 3, symbolicDim('h'), symbolicDim('w')]);
  const one = graph.op(Reshape, [x, graph.ints([1, 3, 0, 0])]);
  graph.output('out', graph.op(Tanh, [one]));
  expect(inputOf(freeSizes((await importOnnx(writeOnnx(graph))).graph))).toBe('float32[1, 3, H, W]');
});

test('one of several inputs and outputs is chosen by name', async () => {
  const graph = new Graph('several');
  const image = graph.input('in', 'float32', [1, 3, 8, 8]);
  graph.output('features', graph.op(Relu, [graph.op(Conv, [image, weight(graph, 8, 3, 1, 1)])]));
  graph.output('first', graph.op(Tanh, [image]));
  graph.output('second', graph.op(Relu, [image]));
  const bytes = writeOnnx(graph);
  await expect(importOnnx(bytes)).rejects.toThrow(
    /expected one image as output, got first, second; name one as output/,
  );
  const { graph: chosen } = await importOnnx(bytes, { output: 'second' });
  expect(chosen.outputs.map(({ name }) => name)).toEqual(['second']);
  expect(chosen.nodes.map(({ op }) => op.name)).toEqual(['Relu']);
  await expect(importOnnx(bytes, { output: 'third' })).rejects.toThrow(
    /output "third", got none of that name/,
  );
  await expect(importOnnx(bytes, { output: 'features' })).rejects.toThrow(
    /got "features" float32\[1, 8, 8, 8\]/,
  );

  const two = new Graph('two');
  const [a, b] = [two.input('a', 'float32', [1, 3, 8, 8]), two.input('b', 'float32', [1, 3, 8, 8])];
  two.output('out', two.op(Add, [a, b]));
  await expect(importOnnx(writeOnnx(two), { input: 'a' })).rejects.toMatchObject({
    code: 'input',
    message: expect.stringMatching(/expected an image as the only input, got also "b" float32\[1, 3, 8, 8\]/),
  });
});

test('no image in or out is said so', async () => {
  const graph = new Graph('vector');
  graph.output('out', graph.op(Tanh, [graph.input('in', 'float32', [1, 512])]));
  await expect(importOnnx(writeOnnx(graph))).rejects.toThrow(
    /of 1, 3 or 4 channels as input, got "in" float32\[1, 512\]/,
  );
});

test('a bundle’s interface: names and range folded in', async () => {
  const { graph } = await importOnnx(foreign());
  const folded = withBundleInterface(graph, [0, 255]);
  expect(folded.inputs[0]?.name).toBe('image');
  expect(folded.outputs[0]?.name).toBe('translation');
  const image = noise(1, 3, 16, 24);
  const bytes = { shape: image.shape, data: image.data.map((value) => 127.5 * (value + 1)) };
  const expected = (await run(graph, bytes)).data.map((value) => value / 127.5 - 1);
  const got = (await run(folded, image)).data;
  expect(Math.max(...got.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))))).toBeLessThan(
    1e-4,
  );
  expect(withBundleInterface(graph, [-1, 1]).nodes).toHaveLength(graph.nodes.length);
});

test('names of a bundle that are taken inside are not given twice', async () => {
  const graph = new Graph('taken');
  const x = graph.input('translation', 'float32', [1, 3, 8, 8]);
  const [inner] = graph.ops(Relu, [x], {}, ['image']);
  graph.output('out', graph.op(Concat, [inner, inner].slice(0, 1), { axis: 1 }));
  const made = withBundleInterface((await importOnnx(writeOnnx(graph))).graph, [0, 1]);
  expect([made.inputs[0]?.name, made.outputs[0]?.name]).toEqual(['image_', 'translation']);
  const { data } = await run(made, { shape: [1, 3, 8, 8], data: new Float32Array(192).fill(0.5) });
  expect(data[0]).toBeCloseTo(0.5);
});

/** A model whose weights are in `weights.bin`, by hand: writeOnnx keeps all in the file. */
async function externalModel(folder: string, location: string): Promise<string> {
  const { create, fromBinary, toBinary } = await import('@bufbuild/protobuf');
  const { ModelProtoSchema, StringStringEntryProtoSchema, TensorProto_DataLocation } = await import(
    'onnx-buf'
  );
  const model = fromBinary(ModelProtoSchema, foreign());
  const tensors = model.graph?.initializer.filter(({ rawData }) => rawData.length > 100) ?? [];
  let at = 0;
  const parts: Uint8Array[] = [];
  for (const each of tensors) {
    const entries = { location, offset: `${at}`, length: `${each.rawData.length}` };
    each.externalData = Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    );
    each.dataLocation = TensorProto_DataLocation.EXTERNAL;
    parts.push(each.rawData);
    at += each.rawData.length;
    each.rawData = new Uint8Array();
  }
  await writeFile(join(folder, 'weights.bin'), Buffer.concat(parts));
  const path = join(folder, 'model.onnx');
  await writeFile(path, toBinary(ModelProtoSchema, model));
  return path;
}

test('weights in a file beside the model are read, and nothing outside of its folder', async () => {
  const folder = temporaryFolder();
  const imported = await importOnnx(await externalModel(folder, 'weights.bin'));
  expect(await worst(imported, noise(1, 3, 16, 24))).toBeLessThan(1e-5);
  const elsewhere = temporaryFolder();
  await writeFile(join(elsewhere, 'secret.bin'), new Uint8Array(100_000));
  await symlink(join(elsewhere, 'secret.bin'), join(folder, 'link.bin'));
  for (const location of ['../weights.bin', '/etc/passwd', 'link.bin', '.', 'none.bin', '\0']) {
    const path = await externalModel(folder, location);
    await expect(importOnnx(path)).rejects.toMatchObject({
      code: 'input',
      message: expect.stringMatching(/^\[export\] model\.onnx: expected [^\n]*\.$/),
    });
  }
});

test('a file that cannot be read, or is no model, is one sentence', async () => {
  await expect(importOnnx(join(temporaryFolder(), 'none.onnx'))).rejects.toMatchObject({ code: 'input' });
  await expect(importOnnx(new TextEncoder().encode('no model'))).rejects.toMatchObject({
    code: 'input',
    message: expect.stringMatching(/^\[export\] ONNX bytes: .*expected an ONNX model/),
  });
});

test('400 damaged files end with a graph or a sentence', async () => {
  const whole = foreign();
  const seeded = xoroshiro128plus(11);
  const endings = new Map<string, number>();
  for (let i = 0; i < 400; i += 1) {
    const bytes = Uint8Array.from(whole);
    const hits = uniformInt(seeded, 1, 4);
    // The first bytes say what all others are.
    for (let hit = 0; hit < hits; hit += 1) {
      const at = uniformInt(seeded, 0, hit === 0 ? 400 : bytes.length - 1);
      bytes[bytes.length - 1 - at] = uniformInt(seeded, 0, 255);
      bytes[uniformInt(seeded, 0, 600)] = uniformInt(seeded, 0, 255);
    }
    const cut = i % 5 === 0 ? bytes.subarray(0, uniformInt(seeded, 0, bytes.length)) : bytes;
    const ending = await importOnnx(cut).then(
      ({ graph }) => (freeSizes(graph).graph instanceof Graph ? 'graph' : 'nothing'),
      (error) =>
        error.name === 'CycleganError' && !/\n/.test(error.message) ? 'sentence' : `${error.stack}`,
    );
    endings.set(ending, (endings.get(ending) ?? 0) + 1);
  }
  expect([...endings.keys()].sort()).toEqual(['graph', 'sentence']);
  expect(readOnnx(whole).graph.nodes.length).toBeGreaterThan(0);
});
