/**
 * The package's front door: the translator, folders of files, the report on this machine, and what of runtime-core
 * a program needs to name.
 */
export {
  type CallOptions,
  CycleganError,
  type Device,
  type Direction,
  type ErrorCode,
  isCycleganError,
  type Manifest,
  type Precision,
  type Progress,
  type Tile,
  type TranslatorInfo,
} from '@cyclegan/runtime-core';
export { type Bundle, type ModelFile, readBundle, readModel } from './bundle.js';
export { absence, NODE_DEVICES } from './devices.js';
export type { ImageFormat, OutputFormat } from './file-jobs.js';
export { type ImageInput, readPixels } from './image.js';
export { type DeviceReport, type MachineReport, probeDevices } from './probe.js';
export {
  type FilesProgress,
  type TranslateFilesOptions,
  type TranslateFilesResult,
  translateFiles,
} from './translate-files.js';
export { createTranslator, type NodeTranslator, type NodeTranslatorOptions } from './translator.js';
