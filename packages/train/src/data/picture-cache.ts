/**
 * Decoded pictures on disk, one file each, so that later epochs and runs need neither the originals nor a decoder.
 * A file is found by what was decoded and how; whatever is not whole is made again. Nothing is ever thrown out: the
 * size is settled before (see {@link planCache}), and an old cache is deleted by hand.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { replaceFile } from '@cyclegan/model';
import { isCycleganError } from '@cyclegan/runtime-core';
import type { Picture } from '../feed/augment.js';
import { type Resizing, resizedSize } from '../feed/geometry.js';
import { MAX_PIXELS } from './decode.js';
import type { ImageSet } from './image-set.js';

/** Changes when the same picture would be decoded to other pixels. */
const VERSION = 1;
/** Six 32-bit numbers in the machine's byte order: mark, version, height, width, bytes a value, CRC-32 of the pixels. */
const HEADER_BYTES = 24;
const MARK = 0x5043_4743;
const SAMPLED = 100;

export interface PictureCache {
  /** @returns the picture, the caller's; undefined when there is none, or none that is whole */
  read(key: string): Promise<Picture | undefined>;
  /** Keeps a picture. Where the disk refuses, that is said once and nothing is written any more. */
  write(key: string, picture: Picture): Promise<void>;
}

/** @param folder made where missing; may be shared by runs, also at the same time */
export function createPictureCache({
  folder,
  onWarning,
}: {
  folder: string;
  onWarning?: ((message: string) => void) | undefined;
}): PictureCache {
  let writable = true;
  return {
    async read(key) {
      let file: FileHandle;
      try {
        file = await open(placeOf(folder, key), 'r');
      } catch {
        return undefined;
      }
      try {
        return await readPicture(file);
      } catch {
        return undefined;
      } finally {
        await file.close();
      }
    },
    async write(key, { height, width, pixels }) {
      if (!writable) return;
      const bytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
      const header = Uint32Array.of(MARK, VERSION, height, width, pixels.BYTES_PER_ELEMENT, crc32(bytes));
      try {
        await replaceFile(placeOf(folder, key), async (file) => {
          await file.writev([header, bytes]);
        });
      } catch (error) {
        if (!isCycleganError(error)) throw error;
        if (writable) onWarning?.(`${error.message} Until then pictures are decoded anew, and not cached.`);
        writable = false;
      }
    },
  };
}

/** A name under which one image of a set, brought to one size, is kept. */
export function cacheKey(identity: string, { preprocess, loadSize, height, width }: Resizing): string {
  return createHash('sha256')
    .update(JSON.stringify([VERSION, identity, preprocess, loadSize, height, width]))
    .digest('hex');
}

/** Bytes on disk. */
export interface CachePlan {
  /** What the cache comes to when all pictures are in it. */
  bytes: number;
  /** What of that is not there yet. */
  missing: number;
  /** What is free where the cache is, or will be. */
  free: number;
}

/** What a cache of both sets will take, reckoned from up to a hundred images of each. */
export async function planCache(
  options: Resizing & { a: ImageSet; b: ImageSet; cache: string },
): Promise<CachePlan> {
  const plan = { bytes: 0, missing: 0, free: await freeBytes(options.cache) };
  for (const set of [options.a, options.b]) {
    const count = set.files.length;
    const sampled = Math.min(count, SAMPLED);
    for (let i = 0; i < sampled; i++) {
      const index = Math.floor((i * count) / sampled);
      const header = await set.header(index).catch(() => undefined);
      if (!header) continue;
      const { height, width } = resizedSize(header, options);
      const bytes = HEADER_BYTES + height * width * 3 * (header.deep ? 2 : 1);
      const there = existsSync(placeOf(options.cache, cacheKey(set.identity(index), options)));
      plan.bytes += (bytes * count) / sampled;
      plan.missing += there ? 0 : (bytes * count) / sampled;
    }
  }
  return { bytes: Math.round(plan.bytes), missing: Math.round(plan.missing), free: plan.free };
}

/** Of the nearest folder that exists. */
async function freeBytes(path: string): Promise<number> {
  const found = await statfs(path).catch(() => undefined);
  if (found) return found.bavail * found.bsize;
  const parent = dirname(path);
  return parent === path ? 0 : freeBytes(parent);
}

async function readPicture(file: FileHandle): Promise<Picture | undefined> {
  const { size } = await file.stat();
  if (size < HEADER_BYTES || size > HEADER_BYTES + MAX_PIXELS * 6) return undefined;
  const stored = new ArrayBuffer(size);
  const { bytesRead } = await file.read(new Uint8Array(stored), 0, size, 0);
  if (bytesRead < size) return undefined;
  const [mark, version, height = 0, width = 0, bytesEach, sum] = new Uint32Array(stored, 0, 6);
  if (mark !== MARK || version !== VERSION || (bytesEach !== 1 && bytesEach !== 2)) return undefined;
  const bytes = new Uint8Array(stored, HEADER_BYTES);
  if (bytes.length !== height * width * 3 * bytesEach || crc32(bytes) !== sum) return undefined;
  return { height, width, pixels: bytesEach === 2 ? new Uint16Array(stored, HEADER_BYTES) : bytes };
}

function placeOf(folder: string, key: string): string {
  return join(folder, key.slice(0, 2), `${key.slice(2)}.pixels`);
}
