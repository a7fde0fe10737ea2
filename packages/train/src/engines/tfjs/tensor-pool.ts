/** One domain's image pool where the engine computes: tensors in slots, shown and replaced as a choice says. */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import type { PoolChoice } from '../../feed/image-pool.js';
import { hold, unhold } from './layout.js';
import type { Tf } from './load.js';

export interface TensorPool {
  /** What the discriminator sees instead of the fresh translations, both [N, H, W, C]; the caller's. */
  shown(choice: PoolChoice, fresh: Tensor): Tensor;
  /** Keeps what the choice says of the fresh translations. */
  store(choice: PoolChoice, fresh: Tensor): void;
  /** Copies of what is kept, [n, C, H, W]. */
  getImages(): Promise<Float32Array>;
  /** Takes over what {@link TensorPool.getImages} gave; the array is copied. */
  setImages(images: Float32Array): void;
  dispose(): void;
}

/** An empty pool. @param shape one image's, [C, H, W] */
export function createTensorPool(tf: Tf, capacity: number, shape: readonly number[]): TensorPool {
  /** Each [1, H, W, C]. */
  let slots: Tensor[] = [];
  const image = (batch: Tensor, i: number) => tf.slice(batch as Tensor4D, [i, 0, 0, 0], [1, -1, -1, -1]);
  const clear = () => {
    tf.dispose(slots);
    slots = [];
  };
  return {
    shown({ show }, fresh) {
      return tf.tidy(() =>
        tf.concat(Array.from(show, (from) => slots[from] ?? image(fresh, from - capacity))),
      );
    },
    store({ store }, fresh) {
      store.forEach((slot, i) => {
        if (slot < 0) return;
        slots[slot]?.dispose();
        slots[slot] = tf.keep(image(fresh, i));
      });
    },
    async getImages() {
      if (slots.length === 0) return new Float32Array();
      const all = tf.tidy(() => unhold(tf, tf.concat(slots)));
      const images = Float32Array.from(await all.data<'float32'>());
      all.dispose();
      return images;
    },
    setImages(images) {
      clear();
      const size = shape.reduce((product, dim) => product * dim, 1);
      slots = Array.from({ length: images.length / size }, (_, i) =>
        tf.tidy(() => hold(tf, tf.tensor(images.slice(i * size, (i + 1) * size), [1, ...shape]))),
      );
    },
    dispose: clear,
  };
}
