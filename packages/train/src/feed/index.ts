/** What a step is fed, as a function of its number alone: batches, the image pools' choices, rate and noise. */
export type { Channels } from './augment.js';
export type { Batch, DataSource } from './batches.js';
export type { Preprocess, Size } from './geometry.js';
export {
  createHostPool,
  type HostPool,
  type PoolChoice,
  type PoolOptions,
  poolChoice,
  poolFill,
} from './image-pool.js';
export { permutation, type Random, randomAt } from './random.js';
