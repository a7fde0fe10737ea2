/**
 * The package's front door: the translator, folders of files, videos, the report on this machine, and what of runtime-core
 * a program needs to name.
 */
export {
  type CallOptions,
  CycleganError,
  type Device,
  type Direction,
  type ErrorCode,
  type Frame,
  type FrameOptions,
  isCycleganError,
  type Manifest,
  type Pixels,
  type Precision,
  type Progress,
  type Tile,
  type TranslatedPixels,
  type TranslatorInfo,
} from '@cyclegan/runtime-core';
export type { FileJob } from './files/plan.js';
export {
  type FilesPreview,
  type FilesProgress,
  previewFiles,
  type TranslateFilesOptions,
  type TranslateFilesResult,
  translateFiles,
} from './files/translate-files.js';
export { workersFor } from './files/workers-for.js';
export { type ImageFormat, mediaType, type OutputFormat } from './images/formats.js';
export { type ImageInput, readPixels } from './images/image.js';
export { type ImageOptions, type TranslatedImage, translateImage } from './images/translate-image.js';
export { type Bundle, type ModelFile, readBundle, readModel } from './translator/bundle.js';
export { absence, cpuName, NODE_DEVICES } from './translator/devices.js';
export { type DeviceReport, type MachineReport, probeDevices } from './translator/probe.js';
export {
  createTranslator,
  type NodeTranslator,
  type NodeTranslatorOptions,
} from './translator/translator.js';
export {
  ffmpegInstallCommand,
  isVideo,
  probeVideoTools,
  type TranslatedVideo,
  type TranslateVideoOptions,
  translateVideo,
  type VideoProgress,
  type VideoTools,
  videoExtension,
} from './video/index.js';
