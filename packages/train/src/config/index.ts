/** What a run is: presets, options as a user gives them, and the resolved config that the run folder keeps. */
export { checkOptions, type RunOptions } from './options.js';
export { type PresetName, presets } from './presets.js';
export { resolveConfig } from './resolve.js';
export { resumeConfig } from './resume.js';
export { freshPlateau, lookAt, type Plateau, plateauSchema, rateFactor } from './schedule.js';
export {
  evaluationInterval,
  preprocessModes,
  type RunConfig,
  runConfigSchema,
  trainingSize,
} from './schema.js';
