/**
 * Decoded pictures of one image set by index: kept in memory while they fit, on disk when asked, and an unreadable
 * image answered by the next readable one. Knows nothing of steps, crops or batches.
 */
import { stat } from 'node:fs/promises';
import { CycleganError } from '@cyclegan/runtime-core';
import type { Picture } from '../feed/augment.js';
import { type Resizing, resizedSize } from '../feed/geometry.js';
import { decodePicture, readFailure } from './decode.js';
import type { ImageSet } from './image-set.js';
import { cacheKey, type PictureCache } from './picture-cache.js';

/** One after the other: a data set that is gone, not a few bad files, as when a network folder is unmounted. */
const UNREADABLE_IN_A_ROW = 100;

/** Bytes that may still be kept; one budget is shared by the readers of both domains. */
export interface MemoryBudget {
  bytes: number;
}

export interface PictureReader {
  /**
   * The picture of image `index`, or of the first readable one after it, from the start again after the last one;
   * and which it was, by name.
   * @returns shared, not to be written to
   * @throws CycleganError `input` when the images' place is gone, when a hundred in a row cannot be read, or none
   */
  read(index: number): Promise<{ file: string; picture: Picture }>;
  /** Lets go of all pictures kept. */
  clear(): void;
}

/**
 * @param budget what is kept is taken off; what does not fit is read anew each time
 * @param onWarning called once for each image that could not be read
 */
export function createPictureReader(options: {
  set: ImageSet;
  resizing: Resizing;
  budget: MemoryBudget;
  cache?: PictureCache | undefined;
  onWarning?: ((message: string) => void) | undefined;
}): PictureReader {
  const { set, resizing, budget, cache, onWarning } = options;
  const kept = new Map<number, Picture>();
  const broken = new Set<number>();

  async function make(index: number): Promise<Picture> {
    const key = cache && cacheKey(set.identity(index), resizing);
    const cached = key && (await cache.read(key));
    if (cached) return cached;
    const { deep, ...size } = await set.header(index);
    const picture = await decodePicture(await set.read(index), { ...resizedSize(size, resizing), deep });
    if (key) await cache.write(key, picture);
    return picture;
  }

  async function readOne(index: number, file: string): Promise<Picture | undefined> {
    const known = kept.get(index);
    if (known) return known;
    if (broken.has(index)) return undefined;
    try {
      const picture = await make(index);
      const { byteLength } = picture.pixels;
      if (!kept.has(index) && budget.bytes >= byteLength) {
        budget.bytes -= byteLength;
        kept.set(index, picture);
      }
      return picture;
    } catch (error) {
      await stat(set.path).catch((cause: unknown) => {
        throw lost(`none of ${set.files.length} any more: the place is gone`, cause);
      });
      if (!broken.has(index)) {
        broken.add(index);
        onWarning?.(
          `[train] folder ${set.domain}: ${file} ${readFailure(error)}; the next readable image takes its place.`,
        );
      }
      return undefined;
    }
  }

  function lost(got: string, cause?: unknown): CycleganError {
    return new CycleganError(
      'input',
      `[train] folder ${set.domain}, ${set.path}: expected readable images, got ${got}. Bring the images back, then resume.`,
      { cause },
    );
  }

  return {
    async read(index) {
      const count = set.files.length;
      for (let ahead = 0; ahead < Math.min(count, UNREADABLE_IN_A_ROW); ahead++) {
        const place = (index + ahead) % count;
        const file = set.files[place] ?? '';
        const picture = await readOne(place, file);
        if (picture) return { file, picture };
      }
      throw lost(
        count <= UNREADABLE_IN_A_ROW
          ? `none of ${count} any more`
          : `none of the ${UNREADABLE_IN_A_ROW} from ${set.files[index]} on`,
      );
    },
    clear: () => kept.clear(),
  };
}
