/** ONNX files with bytes changed at random: read as another graph or refused by one GraphError, never anything else. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import * as graphPackage from '@cyclegan/graph';
import {
  Conv,
  Graph,
  GraphError,
  LeakyRelu,
  Pad,
  Reshape,
  Resize,
  readOnnx,
  Split,
  symbolicDim,
  writeOnnx,
} from '@cyclegan/graph';
import fc from 'fast-check';
import { type ModelProto, ModelProtoSchema, TensorProto_DataLocation } from 'onnx-buf';
import { expect, test } from 'vitest';
import { floats, modelBytes } from './onnx-model.ts';

const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../test/fixtures/onnx/${name}`, import.meta.url)));

/** As this package writes. */
function written(): Uint8Array {
  const graph = new Graph('small');
  const x = graph.input('x', 'float32', [symbolicDim('N'), 2, symbolicDim('H', 4), 8]);
  const padded = graph.op(Pad, [x, graph.ints([0, 0, 1, 1, 0, 0, 1, 1])], { mode: 'reflect' });
  const weights = graph.float([...new Array(36).keys()], [2, 2, 3, 3]);
  const y = graph.op(Conv, [padded, weights, graph.float([0, 1])], {
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    group: 1,
  });
  const larger = graph.op(Resize, [y, undefined, graph.float([1, 1, 2, 2])], { mode: 'nearest' });
  const flat = graph.op(Reshape, [
    graph.op(LeakyRelu, [larger], { alpha: 0.2 }),
    graph.ints([0, 0, 0, 5, 2]),
  ]);
  graph.ops(Split, [flat, graph.ints([2, 3])], { axis: 3 }).forEach((part, i) => {
    graph.output(`part${i}`, part);
  });
  return writeOnnx(graph);
}

/** With weights in a file beside it. */
function external(): Uint8Array {
  const externalData = [
    { key: 'location', value: 'w' },
    { key: 'offset', value: '8' },
    { key: 'length', value: '16' },
  ];
  const weights = {
    name: 'c',
    dims: [2n, 2n],
    dataType: 1,
    externalData,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
  };
  return modelBytes({
    node: [
      { opType: 'MatMul', name: 'm', input: ['x', 'c'], output: ['a'] },
      { opType: 'Add', name: 'e', input: ['a', 'c'], output: ['y'] },
    ],
    input: [floats('x', [2, 2])],
    initializer: [weights],
  });
}

function mutations(length: number): fc.Arbitrary<((file: number[]) => unknown)[]> {
  const place = fc.nat(length - 1);
  const change = fc.oneof(
    fc.tuple(place, fc.nat(255)).map(
      ([at, byte]) =>
        (file: number[]) =>
          file.splice(at, 1, byte),
    ),
    fc.tuple(place, fc.nat(7)).map(
      ([at, bit]) =>
        (file: number[]) =>
          file.splice(at, 1, (file[at] ?? 0) ^ (1 << bit)),
    ),
    fc.tuple(place, fc.uint8Array({ maxLength: 12 })).map(
      ([at, more]) =>
        (file: number[]) =>
          file.splice(at, 0, ...more),
    ),
    fc.tuple(place, fc.nat(40)).map(
      ([at, length]) =>
        (file: number[]) =>
          file.splice(at, length),
    ),
    fc.tuple(place, place).map(
      ([from, to]) =>
        (file: number[]) =>
          file.splice(to, 0, ...file.slice(from, from + 60)),
    ),
  );
  return fc.array(change, { minLength: 1, maxLength: 3 });
}

const tried = { externalData: () => new Uint8Array(64) };

/** Whether the file is read and written; else it must be refused by one sentence. */
function isRead(file: Uint8Array): boolean {
  try {
    writeOnnx(readOnnx(file, tried).graph);
    return true;
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    expect(error.message).toMatch(/^[^\n]{1,2000}$/s);
    return false;
  }
}

test.each<[string, Uint8Array, number]>([
  ['written here', written(), 1000],
  ['with external data', external(), 600],
  ['of opset 9, sizes computed', fixture('interpolate_nearest.9.onnx'), 400],
  ['of opset 18, pads computed', fixture('pad_to_multiple.18.onnx'), 400],
  ['of opset 18, products of sizes', fixture('attention.18.onnx'), 400],
])('a file %s', (_, bytes, numRuns) => {
  const seen = { read: 0, refused: 0 };
  fc.assert(
    fc.property(mutations(bytes.length), (changes) => {
      const file = [...bytes];
      for (const apply of changes) apply(file);
      seen[isRead(Uint8Array.from(file)) ? 'read' : 'refused']++;
    }),
    { seed: 1, numRuns },
  );
  expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(20);
});

/** Numbers that files hold where nobody expects them. */
const strange = [
  -(2n ** 63n),
  -(2n ** 31n),
  -2n,
  -1n,
  0n,
  1n,
  2n,
  3n,
  8n,
  65n,
  2n ** 31n,
  2n ** 53n,
  2n ** 63n - 1n,
];
const operators = [
  ...Object.values(graphPackage).flatMap((value) => nameOf(value)),
  'Upsample',
  'Constant',
  'Gelu',
];

function nameOf(value: unknown): string[] {
  return typeof value === 'object' && value && 'infer' in value && 'name' in value
    ? [String(value.name)]
    : [];
}

/** Changes a model in one place: still a model, but hardly one that makes sense. */
function disturb(model: ModelProto, pick: <T>(list: readonly T[]) => T | undefined): void {
  const { node: nodes = [], initializer = [], input = [] } = model.graph ?? {};
  const node = pick(nodes);
  const attribute = pick(node?.attribute ?? []);
  const tensor = pick([
    ...initializer,
    ...nodes.flatMap((each) => each.attribute.flatMap(({ t }) => t ?? [])),
  ]);
  const type = pick(input)?.type?.value;
  const dim = type?.case === 'tensorType' ? pick(type.value.shape?.dim ?? []) : undefined;
  const number = pick(strange) ?? 0n;
  const names = [...nodes.flatMap(({ output }) => output), ...initializer.map(({ name }) => name), ''];
  const changes: (() => unknown)[] = [
    () => node && Object.assign(node, { opType: pick(operators) }),
    () => node?.input.splice(Number(pick([0, 1, 2])), Number(pick([0, 1])), pick(names) ?? ''),
    () => node?.input.pop(),
    () => node?.output.push(`more${node.output.length}`),
    () => node?.attribute.pop(),
    () =>
      node &&
      attribute &&
      node.attribute.push({ ...attribute, name: pick(['axis', 'axes', 'pads', 'mode']) ?? '' }),
    () => attribute && Object.assign(attribute, { i: number }),
    () => attribute?.ints.splice(Number(pick([0, 1, 2])), Number(pick([0, 1])), number),
    () => attribute && Object.assign(attribute, { f: Number(number) }),
    () => tensor?.dims.splice(0, Number(pick([0, 1])), number),
    () =>
      tensor &&
      Object.assign(tensor, { dims: [], int64Data: [number], rawData: new Uint8Array(), dataType: 7 }),
    () =>
      tensor &&
      Object.assign(tensor, { dims: [2n], int64Data: [number, 1n], rawData: new Uint8Array(), dataType: 7 }),
    () => dim && Object.assign(dim, { value: { case: 'dimValue', value: number } }),
    () =>
      dim &&
      Object.assign(dim, { value: { case: 'dimParam', value: pick(['N', '', 'H/2', 'floor(H', '-']) } }),
    () =>
      Object.assign(model.opsetImport[0] ?? {}, { version: BigInt(pick([7, 9, 10, 11, 13, 18, 21]) ?? 17) }),
  ];
  pick(changes)?.();
}

test('models with operators, names, attributes, sizes and opsets changed', () => {
  const files = [
    'attention.18',
    'pad_to_multiple.18',
    'pixel_shuffle.18',
    'interpolate_nearest.9',
    'unet.18',
  ];
  const seen = { read: 0, refused: 0 };
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      fc.array(fc.nat(2 ** 20), { minLength: 12, maxLength: 36 }),
      (name, picks) => {
        const model = fromBinary(ModelProtoSchema, fixture(`${name}.onnx`));
        const left = [...picks];
        const pick = <T>(list: readonly T[]) => list[(left.pop() ?? 0) % list.length];
        while (left.length > 0) disturb(model, pick);
        seen[isRead(toBinary(ModelProtoSchema, model)) ? 'read' : 'refused']++;
      },
    ),
    { seed: 1, numRuns: 1000 },
  );
  expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(20);
});
