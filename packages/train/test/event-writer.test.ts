// Event files and their frames: checksums known from elsewhere, order, restarts. TensorBoard itself reads them in
// test/oracles/tensorboard.oracle.test.ts.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createEventWriter } from '../dist/tensorboard/index.js';
import { maskedCrc32c } from '../dist/tfrecord/crc32c.js';
import {
  FOOTER_BYTES,
  frameRecord,
  HEADER_BYTES,
  recordIsIntact,
  recordLength,
} from '../dist/tfrecord/frame.js';
import { temporaryFolder } from './temp-folder.js';

const root = temporaryFolder();
const text = (bytes: string) => Buffer.from(bytes, 'latin1');

/** The records of a file, each held to its checksums. */
function records(path: string): Buffer[] {
  const file = readFileSync(path);
  const found: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = recordLength(file.subarray(at)) ?? Number.NaN;
    const record = file.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    at += HEADER_BYTES + length + FOOTER_BYTES;
    expect(recordIsIntact(record, file.subarray(at - FOOTER_BYTES))).toBe(true);
    found.push(record);
  }
  return found;
}

describe('TFRecord frames', () => {
  it('are checked by CRC-32C as RFC 3720 has it, masked as TensorFlow does', () => {
    const unmask = (masked: number) => {
      const rotated = (masked - 0xa282ead8) >>> 0;
      return ((rotated >>> 17) | (rotated << 15)) >>> 0;
    };
    expect(unmask(maskedCrc32c(text('123456789')))).toBe(0xe3069283);
    expect(unmask(maskedCrc32c(new Uint8Array(32)))).toBe(0x8a9136aa);
  });

  it('hold a record, and tell when a bit of it or of its length is wrong', () => {
    const framed = frameRecord(text('record'));
    expect(framed).toHaveLength(HEADER_BYTES + 6 + FOOTER_BYTES);
    expect(recordLength(framed)).toBe(6);
    const [record, footer] = [framed.slice(12, 18), framed.slice(18)];
    expect(recordIsIntact(record, footer)).toBe(true);
    record[3] = (record[3] ?? 0) ^ 1;
    expect(recordIsIntact(record, footer)).toBe(false);
    framed[0] = 7;
    expect(recordLength(framed)).toBeUndefined();
  });
});

describe('createEventWriter', () => {
  it('begins with the version and the session, and keeps the order of its calls', async () => {
    const folder = join(root, 'one', 'deep');
    const writer = await createEventWriter({ folder });
    const png = await sharp({ create: { width: 3, height: 2, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    await Promise.all([
      writer.scalars(1, 1.5, { 'loss/G_A': 2 }),
      writer.image(1, 'samples', png),
      writer.scalars(2, 1.5, { 'loss/G_A': 3 }),
    ]);
    await writer.close();
    await writer.close();
    const [name = '', ...others] = readdirSync(folder);
    expect(others).toEqual([]);
    expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\.cyclegan$/);
    const [version, session, first, image, second, ...rest] = records(join(folder, name));
    expect(rest).toEqual([]);
    expect(version?.toString('latin1')).toContain('brain.Event:2');
    expect(session?.subarray(-4)).toEqual(Buffer.from([7 * 8 + 2, 2, 8, 1]));
    expect(first).toEqual(
      Buffer.concat([
        text('\x09'),
        Buffer.from(new Float64Array([1.5]).buffer),
        text('\x10\x01\x2a\x11\x0a\x0f\x0a\x08loss/G_A\x15'),
        Buffer.from(new Float32Array([2]).buffer),
      ]),
    );
    expect(image?.includes(png)).toBe(true);
    expect(image?.toString('latin1')).toContain('\x08\x02\x10\x03\x18\x03');
    expect(second?.at(10)).toBe(2);
  });

  it('adds a file that comes after all others, even when the clock went back', async () => {
    const folder = join(root, 'later');
    mkdirSync(folder);
    writeFileSync(join(folder, 'events.out.tfevents.9999999990.elsewhere'), '');
    for (const startStep of [0, 300]) await (await createEventWriter({ folder, startStep })).close();
    expect(readdirSync(folder).slice(1)).toEqual([
      'events.out.tfevents.9999999991.cyclegan',
      'events.out.tfevents.9999999992.cyclegan',
    ]);
    const [, session] = records(join(folder, 'events.out.tfevents.9999999992.cyclegan'));
    // Step 301 as a varint: the first one that is made again.
    expect(session?.subarray(9, 12)).toEqual(Buffer.from([0x10, 0xad, 0x02]));
  });

  it('says which place cannot be written', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(createEventWriter({ folder: join(root, 'file') })).rejects.toMatchObject({ code: 'output' });
  });
});
