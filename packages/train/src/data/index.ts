export { type Batch, createDataSource, type DataSource, type DataSourceOptions } from './data-source.js';
export {
  CHECK_UP_TO,
  type ImageFolder,
  type OpenImageFolderOptions,
  openImageFolder,
} from './image-folder.js';
export { permutation, type Random, randomAt } from './random.js';
export { loadTestImage } from './test-image.js';
