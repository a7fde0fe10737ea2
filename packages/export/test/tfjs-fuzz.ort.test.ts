/**
 * Damaged GraphModels, seeded: whatever is changed in model.json or in a shard, importing ends with a graph or with one
 * sentence, soon, and without taking more memory than such a model needs.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importTfjs } from '@cyclegan/export';
import { GraphError } from '@cyclegan/graph';
import { isCycleganError } from '@cyclegan/runtime-core';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { expect, test } from 'vitest';
import {
  flag,
  float,
  int,
  ints,
  modelFiles,
  node,
  placeholder,
  randomWeight,
  scalar,
  text,
  texts,
  type,
  wholeWeight,
} from './tfjs-graph-model.ts';

const windows = (stride: number, padding: string) => ({
  strides: ints(1, stride, stride, 1),
  padding: text(padding),
  data_format: text('NHWC'),
});

/** A network with an operator of each family, so that every reader of attributes and inputs is met. */
const network = modelFiles({
  nodes: [
    placeholder(),
    node('MirrorPad', ['x', 'pads'], { mode: text('REFLECT') }, 'pad'),
    node(
      '_FusedConv2D',
      ['pad', 'w1', 'b1'],
      {
        ...windows(2, 'SAME'),
        num_args: int(1),
        fused_ops: texts('BiasAdd', 'LeakyRelu'),
        leakyrelu_alpha: float(0.2),
      },
      'c1',
    ),
    node('Mean', ['c1', 'axes'], { keep_dims: flag(true) }, 'mean'),
    node('SquaredDifference', ['c1', 'mean'], {}, 'sq'),
    node('Mean', ['sq', 'axes'], { keep_dims: flag(true) }, 'var'),
    node('AddV2', ['var', 'eps'], {}, 've'),
    node('Rsqrt', ['ve'], {}, 'inv'),
    node('Mul', ['c1', 'inv'], {}, 'n1'),
    node('SpaceToBatchND', ['n1', 'block', 'margins'], {}, 's'),
    node('DepthwiseConv2dNative', ['s', 'w2'], windows(1, 'VALID'), 'd'),
    node('BatchToSpaceND', ['d', 'block', 'crops'], {}, 'n2'),
    node('Shape', ['n2'], {}, 'size'),
    node('StridedSlice', ['size', 'i0', 'i1', 'i1'], { shrink_axis_mask: int(1) }, 'n'),
    node('StridedSlice', ['size', 'i1', 'i2', 'i1'], { shrink_axis_mask: int(1) }, 'h'),
    node('Mul', ['h', 'two'], {}, 'h2'),
    node('StridedSlice', ['size', 'i2', 'i3', 'i1'], { shrink_axis_mask: int(1) }, 'w'),
    node('Mul', ['w', 'two'], {}, 'wide'),
    node('Pack', ['n', 'h2', 'wide', 'four'], { axis: int(0), N: int(4) }, 'target'),
    node('Conv2DBackpropInput', ['target', 'w3', 'n2'], windows(2, 'SAME'), 'up'),
    node(
      'FusedBatchNormV3',
      ['up', 'g', 'b', 'm', 'v'],
      { epsilon: float(0.01), is_training: flag(false) },
      'bn',
    ),
    node('MaxPool', ['bn'], { ...windows(2, 'SAME'), ksize: ints(1, 2, 2, 1) }, 'pool'),
    node('ResizeBilinear', ['pool', 'hw'], { half_pixel_centers: flag(true) }, 'r'),
    node('Split', ['axis', 'r'], { num_split: int(2) }, 'parts'),
    node('ConcatV2', ['parts', 'parts:1', 'axis'], { N: int(2) }, 'joined'),
    node('Tile', ['joined', 'times'], {}, 'tiled'),
    node('Transpose', ['tiled', 'perm'], {}, 't'),
    node('Cast', ['t'], { DstT: type('DT_FLOAT') }, 'f'),
    node('Squeeze', ['f'], { squeeze_dims: ints() }, 'q'),
    node('ClipByValue', ['q', 'low', 'high']),
  ],
  weights: {
    pads: wholeWeight([0, 0, 1, 1, 1, 1, 0, 0], [4, 2]),
    w1: randomWeight([3, 3, 3, 4]),
    b1: randomWeight([4]),
    axes: wholeWeight([1, 2]),
    eps: scalar(1e-3),
    block: wholeWeight([2, 2]),
    margins: wholeWeight([2, 2, 2, 2], [2, 2]),
    crops: wholeWeight([0, 0, 0, 0], [2, 2]),
    w2: randomWeight([3, 3, 4, 1]),
    i0: wholeWeight([0]),
    i1: wholeWeight([1]),
    i2: wholeWeight([2]),
    i3: wholeWeight([3]),
    two: wholeWeight(2),
    four: wholeWeight(4),
    w3: randomWeight([3, 3, 4, 4]),
    g: randomWeight([4]),
    b: randomWeight([4]),
    m: randomWeight([4]),
    v: randomWeight([4]),
    hw: wholeWeight([8, 8]),
    axis: wholeWeight(3),
    times: wholeWeight([1, 1, 2, 1]),
    perm: wholeWeight([0, 1, 2, 3]),
    low: scalar(-1),
    high: scalar(1),
  },
  signature: { inputs: { image: { name: 'x:0' } }, outputs: { out: { name: 'y:0' } } },
});

const MODEL = 'model.json';
const SHARD = 'group1-shard1of1.bin';

const oddValues: unknown[] = [
  ...[0, -1, 1, 2, 3, 5, 17, 0.5, -7, 4097, 2 ** 31, 2 ** 53, 1e308, -1e9],
  ...[
    '',
    '-1',
    '3',
    'x',
    'y',
    '^x',
    'c1:7',
    'AAAA',
    'U0FNRQ==',
    '../x',
    '__proto__',
    'DT_STRING',
    'x'.repeat(5000),
  ],
  ...[
    'Const',
    'Placeholder',
    'Reshape',
    'Tile',
    'Fill',
    'Range',
    'Slice',
    'Conv2D',
    'Unpack',
    'SplitV',
    'GatherV2',
    'While',
  ],
  ...[
    null,
    true,
    false,
    [],
    {},
    [[]],
    [-1, 2 ** 40],
    { size: '-5' },
    { unknownRank: true },
    { __proto__: null },
  ],
];
const oddWholes = [0, -1, 1, 2, 3, 4, 9, 255, 65535, -3, 2 ** 20, 2 ** 31 - 1, -(2 ** 31)];

type Pick = (bound: number) => number;
type Container = Record<string, unknown> | unknown[];

/** Every place in a JSON value: what holds it, and by which key. */
function placesOf(root: unknown): { holder: Container; key: string | number }[] {
  if (typeof root !== 'object' || root === null) return [];
  const holder = root as Container;
  const keys = Array.isArray(holder) ? holder.map((_, i) => i) : Object.keys(holder);
  return keys.flatMap((key) => [{ holder, key }, ...placesOf(Reflect.get(holder, key))]);
}

function changeJson(json: unknown, pick: Pick): void {
  const places = placesOf(json);
  const place = places[pick(places.length)];
  const other = places[pick(places.length)];
  if (!place || !other) return;
  const { holder, key } = place;
  const value = [
    () => oddValues[pick(oddValues.length)],
    () => structuredClone(Reflect.get(other.holder, other.key)),
    () => undefined,
  ][pick(3)]?.();
  if (value === undefined && Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (value === undefined) Reflect.deleteProperty(holder, key);
  else if (Array.isArray(holder) && pick(3) === 0) holder.push(value);
  else Reflect.set(holder, key, value);
}

function changeBytes(bytes: Uint8Array, pick: Pick): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = pick(copy.length);
  if (pick(4) === 0) return copy.subarray(0, at);
  if (pick(4) === 0) return Buffer.concat([copy, copy.subarray(at)]);
  for (let i = 0; i <= pick(4); i++) copy[pick(copy.length)] = pick(256);
  return copy;
}

function damaged(pick: Pick): Map<string, Uint8Array> {
  const files = new Map(network);
  const way = pick(10);
  const [model, shard] = [files.get(MODEL) ?? new Uint8Array(), files.get(SHARD) ?? new Uint8Array()];
  if (way < 6) {
    const json: unknown = JSON.parse(Buffer.from(model).toString());
    for (let i = 0; i <= pick(3); i++) changeJson(json, pick);
    files.set(MODEL, Buffer.from(JSON.stringify(json)));
  } else if (way === 6) files.set(MODEL, changeBytes(model, pick));
  else if (way === 7) files.set(SHARD, changeBytes(shard, pick));
  else {
    // Parameters are among the weights: pads, axes, sizes.
    const copy = Buffer.from(shard);
    for (let i = 0; i <= pick(3); i++) {
      copy.writeInt32LE(oddWholes[pick(oddWholes.length)] ?? 0, 4 * pick(copy.length / 4));
    }
    files.set(SHARD, copy);
  }
  return files;
}

test('the network itself is fine', async () => {
  expect(await outcome(network)).toBe('graph');
});

test.each([1, 2, 3, 4, 5])('150 damaged models, seed %i, end with a graph or a sentence', async (seed) => {
  const random = xoroshiro128plus(seed);
  const pick: Pick = (bound) => uniformInt(random, 0, Math.max(bound - 1, 0));
  const before = process.memoryUsage().rss;
  const counts = new Map<string, number>();
  for (let i = 0; i < 150; i++) {
    const ending = await outcome(damaged(pick));
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual(['graph', 'sentence']);
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 2 ** 20);
});

async function outcome(files: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tfjs-fuzz-'));
  try {
    for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
    const { graph } = await importTfjs(folder);
    return graph.outputs.length === 1 ? 'graph' : 'no output';
  } catch (error) {
    const known = isCycleganError(error) || error instanceof GraphError;
    const lines = String((error as Error).message).split('\n').length;
    return known && lines === 1 ? 'sentence' : `${(error as Error).stack ?? error}`;
  } finally {
    await rm(folder, { recursive: true });
  }
}
