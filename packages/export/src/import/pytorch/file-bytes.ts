/** A file that is read in parts, and a range of one whose size is known. Knows no formats. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { isCycleganError } from '@cyclegan/runtime-core';
import type { ElementType } from './element-types.js';
import { damaged, refused } from './errors.js';

export interface OpenFile {
  /** For messages. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Fills `into` from a place. @throws CycleganError `bundle` when the file ends before */
  read(into: Uint8Array, position: number): Promise<void>;
}

/** A number of bytes that are there. */
export interface Range {
  readonly size: number;
  /** Of all of them; undefined where nobody took it. */
  readonly crc: number | undefined;
  /** Fills `into` from a place within the range. */
  read(into: Uint8Array, position: number): Promise<void>;
}

/** No single read asks for more. */
const CHUNK = 4 * 2 ** 20;

/**
 * Opens a file, lends it to `use` and closes it.
 * @throws CycleganError `bundle` for a file that is missing or cannot be read, and what `use` throws
 */
export async function withFile<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  let handle: FileHandle | undefined;
  try {
    // Opening what is no file could wait for ever.
    const found = await stat(path);
    if (!found.isFile()) throw refused(path, 'a file', 'something else', 'Check the path.');
    handle = await open(path, 'r');
    const { size } = await handle.stat();
    return await use({ path, size, read: reader(handle, path) });
  } catch (error) {
    if (isCycleganError(error) || !(error instanceof Error) || !('syscall' in error)) throw error;
    const got = 'code' in error && error.code === 'ENOENT' ? 'no such file' : error.message;
    throw refused(path, 'a PyTorch file that can be read', got, 'Check the path.', error);
  } finally {
    await handle?.close();
  }
}

function reader(handle: FileHandle, path: string): OpenFile['read'] {
  return async (into, position) => {
    for (let done = 0; done < into.length; ) {
      const count = Math.min(into.length - done, CHUNK);
      const { bytesRead } = await handle.read(into, done, count, position + done);
      if (bytesRead === 0) throw damaged(path, `${into.length} bytes at ${position}`, `${done}`);
      done += bytesRead;
    }
  };
}

/** @throws CycleganError `bundle` for a range that is not within the file */
export function rangeOf(file: OpenFile, begin: number, size: number, crc?: number): Range {
  if (!(begin >= 0 && size >= 0 && begin + size <= file.size)) {
    throw damaged(file.path, `at most ${file.size} bytes`, `${size} at ${begin}`);
  }
  return { size, crc, read: (into, position) => file.read(into, begin + position) };
}

/** A range that is in memory already. */
export function rangeIn(bytes: Uint8Array, crc: number | undefined): Range {
  const read: Range['read'] = async (into, position) =>
    into.set(bytes.subarray(position, position + into.length));
  return { size: bytes.length, crc, read };
}

/**
 * The whole range as it is. The caller bounds its size.
 * @throws CycleganError `bundle` when the checksum is another
 */
export async function readBytes(range: Range, where: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(range.size);
  await range.read(bytes, 0);
  checkSum(range, crc32(bytes), where);
  return bytes;
}

/**
 * The range's elements as float32. Those that are float32 go from the file to where they stay; others pass through
 * one buffer of a few megabytes. The caller bounds the size, and sees that it is a multiple of the element's.
 * @throws CycleganError `bundle` when the checksum is another
 */
export async function readFloats(range: Range, type: ElementType, where: string): Promise<Float32Array> {
  const floats = new Float32Array(range.size / type.bytes);
  const direct = type.name === 'float32' ? new Uint8Array(floats.buffer) : undefined;
  let crc = 0;
  for (let at = 0; at < range.size; at += CHUNK) {
    const end = Math.min(at + CHUNK, range.size);
    const part = direct?.subarray(at, end) ?? new Uint8Array(end - at);
    await range.read(part, at);
    crc = crc32(part, crc);
    if (!direct) floats.set(type.numbers(part.buffer as ArrayBuffer), at / type.bytes);
  }
  checkSum(range, crc, where);
  return floats;
}

function checkSum({ crc }: Range, got: number, where: string): void {
  if (crc === undefined || crc === got) return;
  const hex = (sum: number) => sum.toString(16).padStart(8, '0');
  throw damaged(where, `bytes of checksum ${hex(crc)}`, hex(got));
}
