/** Images on disk: sets, decoding, caches, and batches from them. */
export { createDataSource, type DataSourceOptions } from './data-source.js';
export type { Encoded, Header } from './decode.js';
export {
  CHECK_UP_TO,
  compareFingerprints,
  type ImageSet,
  type OpenImageSetOptions,
  openImageSet,
} from './image-set.js';
export { type LoadedImages, type LoadShape, loadImage, loadImages, loadTestImage } from './load-images.js';
export { type CachePlan, planCache } from './picture-cache.js';
export { type TrainingShapeOptions, trainingShape } from './training-shape.js';
