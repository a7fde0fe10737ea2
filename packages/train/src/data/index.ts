export type { Channels } from './augment.js';
export { type Batch, createDataSource, type DataSource, type DataSourceOptions } from './data-source.js';
export type { Encoded, Header } from './decode.js';
export type { Preprocess, Size } from './geometry.js';
export {
  CHECK_UP_TO,
  compareFingerprints,
  type ImageSet,
  type OpenImageSetOptions,
  openImageSet,
} from './image-set.js';
export { type LoadedImages, type LoadShape, loadImage, loadImages, loadTestImage } from './load-images.js';
export { type CachePlan, planCache } from './picture-cache.js';
export { permutation, type Random, randomAt } from './random.js';
export { type TrainingShapeOptions, trainingShape } from './training-shape.js';
