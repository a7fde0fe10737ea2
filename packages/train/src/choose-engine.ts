/** The engine of a run: onnxruntime on the device that was asked for or found fastest, or TensorFlow.js. */
import { type RunConfig, type RunOptions, trainingSize } from './config/index.js';
import type { Engine, EngineOptions } from './engine.js';
import { chooseTrainingDevice } from './engines/ort-node/choose-device.js';
import { createOrtEngine } from './engines/ort-node/engine.js';

type OnNote = (message: string) => void;

/**
 * The config with its device settled: for `auto`, the fastest in a short trial. A run that goes on stays where it is.
 * @throws CycleganError `aborted` when the signal fires
 */
export async function withDevice(
  config: RunConfig,
  { device = 'auto' }: Pick<RunOptions, 'device'>,
  signal: AbortSignal | undefined,
  onNote: OnNote,
): Promise<RunConfig> {
  if (device !== 'auto' || config.engine !== 'ort') return config;
  const choice = await chooseTrainingDevice({ ...engineOptions(config), onNote, signal });
  // What is the only one there need not be spoken of.
  if (choice.tried.filter(({ stepMs }) => stepMs !== undefined).length > 0) onNote(choice.reason);
  return { ...config, device: choice.device };
}

/** @throws CycleganError `device` where the device or the package is not there */
export async function createEngine(config: RunConfig, onNote: OnNote): Promise<Engine> {
  const options: EngineOptions = { ...engineOptions(config), device: config.device, onNote };
  if (config.engine === 'ort') return createOrtEngine(options);
  const { createTfjsEngine } = await import('./engines/tfjs/index.js');
  return createTfjsEngine(options);
}

function engineOptions(config: RunConfig): Omit<EngineOptions, 'device'> {
  return {
    networks: config.networks,
    objective: config,
    adam: config.adam,
    batch: config.batch,
    ...trainingSize(config),
    pool: config.pool,
    seed: config.seed,
    init: config.init,
    threads: config.threads,
    recompute: config.recompute,
    stepsPerRun: config.stepsPerRun,
  };
}
