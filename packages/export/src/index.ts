/** From a checkpoint to a bundle, and a bundle held against the checkpoint. */
export { type ExportOptions, type ExportResult, exportBundle, type Progress } from './export-bundle.js';
export { type GeneratorOptions, generatorGraph } from './generator-graph.js';
export {
  type VerifyOptions,
  type VerifyResult,
  type VerifyRow,
  verifyBundle,
} from './verify/verify-bundle.js';
