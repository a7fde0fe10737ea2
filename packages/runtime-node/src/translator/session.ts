/**
 * One onnxruntime-node session over a checked model file. For a worker thread: creation and runs hold up the
 * thread they are called on.
 */
import {
  type ConcreteDevice,
  CycleganError,
  type ModelEntry,
  type OpenRequest,
  type Planes,
  type Session,
} from '@cyclegan/runtime-core';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { type NodeSource, readModel } from './bundle.js';
import { inTurn, type Turn } from './turn.js';

/** What a worker is started with. */
export interface WorkerSettings {
  threads: number;
  /** Taken for every call into onnxruntime-node. */
  turn: Turn;
  /** This worker's number, above 0 and its own in this process. */
  worker: number;
}

// Failures come as errors, with their reason; the native log would print them a second time.
env.logLevel = 'fatal';

/** @throws CycleganError `bundle` for a file that is not the manifest's; what the provider throws */
export async function openSession(
  { device, model, source }: OpenRequest<NodeSource>,
  { threads, turn, worker }: WorkerSettings,
): Promise<Session> {
  const bytes = await readModel(model, source);
  const native = <T>(work: () => Promise<T>): Promise<T> => inTurn(turn, worker, work);
  const session = await native(() => create(bytes, device, threads));

  return {
    threads,
    async run(input) {
      const { data, channels, height, width } = input;
      const feeds = { [model.input.name]: new Tensor('float32', data, [1, channels, height, width]) };
      const results = await native(() => session.run(feeds, [model.output.name]));
      return toPlanes(results[model.output.name], model);
    },
    release: () => native(() => session.release()),
  };
}

async function create(bytes: Uint8Array, device: ConcreteDevice, threads: number): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(bytes, {
      executionProviders: [device],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: threads,
      logSeverityLevel: 4,
    });
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    // Native checks put their source line before what happened.
    const reason = text.replace(/^\/onnxruntime_src\/.* was (?:true|false)\. /s, '').trim();
    throw new Error(reason, { cause });
  }
}

function toPlanes(tensor: Tensor | undefined, model: ModelEntry): Planes {
  const [count, channels, height, width] = tensor?.dims ?? [];
  const data = tensor?.data;
  if (!(data instanceof Float32Array) || count !== 1 || !channels || !height || !width) {
    throw new CycleganError(
      'bundle',
      `[bundle] ${model.file}: expected a float32 output of [1, C, H, W], got ${tensor?.type} [${tensor?.dims}]. Export the bundle again.`,
    );
  }
  return { width, height, channels, data };
}
