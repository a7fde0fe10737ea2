// TFRecord files as image sets: what TensorFlow writes is read, and what is damaged is named by file and record.
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createDataSource, loadImage, openImageSet } from '../dist/data/index.js';
import { at } from './pixels.js';
import { gradient, temporaryFolder, writeImage } from './temp-folder.js';

const root = temporaryFolder();
const painter = fileURLToPath(new URL('fixtures/painter.tfrec', import.meta.url));

/** The checksum of TFRecord files, bit by bit. */
function masked(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  }
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282_ead8) >>> 0;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** A record; the checksums are those of its parts unless others are given. */
function record(data: Buffer, wrong: { length?: number; lengthSum?: number; dataSum?: number } = {}): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(wrong.length ?? data.length));
  const sums = [wrong.lengthSum ?? masked(length), wrong.dataSum ?? masked(data)] as const;
  return Buffer.concat([length, uint32(sums[0]), data, uint32(sums[1])]);
}

/** A length-delimited protobuf field. */
function field(number: number, data: Buffer): Buffer {
  const head = [8 * number + 2];
  let rest = data.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) head.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([...head, rest]), data]);
}

/** tf.Example with byte features. */
function example(features: Record<string, Buffer>): Buffer {
  const entries = Object.entries(features).map(([name, value]) =>
    field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, field(1, field(1, value)))])),
  );
  return field(1, Buffer.concat(entries));
}

const jpeg = await gradient(32, 200).jpeg({ quality: 100 }).toBuffer();
const good = record(example({ image: jpeg, image_name: Buffer.from('a') }));

function write(name: string, ...records: Buffer[]): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.concat(records));
  return path;
}

async function open(path: string) {
  const warnings: string[] = [];
  const set = await openImageSet({ path, domain: 'A', onWarning: (message) => warnings.push(message) });
  return { set, warnings };
}

const refused = (path: string, expected: RegExp) =>
  expect(open(path)).rejects.toMatchObject({ code: 'input', message: expect.stringMatching(expected) });

describe('TFRecords', () => {
  it('written by TensorFlow are read, picture by picture', async () => {
    const { set, warnings } = await open(painter);
    expect(warnings).toEqual([]);
    expect(set.kind).toBe('records');
    expect(set.files).toEqual(['painter.tfrec#1', 'painter.tfrec#2', 'painter.tfrec#3']);
    const shape = { height: 16, width: 16, channels: 3 } as const;
    for (const index of [0, 1, 2]) {
      const colour = at(await loadImage(set, index, shape), 1, 8, 8, shape);
      expect(Math.abs(colour - 40 * (index + 1))).toBeLessThanOrEqual(1);
    }
  });

  it('in a folder come in the order of its files, and make batches', async () => {
    const path = join(root, 'shards');
    write('shards/deeper/monet01-2.tfrec', good, good);
    write('shards/monet00.TFRecord', good);
    write('shards/set.tfrecord-00000-of-00001', good);
    writeFileSync(join(path, 'notes.txt'), 'no records');
    const { set } = await open(path);
    const names = ['deeper/monet01-2.tfrec#1', 'deeper/monet01-2.tfrec#2', 'monet00.TFRecord#1'];
    expect(set.files).toEqual([...names, 'set.tfrecord-00000-of-00001#1']);
    const options = { height: 32, width: 32, loadSize: 32, batch: 1, seed: 1 };
    const { a, files } = await createDataSource({ a: set, b: set, ...options }).batch(0);
    expect(set.files).toContain(files.a[0]);
    expect(Math.abs(at(a, 2, 16, 16) - 200)).toBeLessThan(3);
  });

  it('have a fingerprint that tells other records', async () => {
    const print = async (path: string) => (await open(path)).set.fingerprint;
    const two = await print(write('print/x.tfrec', good, good));
    expect(await print(write('print2/x.tfrec', good, good))).toBe(two);
    expect(await print(write('print3/x.tfrec', good, good, good))).not.toBe(two);
  });

  it('that are damaged inside are left out by number', async () => {
    const flipped = Buffer.from(good);
    flipped.writeUInt8(flipped.readUInt8(100) ^ 1, 100);
    const records = [
      good,
      flipped,
      record(example({ image_name: Buffer.from('b'), label: Buffer.from('c') })),
      record(Buffer.from('no protobuf at all')),
      record(example({ image: Buffer.from('no image') })),
      record(example({ 'image/encoded': jpeg })),
    ];
    const { set, warnings } = await open(write('damaged.tfrec', ...records));
    expect(set.files).toEqual(['damaged.tfrec#1', 'damaged.tfrec#6']);
    expect(set.skipped).toBe(4);
    const said = [
      /folder A: damaged\.tfrec#2 is damaged: its checksum is wrong; skipped\.$/,
      /#3 has no feature "image" that holds bytes, only image_name, label; skipped/,
      /#4 is no tf\.Example; skipped/,
      /#5 is not an image that can be read/,
    ];
    expect(warnings).toEqual(said.map((words) => expect.stringMatching(words)));
  });

  it('that break off are refused with file and record', async () => {
    const ends = /folder A, \w+\.tfrec, record 2: expected a whole TFRecord, got the end of the file\. .*\.$/;
    await refused(write('header.tfrec', good, good.subarray(0, 7)), ends);
    await refused(write('data.tfrec', good, good.subarray(0, 200)), ends);
    await refused(write('footer.tfrec', good, good.subarray(0, good.length - 1)), ends);
    const sum = record(jpeg, { lengthSum: 1 });
    await refused(
      write('length.tfrec', good, good, sum),
      /record 3: .* got a length with the wrong checksum/,
    );
    await refused(write('empty.tfrec'), /record 1: .* got an empty file/);
    await refused(write('zipped.tfrec', gzipSync(good)), /got a compressed file\. Unpack it/);
  });

  it('that claim to be huge take no memory', async () => {
    const huge = record(jpeg, { length: 2 ** 52 });
    await refused(write('huge.tfrec', good, huge), /record 2: .* got the end of the file/);
    const sparse = write('sparse.tfrec', record(jpeg, { length: 257 * 2 ** 20 }));
    truncateSync(sparse, 300 * 2 ** 20);
    await refused(sparse, /record 1: .* got 269484032 bytes, more than the 256 MiB allowed/);
  });

  it('beside images are refused, because one of them would be passed over', async () => {
    const path = join(root, 'mixed');
    await writeImage(join(path, 'a.png'), gradient(16, 0));
    copyFileSync(painter, join(path, 'painter.tfrec'));
    await refused(path, /expected images or TFRecords, got 1 of the one and 1 of the other/);
  });

  it('that are cut short or overwritten on the way are replaced, and named', async () => {
    const file = write('later.tfrec', good, good, good);
    const { set } = await open(file);
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, 2 * good.length + 50));
    await expect(set.read(2)).rejects.toThrow('is cut short');
    expect(await sharp(await set.read(1)).metadata()).toMatchObject({ width: 32 });
    const warnings: string[] = [];
    const options = { height: 32, width: 32, loadSize: 32, batch: 1, seed: 1, prefetch: 0 };
    const onWarning = (message: string) => warnings.push(message);
    const from = createDataSource({ a: set, b: set, ...options, pairing: 'serial', onWarning });
    expect((await from.batch(2)).files).toEqual({ a: ['later.tfrec#1'], b: ['later.tfrec#1'] });
    expect(warnings[0]).toMatch(/later\.tfrec#3 is cut short; the next readable image takes its place\.$/);
  });
});
