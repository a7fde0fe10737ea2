/** CycleGAN training: the step as one ONNX graph, the engine that runs it, data, the run folder and its report. */
export {
  type PresetName,
  presets,
  type RunConfig,
  type RunOptions,
  rateFactor,
  resolveConfig,
  resumeConfig,
  runConfigSchema,
} from './config.js';
export * from './data/index.js';
export type { Engine, EngineOptions, EngineState, PoolChoice, StepInput, StepResult } from './engine.js';
export { createOrtEngine } from './engines/ort.js';
export * from './evaluation/index.js';
export { createImagePool, type ImagePool } from './image-pool.js';
export * from './report/index.js';
export { adamRate } from './step/adam.js';
export { type Losses, type LossName, lossNames, type ObjectiveConfig } from './step/objective.js';
export {
  type Group,
  groupParameters,
  type StepConfig,
  sampleGraph,
  stateNames,
  stepGraph,
} from './step/step-graph.js';
export type { TrainEvent, TrainResult } from './train-events.js';
export { type TrainOptions, train } from './trainer.js';
