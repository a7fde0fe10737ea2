/**
 * Batches for training, as the reference draws them: A in a shuffled order, B at random, each resized, cropped
 * and flipped apart. What a step gets depends on the seed and the step's number alone, so any step can be asked
 * for at any time; the steps that come next are decoded ahead in the background.
 */
import { CycleganError } from '@cyclegan/runtime-core';
import { type Crop, writeCrop } from './augment.js';
import type { ImageFolder } from './image-folder.js';
import { createPictureReader, type PictureReader } from './picture-reader.js';
import { permutation, type Random, randomAt } from './random.js';

const MAX_SIDE = 8_192;

export interface DataSourceOptions {
  a: ImageFolder;
  b: ImageFolder;
  /** Edge of the images of a batch, pixels. */
  size: number;
  /** Edge of the square that an image is resized to before a random `size` crop is taken; at least `size`. */
  loadSize: number;
  /** Images of each domain in a batch. */
  batch: number;
  seed: number;
  /** Mirror images left and right with probability ½; default true. */
  flip?: boolean | undefined;
  /** How many steps are decoded ahead; default 4, 0 for none. */
  prefetch?: number | undefined;
  /** Bytes of decoded pictures that may be kept in memory; default 512 MiB. */
  cacheBytes?: number | undefined;
  /** Called once, with one sentence, for each file that turns out to be unreadable. */
  onWarning?: ((message: string) => void) | undefined;
}

export interface Batch {
  /** [batch, 3, size, size] on [−1, 1], RGB; the caller's. */
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
  const { a, b, size, loadSize, batch, seed, flip = true, prefetch = 4 } = options;
  checkOptions(options);
  const budget = { bytes: options.cacheBytes ?? 512 * 2 ** 20 };
  const reader = (folder: ImageFolder) =>
    createPictureReader({ folder, side: loadSize, budget, onWarning: options.onWarning });
  const readers = { a: reader(a), b: reader(b) };
  const epochLength = Math.max(a.files.length, b.files.length);
  const stepsPerEpoch = Math.ceil(epochLength / batch);
  const ahead = new Map<number, Promise<Batch>>();
  let order: { epoch: number; indices: Uint32Array } = { epoch: -1, indices: new Uint32Array() };
  let disposed = false;

  function indexAt(step: number, item: number): number {
    const epoch = Math.floor(step / stepsPerEpoch);
    if (order.epoch !== epoch) {
      order = { epoch, indices: permutation(epochLength, randomAt(seed, 'epoch', epoch)) };
    }
    const place = (step % stepsPerEpoch) * batch + item;
    return order.indices[place % epochLength] ?? 0;
  }

  function drawCrop(random: Random): Crop {
    const left = random.integer(loadSize - size + 1);
    const top = random.integer(loadSize - size + 1);
    return { left, top, flip: random.coin() && flip };
  }

  async function load(step: number): Promise<Batch> {
    const length = batch * 3 * size * size;
    const made: Batch = {
      a: new Float32Array(length),
      b: new Float32Array(length),
      files: { a: [], b: [] },
    };
    const place = async (domain: 'a' | 'b', from: PictureReader, index: number, crop: Crop, item: number) => {
      const { file, pixels } = await from.read(index);
      made.files[domain][item] = file;
      writeCrop({ pixels, side: loadSize, crop, size, target: made[domain], item });
    };
    const work: Promise<void>[] = [];
    for (let item = 0; item < batch; item++) {
      const random = randomAt(seed, 'item', step, item);
      const indexA = indexAt(step, item) % a.files.length;
      const indexB = random.integer(b.files.length);
      work.push(place('a', readers.a, indexA, drawCrop(random), item));
      work.push(place('b', readers.b, indexB, drawCrop(random), item));
    }
    await Promise.all(work);
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

function checkOptions({ size, loadSize, batch, seed }: DataSourceOptions): void {
  const whole = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  const wrong = (what: string, expected: string, got: number) =>
    new CycleganError('usage', `[train] ${what}: expected ${expected}, got ${got}. Choose another value.`);
  if (!whole(size, 1, MAX_SIDE)) throw wrong('size', `a whole number from 1 to ${MAX_SIDE}`, size);
  if (!whole(loadSize, size, MAX_SIDE)) {
    throw wrong('load size', `a whole number from the size, ${size}, to ${MAX_SIDE}`, loadSize);
  }
  if (!whole(batch, 1, 1024)) throw wrong('batch', 'a whole number from 1 to 1024', batch);
  if (!Number.isSafeInteger(seed)) throw wrong('seed', 'a whole number', seed);
}
