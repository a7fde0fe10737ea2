/**
 * The reference's history of translations for one domain (Shrivastava et al. 2017): discriminators are shown an
 * older translation half of the time. The choice does not depend on the images, so it is made before the step.
 */
import { randomAt } from './data/index.js';
import type { PoolChoice } from './engine.js';

/** One domain's pool; `choose`, the step, `store`, one after the other. */
export interface ImagePool {
  /** Decides for a step, counted from 0; the same step always decides alike. */
  choose(step: number): PoolChoice;
  /** Puts the step's fresh translations, [N, C, H, W], into the slots that the choice gave them. */
  store(fresh: Float32Array): void;
  /** Copies of what is stored, [n, C, H, W]. */
  getImages(): Float32Array;
  /** Takes over what {@link ImagePool.getImages} gave; the array is copied. */
  setImages(images: Float32Array): void;
}

export interface ImagePoolOptions {
  /** Most images kept; 0 always shows the fresh ones. */
  capacity: number;
  batch: number;
  /** Elements of one image. */
  elements: number;
  seed: number;
  domain: 'A' | 'B';
}

/** A slot's content: an image, or for the length of a step a fresh translation by its place in the batch. */
type Slot = Float32Array | number;

/** An empty pool. */
export function createImagePool({ capacity, batch, elements, seed, domain }: ImagePoolOptions): ImagePool {
  let slots: Slot[] = [];
  return {
    choose(step) {
      const random = randomAt(seed, 'pool', domain, step);
      const stored = new Float32Array(batch * elements);
      const pick = new BigInt64Array(batch);
      const show = (item: number, content: Slot) => {
        if (typeof content !== 'number') stored.set(content, item * elements);
        pick[item] = BigInt(typeof content === 'number' ? batch + content : item);
      };
      for (let item = 0; item < batch; item++) {
        if (slots.length < capacity) {
          slots.push(item);
          show(item, item);
        } else if (capacity > 0 && random.coin()) {
          const slot = random.integer(capacity);
          show(item, slots[slot] ?? item);
          slots[slot] = item;
        } else {
          show(item, item);
        }
      }
      return { stored, pick };
    },
    store(fresh) {
      slots = slots.map((content) =>
        typeof content === 'number' ? fresh.slice(content * elements, (content + 1) * elements) : content,
      );
    },
    getImages() {
      const images = new Float32Array(slots.length * elements);
      slots.forEach((content, i) => {
        if (typeof content === 'number')
          throw new Error('internal: the pool is saved between choose() and store()');
        images.set(content, i * elements);
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
