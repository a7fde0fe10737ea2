/**
 * The weights beside a model.json: a group's shards are one stream, whose weights may straddle them. Quantised ones
 * become float32 here. Every length is held against the files before memory is taken; nothing is fetched.
 */
import { open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Tensor, tensor } from '@cyclegan/graph';
import { CycleganError } from '@cyclegan/runtime-core';
import { halfToFloat } from '../../half.js';
import { type ModelJson, refuseModel, type WeightSpec } from './model-json.js';

/** What a weight is once it is read. */
export type Weight = Tensor<'float32'> | Tensor<'int32'> | Tensor<'bool'>;

const widths: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

/** Of all shards of a model; protects against a manifest that names one large file many times. */
const MAX_WEIGHT_BYTES = 4 * 2 ** 30;

/**
 * Reads the shards of every group.
 * @param file the model.json that they lie beside
 * @returns one stream a group, as long as its weights say
 * @throws CycleganError `bundle` when a shard is missing, lies outside the folder, or the lengths do not agree
 */
export async function readGroups(file: string, { weightsManifest }: ModelJson): Promise<Uint8Array[]> {
  const named = weightsManifest.flatMap(({ paths }) => paths);
  if (new Set(named).size < named.length) {
    refuseModel(file, 'expected each shard once, got one of them twice. Convert the model again.');
  }
  const sizes = await Promise.all(
    weightsManifest.map(({ paths }) => Promise.all(paths.map((path) => shardSize(file, path)))),
  );
  const totals = weightsManifest.map(({ weights, paths }, group) => {
    const expected = weights.reduce((sum, spec) => sum + bytesOf(file, spec), 0);
    const got = (sizes[group] ?? []).reduce((sum, size) => sum + size, 0);
    if (expected !== got) {
      refuseModel(
        file,
        `expected ${expected} bytes of weights in ${paths.slice(0, 3).join(', ') || 'no file'}${paths.length > 3 ? ', …' : ''}, got ${got}. Copy the model's shards again.`,
      );
    }
    return got;
  });
  if (totals.reduce((sum, size) => sum + size, 0) > MAX_WEIGHT_BYTES) {
    refuseModel(file, `expected at most ${MAX_WEIGHT_BYTES} bytes of weights. Take a smaller model.`);
  }
  const groups: Uint8Array[] = [];
  for (const [group, { paths }] of weightsManifest.entries()) {
    const stream = new Uint8Array(totals[group] ?? 0);
    let at = 0;
    for (const [shard, path] of paths.entries()) {
      const size = sizes[group]?.[shard] ?? 0;
      await readInto(file, path, stream.subarray(at, at + size));
      at += size;
    }
    groups.push(stream);
  }
  return groups;
}

/**
 * Cuts the groups' streams into weights.
 * @param groups as {@link readGroups} gives them; float32 weights may share their memory
 * @throws CycleganError `bundle` for a name that comes twice
 */
export function decodeWeights(
  file: string,
  { weightsManifest }: ModelJson,
  groups: readonly Uint8Array[],
): Map<string, Weight> {
  const decoded = new Map<string, Weight>();
  weightsManifest.forEach(({ weights }, group) => {
    let at = 0;
    for (const spec of weights) {
      const size = bytesOf(file, spec);
      const bytes = groups[group]?.subarray(at, at + size) ?? new Uint8Array(0);
      at += size;
      if (decoded.has(spec.name)) {
        refuseModel(
          file,
          `expected names of their own, got two weights "${spec.name}". Convert the model again.`,
        );
      }
      decoded.set(spec.name, decode(spec, bytes));
    }
  });
  return decoded;
}

/** A weight's length in its stream. */
function bytesOf(file: string, { name, shape, dtype, quantization }: WeightSpec): number {
  const known = quantization
    ? dtype === 'float32' || (dtype === 'int32' && quantization.dtype !== 'float16')
    : dtype === 'float32' || dtype === 'int32' || dtype === 'bool';
  if (!known) {
    const stored = quantization ? `${dtype} quantised to ${quantization.dtype}` : dtype;
    refuseModel(
      file,
      `expected weights of float32, int32 or bool, got "${name}" of ${stored}. Take a model of images alone.`,
    );
  }
  const affine = quantization !== undefined && quantization.dtype !== 'float16';
  if (affine && (quantization.scale === undefined || quantization.min === undefined)) {
    refuseModel(
      file,
      `expected scale and min of the quantised weight "${name}", got none. Convert the model again.`,
    );
  }
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = count * (widths[quantization?.dtype ?? dtype] ?? 0);
  return Number.isSafeInteger(bytes)
    ? bytes
    : refuseModel(
        file,
        `expected a weight that fits into memory, got "${name}" of [${shape.join(', ')}]. Convert the model again.`,
      );
}

function decode({ shape, dtype, quantization }: WeightSpec, bytes: Uint8Array): Weight {
  if (!quantization) {
    if (dtype === 'bool')
      return tensor(
        'bool',
        shape,
        Uint8Array.from(bytes, (byte) => (byte === 0 ? 0 : 1)),
      );
    const { buffer, byteOffset, length } = aligned(bytes, 4);
    return dtype === 'int32'
      ? tensor('int32', shape, new Int32Array(buffer, byteOffset, length / 4))
      : tensor('float32', shape, new Float32Array(buffer, byteOffset, length / 4));
  }
  const { buffer, byteOffset, length } = aligned(bytes, 2);
  const halves = () => new Uint16Array(buffer, byteOffset, length / 2);
  if (quantization.dtype === 'float16') return tensor('float32', shape, halfToFloat(halves()));
  const steps = quantization.dtype === 'uint8' ? bytes : halves();
  const { scale = 1, min = 0 } = quantization;
  return dtype === 'int32'
    ? tensor(
        'int32',
        shape,
        Int32Array.from(steps, (step) => Math.round(step * scale + min)),
      )
    : tensor(
        'float32',
        shape,
        Float32Array.from(steps, (step) => step * scale + min),
      );
}

/** The same bytes where typed arrays of that width may begin. */
function aligned(bytes: Uint8Array, width: number) {
  const { buffer, byteOffset, length } = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  return { buffer: buffer as ArrayBuffer, byteOffset, length };
}

/** Where a shard is; nothing but files in or below the model's folder. */
function shardPath(file: string, path: string): string {
  const parts = path.split('/');
  const inside = parts.every((part) => part !== '' && part !== '..' && !/[\\:\0]/.test(part));
  if (!inside) {
    refuseModel(
      file,
      `expected shards beside model.json, got "${path.slice(0, 200)}". Put the files side by side.`,
    );
  }
  return join(dirname(file), ...parts);
}

async function shardSize(file: string, path: string): Promise<number> {
  const shard = shardPath(file, path);
  try {
    const found = await stat(shard);
    if (found.isFile()) return found.size;
  } catch (cause) {
    refuseShard(file, path, cause);
  }
  return refuseShard(file, path);
}

function refuseShard(file: string, path: string, cause?: unknown): never {
  const got = cause ? ((cause as { code?: string }).code ?? 'an error') : 'no file';
  return refuseModel(
    file,
    `expected the shard ${path.slice(0, 200)} beside it, got ${got}. Copy the whole folder.`,
    cause,
  );
}

async function readInto(file: string, path: string, target: Uint8Array): Promise<void> {
  try {
    const handle = await open(shardPath(file, path), 'r');
    try {
      let at = 0;
      while (at < target.length) {
        const { bytesRead } = await handle.read(target, at, Math.min(target.length - at, 2 ** 30));
        if (bytesRead === 0)
          refuseModel(file, `expected ${target.length} bytes in ${path}, got ${at}. Copy the shard again.`);
        at += bytesRead;
      }
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof CycleganError) throw cause;
    refuseShard(file, path, cause);
  }
}
