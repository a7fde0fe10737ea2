/** tfjs models of both kinds. */
export { type ImportTfjsOptions, importTfjs } from './import-tfjs.js';
export type {
  CustomLayer,
  LayerCall,
  LayerWeights,
  TfjsForLayers,
  TfjsLayerClass,
} from './layers/layer-kind.js';
