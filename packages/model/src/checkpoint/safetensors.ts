/**
 * safetensors files (huggingface/safetensors): tensors on disk, with no code in them. Written tensor by tensor and
 * read tensor by tensor, so that no second copy of the whole is ever in memory. Little-endian machines, as all that
 * Node is built for here.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { CycleganError, isCycleganError } from '@cyclegan/runtime-core';
import { replaceFile } from './atomic.js';
import {
  type ArrayOf,
  arrayOf,
  type Dtype,
  damaged,
  type Entry,
  elements,
  encodeHeader,
  headerLength,
  parseHeader,
} from './safetensors-header.js';

/** A float32 tensor, row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A tensor of any dtype that is read or written; `F16` holds raw half-precision bits. Row-major. */
export type StoredTensor = {
  readonly [D in Dtype]: {
    readonly dtype: D;
    readonly shape: readonly number[];
    readonly data: ArrayOf<D>;
  };
}[Dtype];

export interface Safetensors<Held = StoredTensor> {
  /** In the order of the file. The arrays belong to the caller. */
  readonly tensors: ReadonlyMap<string, Held>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Writes a file, in the order of the map; it takes the place of an old one only when complete.
 * @param tensors without `dtype`: float32. The arrays must not change before the promise settles.
 * @param metadata the file's `__metadata__`
 * @throws CycleganError `output` when the place cannot be written
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor | StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const list = [...tensors].map(([name, tensor]) => {
    const dtype = 'dtype' in tensor ? tensor.dtype : 'F32';
    if (name === '__metadata__' || elements(tensor.shape) !== tensor.data.length) {
      throw new Error(
        `internal: tensor ${name}: shape [${tensor.shape.join(', ')}] with ${tensor.data.length} values`,
      );
    }
    return { name, dtype, shape: tensor.shape, byteLength: tensor.data.byteLength, data: tensor.data };
  });
  await replaceFile(path, async (file) => {
    await writeFully(file, encodeHeader(list, metadata));
    for (const { data } of list) {
      await writeFully(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  });
}

/**
 * Reads a whole file. Memory is taken only for bytes that are there.
 * @throws CycleganError `bundle` for a file that is missing, unreadable or not sound
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  return opened(path, async (file) => {
    const { size } = await file.stat();
    if (size < 10) throw damaged(path, 'at least 10 bytes', `${size}`);
    const length = headerLength(await readFully(file, new Uint8Array(8), 0, path), size, path);
    const head = await readFully(file, new Uint8Array(length), 8, path);
    const { entries, metadata } = parseHeader(head, size - 8 - length, path);
    const tensors = new Map<string, StoredTensor>();
    for (const entry of entries) tensors.set(entry.name, await readTensor(file, entry, 8 + length, path));
    return { tensors, metadata };
  });
}

/**
 * Reads a file all of whose tensors are float32.
 * @throws CycleganError `bundle` as {@link readSafetensors}, and for any other dtype
 */
export async function readFloats(path: string): Promise<Safetensors<Tensor>> {
  const { tensors, metadata } = await readSafetensors(path);
  const floats = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    if (tensor.dtype !== 'F32') throw damaged(path, `${name} in F32`, tensor.dtype);
    floats.set(name, { shape: tensor.shape, data: tensor.data });
  }
  return { tensors: floats, metadata };
}

async function readTensor(
  file: FileHandle,
  { dtype, shape, begin }: Entry,
  offset: number,
  path: string,
): Promise<StoredTensor> {
  const data = new arrayOf[dtype](elements(shape));
  await readFully(file, new Uint8Array(data.buffer), offset + begin, path);
  return { dtype, shape, data } as StoredTensor;
}

async function opened<Result>(path: string, work: (file: FileHandle) => Promise<Result>): Promise<Result> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    return await work(file);
  } catch (error) {
    if (isCycleganError(error)) throw error;
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    const got = 'code' in error && error.code === 'ENOENT' ? 'no such file' : error.message;
    throw new CycleganError(
      'bundle',
      `[model] ${path}: expected a safetensors file that can be read, got ${got}. Check the path.`,
      { cause: error },
    );
  } finally {
    await file?.close();
  }
}

/** A read may give less than asked, and no single one may ask for 2 GiB. */
async function readFully(
  file: FileHandle,
  into: Uint8Array,
  position: number,
  path: string,
): Promise<Uint8Array> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await file.read(into, done, Math.min(into.length - done, CHUNK), position + done);
    if (bytesRead === 0) throw damaged(path, `${into.length} bytes at ${position}`, `${done}`);
    done += bytesRead;
  }
  return into;
}

async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, Math.min(bytes.length - done, CHUNK));
    done += bytesWritten;
  }
}

const CHUNK = 64 * 2 ** 20;
