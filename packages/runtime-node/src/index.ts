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
export type { ImageFormat, OutputFormat } from './files/file-jobs.js';
export {
  type FilesProgress,
  type TranslateFilesOptions,
  type TranslateFilesResult,
  translateFiles,
} from './files/translate-files.js';
export { type ImageInput, readPixels } from './images/image.js';
export { type Bundle, type ModelFile, readBundle, readModel } from './translator/bundle.js';
export { absence, NODE_DEVICES } from './translator/devices.js';
export { type DeviceReport, type MachineReport, probeDevices } from './translator/probe.js';
export {
  createTranslator,
  type NodeTranslator,
  type NodeTranslatorOptions,
} from './translator/translator.js';
