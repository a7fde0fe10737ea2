/**
 * The package's front door: the translator, its image and bundle types, and what of runtime-core a page needs to
 * name. Importing it touches no browser global, so server-side rendering may load it; calling it needs a browser.
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
export type { BundleSource } from './bundle.js';
export type { ImageSource } from './image.js';
export { createTranslator, type WebTranslator, type WebTranslatorOptions } from './translator.js';
