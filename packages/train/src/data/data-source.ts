/**
 * Batches from two image sets on disk: pictures are decoded and resized in the background, kept in memory and in a
 * cache. Which images a step takes is feed/batches.ts's.
 */
import { CycleganError } from '@cyclegan/runtime-core';
import { type BatchOptions, createBatches, type DataSource } from '../feed/batches.js';
import { crops, type Preprocess, type Resizing } from '../feed/geometry.js';
import type { ImageSet } from './image-set.js';
import { createPictureCache } from './picture-cache.js';
import { createPictureReader } from './picture-reader.js';

const MAX_SIDE = 8_192;

/**
 * Of `prefetch`: an engine that takes K steps at once lets nothing else run meanwhile, and an image needs up to four
 * turns (open, read, close, decode): give 4 · K.
 */
export interface DataSourceOptions extends Omit<BatchOptions, 'a' | 'b'> {
  a: ImageSet;
  b: ImageSet;
  /** How images are brought to `height` × `width`, for which see {@link trainingShape}; default `resize_and_crop`. */
  preprocess?: Preprocess | undefined;
  /** What `preprocess` resizes to; see {@link Resizing}. */
  loadSize: number;
  /** Folder in which decoded pictures are kept on disk; default none. {@link planCache} says what it will take. */
  cache?: string | undefined;
  /** Bytes of decoded pictures that may be kept in memory; default 512 MiB. */
  cacheBytes?: number | undefined;
  /** Called once, with one sentence, for each file that turns out to be unreadable. */
  onWarning?: ((message: string) => void) | undefined;
}

/** @throws CycleganError `usage` for sizes that cannot be meant */
export function createDataSource(options: DataSourceOptions): DataSource {
  const { a, b, height, width, loadSize, onWarning } = options;
  const { preprocess = 'resize_and_crop' } = options;
  checkOptions(options);
  const skipped = a.skipped + b.skipped;
  if (options.pairing === 'serial' && skipped > 0) {
    onWarning?.(
      `[train] serial pairs: ${skipped} files were left out, so that what follows them may be paired otherwise than meant.`,
    );
  }
  const resizing: Resizing = { preprocess, loadSize, height, width };
  const budget = { bytes: options.cacheBytes ?? 512 * 2 ** 20 };
  const cache =
    options.cache === undefined ? undefined : createPictureCache({ folder: options.cache, onWarning });
  const reader = (set: ImageSet) => createPictureReader({ set, resizing, budget, cache, onWarning });
  const readers = { a: reader(a), b: reader(b) };
  const batches = createBatches({
    ...options,
    a: { count: a.files.length, read: readers.a.read },
    b: { count: b.files.length, read: readers.b.read },
  });
  return {
    ...batches,
    dispose() {
      batches.dispose();
      readers.a.clear();
      readers.b.clear();
    },
  };
}

function checkOptions(options: DataSourceOptions): void {
  const { height, width, loadSize, batch, seed, preprocess = 'resize_and_crop' } = options;
  const whole = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  const wrong = (what: string, expected: string, got: number) =>
    new CycleganError('usage', `[train] ${what}: expected ${expected}, got ${got}. Choose another value.`);
  for (const [what, side] of [
    ['height', height],
    ['width', width],
  ] as const) {
    if (!whole(side, 1, MAX_SIDE)) throw wrong(what, `a whole number from 1 to ${MAX_SIDE}`, side);
  }
  if (crops(preprocess) && preprocess !== 'crop') {
    const least = preprocess === 'scale_width_and_crop' ? width : Math.max(height, width);
    if (!whole(loadSize, least, MAX_SIDE)) {
      throw wrong('load size', `a whole number from the size, ${least}, to ${MAX_SIDE}`, loadSize);
    }
  }
  if (!whole(batch, 1, 1024)) throw wrong('batch', 'a whole number from 1 to 1024', batch);
  if (!Number.isSafeInteger(seed)) throw wrong('seed', 'a whole number', seed);
}
