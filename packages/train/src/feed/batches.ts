/**
 * Batches for training, as the reference draws them: A in a shuffled order, B at random (or both in order), each
 * cropped and flipped apart. What a step gets depends on the seed and the step's number alone, so any step can be asked
 * for at any time; the steps that come next are read ahead. Where pictures come from is the caller's.
 */
import { type Channels, type Crop, type Picture, writeCrop } from './augment.js';
import { permutation, type Random, randomAt } from './random.js';

/** The pictures of one domain, each resized to at least what a batch measures. */
export interface Pictures {
  readonly count: number;
  /**
   * The picture of an image, or one in its place, and which it was, by name.
   * @returns shared, not to be written to
   */
  read(index: number): Promise<{ file: string; picture: Picture }>;
}

export interface BatchOptions {
  a: Pictures;
  b: Pictures;
  /** What the images of a batch measure, pixels. */
  height: number;
  width: number;
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
  /** How many steps are read ahead; default 4, 0 for none. */
  prefetch?: number | undefined;
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
   * The batch of a step, counted from 0: always the same for the same images and options, whatever was asked for
   * before.
   * @throws CycleganError `input` when there is no readable image left
   */
  batch(step: number): Promise<Batch>;
  /** Images in an epoch: those of the larger domain. */
  readonly epochLength: number;
  /** Steps in an epoch; the last batch is filled up from the epoch's first images. */
  readonly stepsPerEpoch: number;
  /** Lets go of all pictures and of what was read ahead. A later `batch` rejects. */
  dispose(): void;
}

/** Draws batches from pictures that are at least `height` × `width`. */
export function createBatches(options: BatchOptions): DataSource {
  const { a, b, height, width, batch, seed, flip = true, pairing = 'random', prefetch = 4 } = options;
  const { channels = { a: 3, b: 3 } } = options;
  const size = { height, width };
  const epochLength = Math.max(a.count, b.count);
  const stepsPerEpoch = Math.ceil(epochLength / batch);
  const ahead = new Map<number, Promise<Batch>>();
  let order: { epoch: number; indices: Uint32Array } = { epoch: -1, indices: new Uint32Array() };
  let disposed = false;

  /** Which images a place in a batch takes. */
  function drawPair(step: number, item: number, random: Random): { a: number; b: number } {
    const place = ((step % stepsPerEpoch) * batch + item) % epochLength;
    if (pairing === 'serial') return { a: place % a.count, b: place % b.count };
    const epoch = Math.floor(step / stepsPerEpoch);
    if (order.epoch !== epoch) {
      order = { epoch, indices: permutation(epochLength, randomAt(seed, 'epoch', epoch)) };
    }
    return { a: (order.indices[place] ?? 0) % a.count, b: random.integer(b.count) };
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
      const pictures = await Promise.all([a.read(pair.a), b.read(pair.b)]);
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
    },
  };
}
