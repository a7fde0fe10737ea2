/**
 * Generators of any origin to ONNX, small and fast, and proven equal: as bundles, or step by step with the functions
 * that bundles are made with.
 */
export {
  IR_VERSION,
  OPSET,
  type OptimizeTable,
  readOnnx,
  type WriteOptions,
  writeOnnx,
} from '@cyclegan/graph';
export { type ExportResult, exportBundle } from './bundle/export-bundle.js';
export type { DirectionReport } from './bundle/export-direction.js';
export { type ExportOptions, type Progress, type Target, targets } from './bundle/export-options.js';
export { type ValueRange, withBundleInterface } from './bundle/model-interface.js';
export { freeSizes, type ImageSizes, type SizedGraph, type UnsizedGraph } from './image-sizes.js';
export type { Imported, Reference } from './import/imported.js';
export { type ImportOnnxOptions, importOnnx } from './import/onnx/import-onnx.js';
export * from './import/pytorch/index.js';
export * from './import/tfjs/index.js';
export { optimize } from './optimize.js';
export * from './precision/index.js';
export { type TritonOptions, writeTriton } from './ship/triton.js';
export { type GeneratorOptions, generatorGraph } from './source/generator-graph.js';
export { openSource, type Source, type SourceOptions } from './source/source.js';
export * from './variants/index.js';
export type { Placement } from './verify/placement.js';
export type { VerifyRow } from './verify/report.js';
export { type VerifyOptions, type VerifyResult, verifyBundle } from './verify/verify-bundle.js';
