/**
 * Batches for training, as the reference draws them: A in a shuffled order, B at random (or both in order), each
 * resized, cropped and flipped apart. What a step gets depends on the seed and the step's number alone, so any step
 * can be asked for at any time; the steps that come next are decoded ahead in the background.
 */
import { CycleganError } from '@cyclegan/runtime-core';
import { type Channels, type Crop, writeCrop } from './augment.js';
import type { Picture } from './decode.js';
import { crops, type Preprocess, type Resizing } from './geometry.js';
import type { ImageSet } from './image-set.js';
import { createPictureCache } from './picture-cache.js';
import { createPictureReader } from './picture-reader.js';
import { permutation, type Random, randomAt } from './random.js';

const MAX_SIDE = 8_192;

export interface DataSourceOptions {
  a: ImageSet;
  b: ImageSet;
  /** What the images of a batch measure, pixels; see {@link trainingShape}. */
  height: number;
  width: number;
  /** How images are brought to that; default `resize_and_crop`. */
  preprocess?: Preprocess | undefined;
  /** What `preprocess` resizes to; see {@link Resizing}. */
  loadSize: number;
  /** Images of each domain in a batch. */
  batch: number;
  seed: number;
  /** Mirror images left and right with probability ½; default true. */
  flip?: boolean | undefined;
  /**
   * `random` (the default): A shuffled anew each epoch, and beside it any B. `serial`: both in the order of their
   * names, so that the n-th of A meets the n-th of B.
   */
  pairing?: 'random' | 'serial' | undefined;
  /** Of each domain; default 3. With 1, colour becomes grey by its luma. */
  channels?: { a: Channels; b: Channels } | undefined;
  /** Folder in which decoded pictures are kept on disk; default none. {@link planCache} says what it will take. */
  cache?: string | undefined;
  /**
   * How many steps are decoded ahead; default 4, 0 for none. An engine that takes K steps at once lets nothing else
   * run meanwhile, and an image needs up to four turns (open, read, close, decode): give 4 · K.
   */
  prefetch?: number | undefined;
  /** Bytes of decoded pictures that may be kept in memory; default 512 MiB. */
  cacheBytes?: number | undefined;
  /** Called once, with one sentence, for each file that turns out to be unreadable. */
  onWarning?: ((message: string) => void) | undefined;
}

export interface Batch {
  /** [batch, channels, height, width] on [−1, 1], RGB or grey; the caller's. */
  a: Float32Array;
  b: Float32Array;
  /** The files that were read, relative to their folders. */
  files: { a: string[]; b: string[] };
}

export interface DataSource {
  /**
   * The batch of a step, counted from 0: always the same for the same folders and options, whatever was asked
   * for before.
   * @throws CycleganError `input` when a folder has no readable image left
   */
  batch(step: number): Promise<Batch>;
  /** Images in an epoch: those of the larger domain. */
  readonly epochLength: number;
  /** Steps in an epoch; the last batch is filled up from the epoch's first images. */
  readonly stepsPerEpoch: number;
  /** Lets go of all pictures and of what was decoded ahead. A later `batch` rejects. */
  dispose(): void;
}

/** @throws CycleganError `usage` for sizes that cannot be meant */
export function createDataSource(options: DataSourceOptions): DataSource {
  const { a, b, height, width, loadSize, batch, seed, flip = true, prefetch = 4, onWarning } = options;
  const { preprocess = 'resize_and_crop', pairing = 'random', channels = { a: 3, b: 3 } } = options;
  checkOptions(options);
  const skipped = a.skipped + b.skipped;
  if (pairing === 'serial' && skipped > 0) {
    onWarning?.(
      `[train] serial pairs: ${skipped} files were left out, so that what follows them may be paired otherwise than meant.`,
    );
  }
  const size = { height, width };
  const resizing: Resizing = { preprocess, loadSize, height, width };
  const budget = { bytes: options.cacheBytes ?? 512 * 2 ** 20 };
  const cache =
    options.cache === undefined ? undefined : createPictureCache({ folder: options.cache, onWarning });
  const reader = (set: ImageSet) => createPictureReader({ set, resizing, budget, cache, onWarning });
  const readers = { a: reader(a), b: reader(b) };
  const epochLength = Math.max(a.files.length, b.files.length);
  const stepsPerEpoch = Math.ceil(epochLength / batch);
  const ahead = new Map<number, Promise<Batch>>();
  let order: { epoch: number; indices: Uint32Array } = { epoch: -1, indices: new Uint32Array() };
  let disposed = false;

  /** Which images a place in a batch takes. */
  function drawPair(step: number, item: number, random: Random): { a: number; b: number } {
    const place = ((step % stepsPerEpoch) * batch + item) % epochLength;
    if (pairing === 'serial') return { a: place % a.files.length, b: place % b.files.length };
    const epoch = Math.floor(step / stepsPerEpoch);
    if (order.epoch !== epoch) {
      order = { epoch, indices: permutation(epochLength, randomAt(seed, 'epoch', epoch)) };
    }
    return { a: (order.indices[place] ?? 0) % a.files.length, b: random.integer(b.files.length) };
  }

  function drawCrop(picture: Picture, random: Random): Crop {
    const left = random.integer(picture.width - width + 1);
    const top = random.integer(picture.height - height + 1);
    return { left, top, flip: random.coin() && flip };
  }

  async function load(step: number): Promise<Batch> {
    const images = (domain: 'a' | 'b') => new Float32Array(batch * channels[domain] * height * width);
    const made: Batch = { a: images('a'), b: images('b'), files: { a: [], b: [] } };
    const fill = async (item: number) => {
      const random = randomAt(seed, 'item', step, item);
      const pair = drawPair(step, item, random);
      const pictures = await Promise.all([readers.a.read(pair.a), readers.b.read(pair.b)]);
      // Both are drawn from one generator, A first.
      for (const [place, { file, picture }] of pictures.entries()) {
        const domain = place === 0 ? 'a' : 'b';
        made.files[domain][item] = file;
        const crop = drawCrop(picture, random);
        writeCrop({ picture, crop, size, channels: channels[domain], target: made[domain], item });
      }
    };
    await Promise.all(Array.from({ length: batch }, (_, item) => fill(item)));
    return made;
  }

  function start(step: number): Promise<Batch> {
    const loading = load(step);
    // A failure belongs to whoever asks for the step; nobody may ever ask.
    loading.catch(() => {});
    return loading;
  }

  return {
    async batch(step) {
      if (disposed) throw new Error('internal: batch() after dispose() of a data source');
      if (!Number.isSafeInteger(step) || step < 0) throw new Error(`internal: no batch for step ${step}`);
      const wanted = ahead.get(step) ?? start(step);
      for (const other of ahead.keys()) {
        if (other <= step || other > step + prefetch) ahead.delete(other);
      }
      for (let next = step + 1; next <= step + prefetch; next++) {
        if (!ahead.has(next)) ahead.set(next, start(next));
      }
      return wanted;
    },
    epochLength,
    stepsPerEpoch,
    dispose() {
      disposed = true;
      ahead.clear();
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
