/** Writes pickles and PyTorch's containers byte by byte, sound ones and others. For tests alone. */
import { crc32, deflateRawSync } from 'node:zlib';

/** A pickled value: the opcodes that leave it on the stack. */
export type Pickled = Buffer;

const code = (byte: number, ...rest: Uint8Array[]): Pickled => Buffer.concat([Buffer.of(byte), ...rest]);

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

export const none = code(0x4e);
export const text = (value: string) => code(0x58, u32(Buffer.byteLength(value)), Buffer.from(value));
/** Python 2's. */
export const oldText = (value: string) => code(0x55, Buffer.of(value.length), Buffer.from(value));
/** LONG1, which holds any. */
export function integer(value: number | bigint): Pickled {
  const bytes = Buffer.alloc(9);
  bytes.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)));
  bytes[8] = value < 0 ? 0xff : 0;
  return code(0x8a, Buffer.of(9), bytes);
}
export const named = (module: string, name: string) => code(0x63, Buffer.from(`${module}\n${name}\n`));
export const tuple = (...items: Pickled[]) => Buffer.concat([code(0x28), ...items, code(0x74)]);
export const list = (...items: Pickled[]) => Buffer.concat([code(0x5d), code(0x28), ...items, code(0x65)]);
export const dictionary = (...entries: (readonly [Pickled, Pickled])[]) =>
  Buffer.concat([code(0x7d), code(0x28), ...entries.flat(), code(0x75)]);
export const call = (callee: Pickled, ...args: Pickled[]) =>
  Buffer.concat([callee, tuple(...args), code(0x52)]);
/** A whole pickle of protocol 2. */
export const pickle = (value: Pickled) => Buffer.concat([Buffer.of(0x80, 2), value, Buffer.of(0x2e)]);

export interface Storage {
  readonly key: string;
  /** What the pickle says; default: as many as there are. */
  readonly length?: number | bigint;
  /** torch's class; default FloatStorage. */
  readonly type?: string;
}

export function storage({ key, length = 0, type = 'FloatStorage' }: Storage, legacy = false): Pickled {
  const id = [text('storage'), named('torch', type), text(key), text('cpu'), integer(length)];
  return Buffer.concat([tuple(...id, ...(legacy ? [none] : [])), code(0x51)]);
}

/** @param made of {@link storage} */
export function tensor(
  made: Pickled,
  shape: readonly (number | bigint)[],
  strides: readonly (number | bigint)[] = rowMajor(shape.map(Number)),
  offset: number | bigint = 0,
): Pickled {
  const sizes = [shape, strides].map((numbers) => tuple(...numbers.map(integer)));
  const hooks = call(named('collections', 'OrderedDict'));
  const args = [made, integer(offset), ...sizes, code(0x89), hooks];
  return call(named('torch._utils', '_rebuild_tensor_v2'), ...args);
}

export function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}

export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflated?: boolean;
  /** What the headers say instead of the truth. */
  readonly size?: number;
  readonly crc?: number;
  readonly offset?: number;
  /** Sizes and offset in the extra field of large files. */
  readonly zip64?: boolean;
}

/** A zip file of these entries. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const data = entry.deflated ? deflateRawSync(entry.data) : Buffer.from(entry.data);
    const size = entry.size ?? entry.data.length;
    const packed = entry.deflated ? data.length : size;
    const offset = entry.offset ?? at;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(45, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt16LE(entry.deflated ? 8 : 0, 4);
    common.writeUInt32LE(entry.crc ?? crc32(entry.data), 10);
    common.writeUInt32LE(entry.zip64 ? 0xffffffff : packed, 14);
    common.writeUInt32LE(entry.zip64 ? 0xffffffff : size, 18);
    common.writeUInt16LE(name.length, 22);
    const extra = entry.zip64
      ? Buffer.concat([Buffer.of(1, 0, 24, 0), u64(size), u64(packed), u64(offset)])
      : Buffer.alloc(0);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, data]);
    common.writeUInt16LE(extra.length, 24);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(entry.zip64 ? 0xffffffff : offset, 10);
    directory.push(Buffer.from('PK\x01\x02'), Buffer.of(45, 0), common, tail, name, extra);
    parts.push(local);
    at += local.length;
  }
  const head = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(head.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, head, Buffer.from('PK\x05\x06'), end]);
}

/** A file as PyTorch writes it since 1.6. @param storages by key */
export function zipFile(root: Pickled, storages: ReadonlyMap<string, Uint8Array> = new Map()): Buffer {
  return zip(zipEntries(root, storages));
}

export function zipEntries(root: Pickled, storages: ReadonlyMap<string, Uint8Array>): ZipEntry[] {
  const data = [...storages].map(([key, data]) => ({ name: `archive/data/${key}`, data }));
  const version = { name: 'archive/version', data: Buffer.from('3\n') };
  return [{ name: 'archive/data.pkl', data: pickle(root) }, ...data, version];
}

export interface LegacyParts {
  readonly keys?: Pickled;
  readonly littleEndian?: boolean;
  /** What stands before each storage instead of its number of elements. */
  readonly count?: bigint;
}

/** A file as PyTorch wrote it before. @param storages float32, by key */
export function legacyFile(
  root: Pickled,
  storages: ReadonlyMap<string, Uint8Array> = new Map(),
  { keys, littleEndian = true, count }: LegacyParts = {},
): Buffer {
  const magic = code(0x8a, Buffer.of(10), Buffer.from('6cfc9c46f9206aa85019', 'hex'));
  const machine = dictionary([text('little_endian'), code(littleEndian ? 0x88 : 0x89)]);
  const names = keys ?? list(...[...storages.keys()].map(text));
  const pickles = [magic, integer(1001), machine, root, names].map(pickle);
  const data = [...storages.values()].flatMap((bytes) => [u64(count ?? bytes.length / 4), bytes]);
  return Buffer.concat([...pickles, ...data]);
}

/** A state_dict of float32 tensors of these shapes: its pickle, and its storages with a number for each element. */
export function stateDict(
  shapes: Iterable<readonly [string, readonly number[]]>,
  { legacy = false } = {},
): { root: Pickled; storages: Map<string, Uint8Array> } {
  const storages = new Map<string, Uint8Array>();
  const entries = Array.from(shapes, ([name, shape], key): [Pickled, Pickled] => {
    const length = shape.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length }, (_, i) => (key + 1) / 8 + i);
    storages.set(String(key), new Uint8Array(values.buffer));
    return [text(name), tensor(storage({ key: String(key), length }, legacy), shape)];
  });
  return { root: dictionary(...entries), storages };
}

/** Keys and shapes of a pixel discriminator of one channel: the smallest network that there is to read. */
export const pixel: [string, number[]][] = [
  ['net.0.weight', [1, 3, 1, 1]],
  ['net.0.bias', [1]],
  ['net.2.weight', [2, 1, 1, 1]],
  ['net.2.bias', [2]],
  ['net.5.weight', [1, 2, 1, 1]],
  ['net.5.bias', [1]],
];
