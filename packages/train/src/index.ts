/** CycleGAN training: the step as one ONNX graph, the engine that runs it, data, the run folder and its report. */
export * from './config/index.js';
export * from './data/index.js';
export type {
  Engine,
  EngineOptions,
  EngineState,
  GroupState,
  SampleResult,
  StepInput,
} from './engine.js';
export {
  type ChooseDeviceOptions,
  chooseTrainingDevice,
  type DeviceChoice,
  type TriedDevice,
} from './engines/ort-node/choose-device.js';
export { cudaInstallCommand, deviceAbsence } from './engines/ort-node/device-absence.js';
export { createOrtEngine } from './engines/ort-node/engine.js';
export { amortisedSteps } from './engines/ort-node/steps-per-run.js';
export { practiceInputs, practiceRun } from './engines/practice.js';
export { createTfjsEngine, type Load } from './engines/tfjs/index.js';
export * from './evaluation/index.js';
export * from './feed/index.js';
export { initialState } from './initial-state.js';
export * from './live/index.js';
export { lockRun, type Release } from './lock.js';
export * from './report/index.js';
export { type AdamBetas, type AdamRate, type AdamState, adamRate } from './step/adam.js';
export { type NoiseInput, type NoiseSource, noiseFor, noiseInputs } from './step/noise.js';
export {
  type GanMode,
  type Losses,
  type LossName,
  lossNames,
  type ObjectiveConfig,
} from './step/objective.js';
export {
  type Group,
  groupBuffers,
  groupNames,
  groupParameters,
  type StateKey,
  stateNames,
  stateSizes,
} from './step/state.js';
export {
  appendStep,
  type Domains,
  type ObjectiveGraphConfig,
  type StepConfig,
  type StepResults,
  type StepValues,
} from './step/step.js';
export { objectiveGraph, sampleGraph, stepGraph } from './step/step-graph.js';
export * from './tensorboard/index.js';
export type { TrainEvent, TrainResult } from './train-events.js';
export { type TrainOptions, train } from './trainer.js';
