/**
 * Images in a TFRecord file, as Kaggle ships them: where each record lies, and one record at a time. Neither decodes
 * images nor knows more of tf.Example than the bytes of one feature.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';
import { FOOTER_BYTES, HEADER_BYTES, recordIsIntact, recordLength } from '../tfrecord/frame.js';
import { UnusableImage } from './decode.js';
import { exampleBytes } from './example.js';
import type { ImageEntry } from './image-list.js';

/** Feature names under which image files are stored: Kaggle's, and TensorFlow Datasets' older one. */
const IMAGE_FEATURES = ['image', 'image/encoded'] as const;

/** A longer record is refused before memory is taken for it. */
const MAX_RECORD_BYTES = 256 * 2 ** 20;

/**
 * The records of one file, by reading only what lies between them: 12 bytes each.
 * @param name how the file is called in messages and in the names of the records
 * @throws CycleganError `input` naming the file and the record at which it breaks off
 */
export function listRecords({
  file,
  name,
  domain,
}: {
  file: string;
  name: string;
  domain: 'A' | 'B';
}): ImageEntry[] {
  const entries: ImageEntry[] = [];
  const broken = (got: string, fix: string) =>
    new CycleganError(
      'input',
      `[train] folder ${domain}, ${name}, record ${entries.length + 1}: expected a whole TFRecord, got ${got}. ${fix}.`,
    );
  const fetchAgain = 'Fetch the file again, or take it out';
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an error';
    throw new CycleganError(
      'input',
      `[train] folder ${domain}, ${name}: expected a TFRecord file that can be read, got ${code}. Check the path.`,
      { cause },
    );
  }
  try {
    const { size, mtimeMs } = fstatSync(descriptor);
    const header = Buffer.alloc(HEADER_BYTES);
    for (let at = 0; at < size; ) {
      if (readSync(descriptor, header, 0, HEADER_BYTES, at) < HEADER_BYTES) {
        throw broken('the end of the file', fetchAgain);
      }
      const bytes = recordLength(header);
      if (bytes === undefined) {
        const zipped = at === 0 && header[0] === 0x1f && header[1] === 0x8b;
        if (zipped) throw broken('a compressed file', 'Unpack it with gunzip');
        throw broken('a length with the wrong checksum', fetchAgain);
      }
      if (bytes > size - at - HEADER_BYTES - FOOTER_BYTES) throw broken('the end of the file', fetchAgain);
      if (bytes > MAX_RECORD_BYTES) {
        throw broken(
          `${bytes} bytes, more than the ${MAX_RECORD_BYTES / 2 ** 20} MiB allowed`,
          'Store smaller images',
        );
      }
      const offset = at + HEADER_BYTES;
      entries.push({
        name: `${name}#${entries.length + 1}`,
        bytes,
        identity: JSON.stringify([resolve(file), size, mtimeMs, offset]),
        read: () => readRecord(file, offset, bytes),
      });
      at = offset + bytes + FOOTER_BYTES;
    }
  } finally {
    closeSync(descriptor);
  }
  if (entries.length === 0) throw broken('an empty file', fetchAgain);
  return entries;
}

/** The image file in a record. @throws UnusableImage for a record that is damaged or holds none */
async function readRecord(file: string, offset: number, bytes: number): Promise<Uint8Array> {
  const framed = Buffer.allocUnsafe(bytes + FOOTER_BYTES);
  const handle = await open(file, 'r');
  try {
    const { bytesRead } = await handle.read(framed, 0, framed.length, offset);
    if (bytesRead < framed.length) throw new UnusableImage('is cut short');
  } finally {
    await handle.close();
  }
  const record = framed.subarray(0, bytes);
  if (!recordIsIntact(record, framed.subarray(bytes)))
    throw new UnusableImage('is damaged: its checksum is wrong');
  const features = exampleBytes(record);
  if (!features) throw new UnusableImage('is no tf.Example');
  for (const name of IMAGE_FEATURES) {
    const image = features.get(name);
    if (image) return image;
  }
  const held = features.size > 0 ? `only ${[...features.keys()].slice(0, 5).join(', ')}` : 'none at all';
  throw new UnusableImage(`has no feature "image" that holds bytes, ${held}`);
}
