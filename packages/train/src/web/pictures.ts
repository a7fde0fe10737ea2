/**
 * Images as a page gives them to pictures of training size, kept in memory: what batches and samples are made of. Runs
 * in the worker.
 */
import { CycleganError, type Pixels } from '@cyclegan/runtime-core';
import type { RunConfig } from '../config/index.js';
import { type Picture, writeCrop } from '../feed/augment.js';
import type { Pictures } from '../feed/batches.js';
import { resizedSize, type Size } from '../feed/geometry.js';
import type { TrainingImage } from './options.js';
import type { ImageSetName } from './protocol.js';
import { resizePixels } from './resize.js';

/** Bitmaps are read at no more than this on a side: several times what is trained on, and never hundreds of megabytes. */
const MOST_READ = 1024;

/** Samples of each domain, spread over the set, where a page gives none. */
const DEFAULT_SAMPLES = 4;

export interface PictureStore {
  add(to: ImageSetName, image: TrainingImage): void;
  /** The images of a domain as batches take them. */
  pictures(domain: 'a' | 'b'): Pictures;
  /** A domain's samples on [-1, 1], each [3, size, size]; empty where there are none. */
  samples(domain: 'a' | 'b'): Float32Array[];
}

export function createPictureStore(
  config: Pick<RunConfig, 'size' | 'loadSize' | 'preprocess'>,
  counts: Readonly<Record<ImageSetName, number>>,
): PictureStore {
  const { size, loadSize, preprocess } = config;
  const square = { height: size, width: size };
  const kept: Record<'a' | 'b', Picture[]> = { a: [], b: [] };
  const samples: Record<'a' | 'b', Float32Array[]> = { a: [], b: [] };
  const sampled = {
    a: counts.sampleA > 0 ? new Set<number>() : spread(counts.a),
    b: counts.sampleB > 0 ? new Set<number>() : spread(counts.b),
  };
  return {
    add(to, image) {
      const pixels = readPixels(image);
      const domain = to === 'a' || to === 'sampleA' ? 'a' : 'b';
      const isSample = to !== domain || sampled[domain].has(kept[domain].length);
      if (isSample) samples[domain].push(planesOf(resizePixels(pixels, square), square));
      if (to !== domain) return;
      const resized = resizedSize(pixels, { preprocess, loadSize, ...square });
      if (resized.height * resized.width > MOST_READ ** 2) {
        throw new CycleganError(
          'input',
          `[train] preprocess ${preprocess}: expected images of at most a megapixel after it, got ${resized.width}x${resized.height} from ${image.width}x${image.height}. Crop the image.`,
        );
      }
      kept[domain].push(resizePixels(pixels, resized));
    },
    pictures: (domain) => ({
      count: counts[domain],
      async read(index) {
        const picture = kept[domain][index];
        if (!picture) throw new Error(`internal: no image ${index} of ${domain}`);
        return { file: `image ${index + 1}`, picture };
      },
    }),
    samples: (domain) => samples[domain],
  };
}

/** As Node's samples are spread over a set. */
function spread(count: number): Set<number> {
  const wanted = Math.min(DEFAULT_SAMPLES, count);
  return new Set(Array.from({ length: wanted }, (_, item) => Math.floor((item * count) / wanted)));
}

function planesOf(picture: Picture, size: Size): Float32Array {
  const target = new Float32Array(3 * size.height * size.width);
  writeCrop({ picture, crop: { left: 0, top: 0, flip: false }, size, channels: 3, target, item: 0 });
  return target;
}

function readPixels(image: TrainingImage): Pixels {
  if (image instanceof ImageBitmap) return readBitmap(image);
  const { width, height, data } = image;
  return { width, height, data, channels: 'channels' in image ? image.channels : 4 };
}

/** Closes the bitmap, which is the worker's own. */
function readBitmap(bitmap: ImageBitmap): Pixels {
  const scale = Math.min(1, MOST_READ / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('internal: no 2D context');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return { width, height, channels: 4, data: context.getImageData(0, 0, width, height).data };
}
