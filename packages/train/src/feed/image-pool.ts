/**
 * The reference's history of translations (Shrivastava et al. 2017): discriminators are shown an older one half of
 * the time. What is shown and kept is a function of the step's number alone; the images themselves are an engine's.
 */
import { randomAt } from './random.js';

/** What one domain's pool does in a step. */
export interface PoolChoice {
  /** For each image of the batch what the discriminator sees: below `capacity` that slot as it was before the step,
   * from `capacity` on a fresh translation by its place in the batch. */
  show: Int32Array;
  /** For each image of the batch the slot that its translation goes into after the step; -1 for none. */
  store: Int32Array;
}

export interface PoolOptions {
  /** Most images kept; 0 always shows the fresh ones. */
  capacity: number;
  batch: number;
  seed: number;
  domain: 'A' | 'B';
}

/** Images in a pool after so many steps: each fills a slot until all are full. */
export function poolFill(
  { capacity, batch }: Pick<PoolOptions, 'capacity' | 'batch'>,
  steps: number,
): number {
  return Math.min(capacity, steps * batch);
}

/** Decides for a step, counted from 0. Images of one batch take their turn one after the other, as in the reference. */
export function poolChoice(options: PoolOptions, step: number): PoolChoice {
  const { capacity, batch, seed, domain } = options;
  const random = randomAt(seed, 'pool', domain, step);
  const show = new Int32Array(batch);
  // What this batch has put into slots so far, by slot.
  const written = new Map<number, number>();
  let filled = poolFill(options, step);
  for (let item = 0; item < batch; item++) {
    const fresh = capacity + item;
    show[item] = fresh;
    if (filled < capacity) {
      written.set(filled++, item);
    } else if (capacity > 0 && random.coin()) {
      const slot = random.integer(capacity);
      const before = written.get(slot);
      show[item] = before === undefined ? slot : capacity + before;
      written.set(slot, item);
    }
  }
  const store = new Int32Array(batch).fill(-1);
  for (const [slot, item] of written) store[item] = slot;
  return { show, store };
}

/** A pool's images on the host, for engines that feed them. */
export interface HostPool {
  /** The stored images that a choice shows, [N, C, H, W] with zeros where a fresh one is shown. */
  stored(choice: PoolChoice): Float32Array;
  /** For each image an index into those stored followed by the fresh ones. */
  pick(choice: PoolChoice): BigInt64Array;
  /** Keeps what the choice says of the step's fresh translations, [N, C, H, W]. */
  store(choice: PoolChoice, fresh: Float32Array): void;
  /** Copies of what is kept, [n, C, H, W]. */
  getImages(): Float32Array;
  /** Takes over what {@link HostPool.getImages} gave; the array is copied. */
  setImages(images: Float32Array): void;
}

/** An empty pool. @param options `elements` are those of one image */
export function createHostPool({ capacity, elements }: { capacity: number; elements: number }): HostPool {
  let slots: Float32Array[] = [];
  return {
    stored({ show }) {
      const stored = new Float32Array(show.length * elements);
      show.forEach((from, item) => {
        const image = slots[from];
        if (from < capacity && image) stored.set(image, item * elements);
      });
      return stored;
    },
    pick: ({ show }) =>
      BigInt64Array.from(show, (from, item) =>
        BigInt(from < capacity ? item : show.length + from - capacity),
      ),
    store({ store }, fresh) {
      store.forEach((slot, item) => {
        if (slot >= 0) slots[slot] = fresh.slice(item * elements, (item + 1) * elements);
      });
    },
    getImages() {
      const images = new Float32Array(slots.length * elements);
      slots.forEach((image, i) => {
        images.set(image, i * elements);
      });
      return images;
    },
    setImages(images) {
      slots = Array.from({ length: images.length / elements }, (_, i) =>
        images.slice(i * elements, (i + 1) * elements),
      );
    },
  };
}
