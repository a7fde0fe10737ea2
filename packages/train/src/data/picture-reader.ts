/**
 * Decoded pictures of one image folder by index: kept in memory while they fit, and an unreadable file answered
 * by the next readable one. Knows nothing of steps, crops or batches.
 */
import { join } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';
import { decodeSquare, readFailure } from './decode.js';
import type { ImageFolder } from './image-folder.js';

/** Bytes that may still be kept; one budget is shared by the readers of both domains. */
export interface MemoryBudget {
  bytes: number;
}

export interface Picture {
  /** The file that was read: another than the one asked for, when that one could not be. */
  file: string;
  /** side · side · 3 bytes, RGB interleaved; shared, not to be written to. */
  pixels: Uint8Array;
}

export interface PictureReader {
  /**
   * The picture of `folder.files[index]`, or of the first readable file after it, from the start again after
   * the last one.
   * @throws CycleganError `input` when not one file of the folder can be read
   */
  read(index: number): Promise<Picture>;
  /** Lets go of all pictures kept. */
  clear(): void;
}

/**
 * @param side edge of the decoded square, pixels
 * @param budget what is kept is taken off; what does not fit is decoded anew each time
 * @param onWarning called once for each file that could not be read
 */
export function createPictureReader(options: {
  folder: ImageFolder;
  side: number;
  budget: MemoryBudget;
  onWarning?: ((message: string) => void) | undefined;
}): PictureReader {
  const { folder, side, budget, onWarning } = options;
  const kept = new Map<number, Uint8Array>();
  const broken = new Set<number>();

  async function readOne(index: number, file: string): Promise<Uint8Array | undefined> {
    const known = kept.get(index);
    if (known) return known;
    if (broken.has(index)) return undefined;
    try {
      const pixels = await decodeSquare(join(folder.path, file), side);
      if (!kept.has(index) && budget.bytes >= pixels.byteLength) {
        budget.bytes -= pixels.byteLength;
        kept.set(index, pixels);
      }
      return pixels;
    } catch (error) {
      if (!broken.has(index)) {
        broken.add(index);
        onWarning?.(
          `[train] folder ${folder.domain}: ${file} ${readFailure(error)}; the next readable image takes its place.`,
        );
      }
      return undefined;
    }
  }

  return {
    async read(index) {
      for (let ahead = 0; ahead < folder.files.length; ahead++) {
        const place = (index + ahead) % folder.files.length;
        const file = folder.files[place] ?? '';
        const pixels = await readOne(place, file);
        if (pixels) return { file, pixels };
      }
      throw new CycleganError(
        'input',
        `[train] folder ${folder.domain}, ${folder.path}: expected readable images, got none of ${folder.files.length} any more. Check that the folder is still there, then resume.`,
      );
    },
    clear: () => kept.clear(),
  };
}
