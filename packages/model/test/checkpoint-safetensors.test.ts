/** safetensors files: what is written is what is read, the bytes are the format's, and hostile files are refused. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  readFloats,
  readSafetensors,
  type StoredTensor,
  type Tensor,
  writeSafetensors,
} from '@cyclegan/model';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'));
});
afterAll(() => rm(folder, { recursive: true }));

const shape = fc.array(fc.nat(5), { maxLength: 4 });
const filled = <D extends StoredTensor['dtype']>(
  dtype: D,
  array: new (values: ArrayBuffer) => Extract<StoredTensor, { dtype: D }>['data'],
) =>
  shape.chain((extents) => {
    const count = extents.reduce((product, extent) => product * extent, 1);
    const bytes = count * { F32: 4, F16: 2, I32: 4, U8: 1 }[dtype];
    return fc
      .uint8Array({ minLength: bytes, maxLength: bytes })
      .map((raw) => ({ dtype, shape: extents, data: new array(raw.slice().buffer) }) as StoredTensor);
  });
const anyTensor = fc.oneof(
  filled('F32', Float32Array),
  filled('F16', Uint16Array),
  filled('I32', Int32Array),
  filled('U8', Uint8Array),
);
const name = fc.string({ unit: 'binary', maxLength: 30 }).filter((text) => text !== '__metadata__');

const bytesOf = (tensor: StoredTensor) =>
  Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);

test('save then load is identity, to the bit, in order, for any names, shapes, dtypes and metadata', async () => {
  const path = join(folder, 'any.safetensors');
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(name, anyTensor), { selector: ([key]) => key, maxLength: 8 }),
      fc.dictionary(name, name, { maxKeys: 4, noNullPrototype: true }),
      async (list, metadata) => {
        await writeSafetensors(path, new Map(list), metadata);
        const read = await readSafetensors(path);
        expect(new Set(read.tensors.keys())).toEqual(new Set(list.map(([key]) => key)));
        expect(read.metadata).toEqual(metadata);
        for (const [key, tensor] of list) {
          const back = read.tensors.get(key);
          expect(back?.dtype).toBe(tensor.dtype);
          expect(back?.shape).toEqual(tensor.shape);
          expect(back && bytesOf(back).equals(bytesOf(tensor))).toBe(true);
        }
      },
    ),
    { seed: 20240, numRuns: 60 },
  );
});

test('the bytes are those of the format: length, JSON padded to 8, data; a view of a larger buffer is cut out', async () => {
  const path = join(folder, 'bytes.safetensors');
  const large = Float32Array.of(9, 1, -2, 9);
  const tensors = new Map<string, Tensor | StoredTensor>([
    ['w', { shape: [2], data: large.subarray(1, 3) }],
    ['n', { dtype: 'U8', shape: [], data: Uint8Array.of(7) }],
  ]);
  await writeSafetensors(path, tensors, { made: 'here' });
  const bytes = await readFile(path);
  const json =
    '{"__metadata__":{"made":"here"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"n":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}';
  const length = Math.ceil(json.length / 8) * 8;
  expect(bytes.readBigUInt64LE()).toBe(BigInt(length));
  expect(bytes.subarray(8, 8 + length).toString()).toBe(json.padEnd(length));
  expect(bytes.subarray(8 + length).toString('hex')).toBe('0000803f000000c007');
  expect(await readdir(folder)).not.toContainEqual(expect.stringMatching(/^\.tmp-/));
});

test('readFloats takes float32 only', async () => {
  const path = join(folder, 'mixed.safetensors');
  await writeSafetensors(path, new Map([['k', { dtype: 'I32', shape: [1], data: Int32Array.of(1) }]]));
  await expect(readFloats(path)).rejects.toMatchObject({
    code: 'bundle',
    message: expect.stringContaining('expected k in F32, got I32'),
  });
});

describe('refused with one sentence and code bundle', () => {
  const file = (header: string | Uint8Array, data = new Uint8Array(0), length?: bigint) => {
    const json = Buffer.from(header);
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(length ?? BigInt(json.length));
    return Buffer.concat([start, json, data]);
  };
  const entry = (offsets: unknown, extents: unknown = [1], dtype: unknown = 'F32') =>
    JSON.stringify({ a: { dtype, shape: extents, data_offsets: offsets } });
  const four = new Uint8Array(4);
  const cases: Record<string, [Uint8Array, RegExp]> = {
    'an empty file': [new Uint8Array(0), /at least 10 bytes/],
    'a header length past the end': [file('{}', four, 1000n), /a header of 2 to 6 bytes, got one of 1000/],
    'a header length of 2^64 - 1': [file('{}', four, 2n ** 64n - 1n), /got one of 18446744073709551615/],
    'a header above the cap': [file(' '.repeat(17 * 2 ** 20)), /2 to 16777216 bytes/],
    'bytes that are no UTF-8': [file(Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d)), /a header in JSON/],
    'a byte order mark': [file('\uFEFF{}'), /a header in JSON/],
    'broken JSON': [file('{"a":'), /a header in JSON/],
    'JSON that is deep': [file('['.repeat(2 ** 20)), /a header in JSON/],
    'an array': [file('[]'), /a JSON object as header, got an array/],
    'no entry object': [file('{"a":3}'), /dtype, shape and data_offsets for each tensor, got a/],
    'a field too many': [file('{"a":{"dtype":"F32","shape":[],"data_offsets":[0,0],"x":1}}'), /each tensor/],
    'a name twice': [
      file(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      ),
      /a name that occurs twice/,
    ],
    'metadata that is no string': [file('{"__metadata__":{"a":1}}'), /strings to strings/],
    'an unknown dtype': [file(entry([0, 4], [1], 'BF16'), four), /dtype F32, F16, I32, U8, got BF16 for a/],
    'a dtype of Object.prototype': [file(entry([0, 4], [1], 'toString'), four), /got toString for a/],
    'a negative extent': [file(entry([0, 4], [-1]), four), /a\.shape\.0/],
    'a fraction as offset': [file(entry([0, 3.5]), four), /a\.data_offsets\.1/],
    'an extent above 2^53': [file(entry([0, 4], [1e300]), four), /a\.shape\.0/],
    'a product above 2^53': [file(entry([0, 4], [2 ** 52, 2 ** 52]), four), /bytes for a \(F32/],
    'a shape that is not its bytes': [file(entry([0, 4], [2]), four), /8 bytes for a \(F32 \[2\]\), got 4/],
    'offsets the wrong way round': [file(entry([4, 0]), four), /a to begin at byte 0/],
    'an end past the file': [file(entry([0, 8], [2]), four), /end by 4, got \[0, 8\)/],
    'a gap before': [file(entry([4, 8]), new Uint8Array(8)), /begin at byte 0/],
    'bytes left over': [file(entry([0, 4]), new Uint8Array(8)), /expected 4 bytes of data, got 8/],
    'two tensors on one place': [
      file(
        '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
        new Uint8Array(3),
      ),
      /b to begin at byte 2/,
    ],
  };
  test.each(Object.entries(cases))('%s', async (_, [bytes, message]) => {
    const path = join(folder, 'hostile.safetensors');
    await writeFile(path, bytes);
    const error = await readSafetensors(path).then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).toMatchObject({
      name: 'CycleganError',
      code: 'bundle',
      message: expect.stringMatching(message),
    });
    expect(error.message).not.toContain('\n');
  });

  test('every cut of a good file, and no file at all', async () => {
    const path = join(folder, 'cut.safetensors');
    await writeSafetensors(path, new Map([['a', { shape: [2, 2], data: new Float32Array(4) }]]));
    const whole = await readFile(path);
    for (let length = 0; length < whole.length; length += 1) {
      await writeFile(path, whole.subarray(0, length));
      await expect(readSafetensors(path)).rejects.toMatchObject({ code: 'bundle' });
    }
    for (const nothing of [join(folder, 'none'), folder]) {
      await expect(readSafetensors(nothing)).rejects.toMatchObject({ code: 'bundle' });
    }
  });
});
