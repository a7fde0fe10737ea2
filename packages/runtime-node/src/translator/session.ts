/**
 * One onnxruntime-node session over a checked model file. For a worker thread: creation and runs hold up the
 * thread they are called on.
 */
import { devNull } from 'node:os';
import {
  type ConcreteDevice,
  CycleganError,
  type OpenRequest,
  type Session,
  splitPlanes,
  stackPlanes,
} from '@cyclegan/runtime-core';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { type NodeSource, readModel } from './bundle.js';
import { createTileSession } from './tile-session.js';
import { inTurn, type Turn } from './turn.js';

/** What a worker is started with. */
export interface WorkerSettings {
  /** Taken for every call into onnxruntime-node. */
  turn: Turn;
  /** This worker's number, above 0 and its own in this process. */
  worker: number;
}

// Failures come as errors, with their reason; the native log would print them a second time.
env.logLevel = 'fatal';

/**
 * Where weights outside the model file are looked for: nowhere. They would be read from the working directory, and the
 * manifest's hash says nothing of them.
 */
const NO_FOLDER = devNull;

/** @throws CycleganError `bundle` for a file that is not the manifest's; what the provider throws */
export async function openSession(
  { device, model, source, pair, threads = 1 }: OpenRequest<NodeSource>,
  { turn, worker }: WorkerSettings,
): Promise<Session> {
  const bytes = await readModel(model, source);
  const native = <T>(work: () => Promise<T>): Promise<T> => inTurn(turn, worker, work);
  const session = await native(() => create(bytes, device, threads));
  const tiles =
    pair && createTileSession({ pair, model, native, create: (file) => create(file, device, threads) });

  return {
    threads,
    tiles,
    async run(batch) {
      const { data, dims } = stackPlanes(batch);
      const feeds = { [model.input.name]: new Tensor('float32', data, dims) };
      const { [model.output.name]: output } = await native(() => session.run(feeds, [model.output.name]));
      const answers = splitPlanes(output, batch.length);
      if (answers) return answers;
      throw new CycleganError(
        'bundle',
        `[bundle] ${model.file}: expected a float32 output of [${batch.length}, C, H, W], got ${output?.type} [${output?.dims}]. Export the bundle again.`,
      );
    },
    async release() {
      await tiles?.release();
      await native(() => session.release());
    },
  };
}

async function create(bytes: Uint8Array, device: ConcreteDevice, threads: number): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(bytes, {
      executionProviders: [device],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: threads,
      logSeverityLevel: 4,
      extra: { session: { model_external_initializers_file_folder_path: NO_FOLDER } },
    });
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    // Native checks put their source line before what happened.
    const reason = text.replace(/^\/onnxruntime_src\/.* was (?:true|false)\. /s, '').trim();
    throw new Error(reason, { cause });
  }
}
