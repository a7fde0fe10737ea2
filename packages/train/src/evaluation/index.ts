export { contactSheet, type SheetSection } from './contact-sheet.js';
export type { ImageScores } from './direction-scores.js';
export { type EvaluateOptions, type Evaluation, evaluate, type Translate } from './evaluate.js';
export {
  type EvaluateFoldersOptions,
  evaluateFolders,
  type FoldersEvaluation,
} from './evaluate-folders.js';
export { createEvaluator, type Evaluator, type EvaluatorOptions } from './evaluator.js';
export { type FeatureRange, featureRanges } from './feature-input.js';
export { type FeatureModel, type FeatureModelOptions, openFeatureModel } from './feature-model.js';
export type { Features } from './features.js';
export { frechetDistance } from './frechet-distance.js';
export {
  drawSubsets,
  type KernelDistance,
  type KernelDistanceOptions,
  kernelDistance,
} from './kernel-distance.js';
export {
  type Better,
  betterIs,
  comparableMetrics,
  type MeasureName,
  measures,
  metricName,
} from './measures.js';
export { memorizationDistance, memorizationInformed } from './memorization.js';
export * from './metrics.js';
export { openPictureSets, type PictureSet, pairFiles, pictureSet, spread } from './picture-set.js';
export { sheetSections } from './ranking.js';
