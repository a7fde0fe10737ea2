/**
 * Training in a page: the entry for browsers. Importing it touches no browser global; calling it needs a browser.
 * What it trains with is in step/, feed/, config/ and engines/ort/, which know no platform.
 */
export { CycleganError, type ErrorCode, isCycleganError } from '@cyclegan/runtime-core';
export type { Losses, LossName } from '../step/objective.js';
export {
  type BundleOptions,
  MAX_IMAGES,
  MAX_SAMPLES,
  type TrainCallOptions,
  type TrainedBundle,
  type TrainerInfo,
  type TrainerOptions,
  type TrainingImage,
  type TrainingProgress,
  type TrainingSample,
  type TriedWebDevice,
  type WebDevice,
  type WebPresetName,
  type WebRunOptions,
  type WebTrainResult,
  webPresets,
} from './options.js';
export { createTrainer, type WebTrainer } from './trainer.js';
