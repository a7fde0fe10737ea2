/** GraphModels made by hand, as tensorflowjs_converter writes them, and a look at what importing keeps of them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importTfjs } from '@cyclegan/export';
import { writeOnnx } from '@cyclegan/graph';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect } from 'vitest';

export interface TfNodeSpec {
  name: string;
  op: string;
  input?: string[];
  attr?: Record<string, unknown>;
}

export interface WeightValues {
  dtype: 'float32' | 'int32' | 'bool';
  shape: readonly number[];
  values: readonly number[];
}

export interface GraphModelSpec {
  nodes: readonly TfNodeSpec[];
  weights: Readonly<Record<string, WeightValues>>;
  signature?: unknown;
}

// Attributes as protobuf's JSON has them.
export const text = (s: string) => ({ s: Buffer.from(s).toString('base64') });
export const texts = (...list: string[]) => ({ list: { s: list.map((s) => text(s).s) } });
export const ints = (...i: number[]) => ({ list: { i: i.map(String) } });
export const int = (i: number) => ({ i: String(i) });
export const float = (f: number) => ({ f });
export const flag = (b: boolean) => ({ b });
export const type = (name: string) => ({ type: name });
export const shape = (...sizes: number[]) => ({
  shape: { dim: sizes.map((size) => ({ size: String(size) })) },
});

/** The image: any batch and size. */
export const placeholder = (...sizes: number[]): TfNodeSpec => ({
  name: 'x',
  op: 'Placeholder',
  attr: { dtype: type('DT_FLOAT'), shape: shape(...(sizes.length > 0 ? sizes : [-1, -1, -1, 3])) },
});

/** Numbers in ±1, the same on every run. */
export function randomNumbers(count: number, seed = 1): number[] {
  let state = seed * 2654435761;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(state / 2 ** 31 - 1);
  });
}

/** A weight of numbers in ±1. */
export function randomWeight(sizes: readonly number[], seed = 1): WeightValues {
  const count = sizes.reduce((product, size) => product * size, 1);
  return { dtype: 'float32', shape: sizes, values: randomNumbers(count, seed) };
}

export const scalar = (value: number): WeightValues => ({ dtype: 'float32', shape: [], values: [value] });

/** A weight of whole numbers: a list, or a scalar. */
export function wholeWeight(values: number | readonly number[], sizes?: readonly number[]): WeightValues {
  const list = typeof values === 'number' ? [values] : values;
  return { dtype: 'int32', shape: sizes ?? (typeof values === 'number' ? [] : [list.length]), values: list };
}

function bytesOf({ dtype, values }: WeightValues): Uint8Array {
  const list =
    dtype === 'float32'
      ? Float32Array.from(values)
      : dtype === 'int32'
        ? Int32Array.from(values)
        : Uint8Array.from(values);
  return new Uint8Array(list.buffer);
}

/** The files of a model by name. */
export function modelFiles({ nodes, weights, signature }: GraphModelSpec): Map<string, Uint8Array> {
  const entries = Object.entries(weights);
  const constants = entries.map(([name, { dtype }]): TfNodeSpec => {
    const types = { float32: 'DT_FLOAT', int32: 'DT_INT32', bool: 'DT_BOOL' };
    return { name, op: 'Const', attr: { dtype: type(types[dtype]) } };
  });
  const json = {
    format: 'graph-model',
    ...(signature ? { signature } : {}),
    modelTopology: { node: [...constants, ...nodes] },
    weightsManifest: [
      {
        paths: ['group1-shard1of1.bin'],
        weights: entries.map(([name, { dtype, shape: sizes }]) => ({ name, dtype, shape: sizes })),
      },
    ],
  };
  return new Map([
    ['model.json', Buffer.from(JSON.stringify(json))],
    ['group1-shard1of1.bin', Buffer.concat(entries.map(([, weight]) => bytesOf(weight)))],
  ]);
}

/** Writes files into a folder that is gone after `use`. */
export async function withFiles<T>(
  files: ReadonlyMap<string, Uint8Array>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tfjs-'));
  try {
    for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Imports a model and holds what it gives, as ONNX in onnxruntime, against tfjs on the model itself.
 * @param sizes of the images, [N, C, H, W], whose values are in ±scale
 * @returns the operators that are left
 */
export async function expectAsInTfjs(
  path: string,
  sizes: readonly (readonly number[])[],
  options: { input?: string; output?: string; scale?: number } = {},
): Promise<string[]> {
  const { scale = 1, ...named } = options;
  const imported = await importTfjs(path, named);
  const { graph } = imported;
  const session = await InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 4 });
  const reference = await imported.openReference();
  try {
    for (const [seed, size] of sizes.entries()) {
      const data = Float32Array.from(
        randomNumbers(
          size.reduce((a, b) => a * b, 1),
          seed + 7,
        ),
      );
      const expected = await reference.run({ shape: size, data });
      const feeds = { [graph.inputs[0]?.name ?? '']: new Tensor('float32', data, size) };
      const [made] = Object.values(await session.run(feeds));
      expect(made?.dims).toEqual(expected.shape);
      expect(worst(made?.data as Float32Array, expected.data as Float32Array)).toBeLessThan(1e-4);
    }
  } finally {
    await reference.dispose();
    await session.release();
  }
  return graph.nodes.map(({ op }) => op.name);
}

/** The largest difference, relative to the range of what is expected where that is above 1. */
export function worst(made: Float32Array, expected: Float32Array): number {
  let [difference, least, most] = [0, 0, 0];
  expected.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(value - (made[i] ?? Number.NaN)));
    least = Math.min(least, value);
    most = Math.max(most, value);
  });
  return difference / Math.max(most - least, 1);
}

/** One operator, or a few that make sense together, over the input `x`; the output is `y`. */
export interface Case {
  nodes: TfNodeSpec[];
  weights?: Record<string, WeightValues>;
  /** Of the input, [N, H, W, C]; default any size of three channels. */
  shape?: number[];
  /** Of the images, [N, C, H, W]; default an even and an odd one. */
  sizes?: number[][];
  /** The operators that are to be left. */
  left?: string[];
}

export function node(
  op: string,
  input: string[],
  attr: Record<string, unknown> = {},
  name = 'y',
): TfNodeSpec {
  return { name, op, input, attr };
}

export function one(op: string, attr: Record<string, unknown> = {}): Case {
  return { nodes: [node(op, ['x'], attr)] };
}

/** The operator over the input and a weight. */
export function two(op: string, weight: WeightValues, attr: Record<string, unknown> = {}): Case {
  return { nodes: [node(op, ['x', 'w'], attr)], weights: { w: weight } };
}

const evenAndOdd = [
  [1, 3, 8, 8],
  [2, 3, 9, 7],
];

export async function expectCase({
  nodes,
  weights = {},
  shape: sizes = [],
  sizes: images = evenAndOdd,
  left,
}: Case) {
  await withFiles(modelFiles({ nodes: [placeholder(...sizes), ...nodes], weights }), async (folder) => {
    const operators = await expectAsInTfjs(folder, images);
    if (left) expect(operators).toEqual(left);
  });
}
