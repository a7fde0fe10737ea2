/**
 * The Node translator: a bundle's folder in, `translate(image)` out. A thin adapter of runtime-core's host: what
 * is Node's own here are the worker thread, the devices and sharp.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  type ConcreteDevice,
  CycleganError,
  createHostedTranslator,
  type Manifest,
  type ModelEntry,
  selectModel,
  type Translator,
  type TranslatorOptions,
  type WorkerHandle,
} from '@cyclegan/runtime-core';
import type { Sharp } from 'sharp';
import { type ImageInput, readPixels, toSharp } from '../images/image.js';
import { type NodeSource, readBundle } from './bundle.js';
import { chooseDevices } from './devices.js';
import type { WorkerSettings } from './session.js';
import { createTurn, endTurn, guardExit } from './turn.js';

const MAX_THREADS = 1024;

/** Images are paths, bytes of image files, or sharp pipelines; outputs are sharp pipelines over raw pixels. */
export type NodeTranslator = Translator<ImageInput, Sharp>;

export interface NodeTranslatorOptions extends TranslatorOptions {
  /** Threads of one run on the CPU; default: all cores that this process may use. */
  threads?: number | undefined;
}

/**
 * Opens a bundle in a worker thread of its own, which keeps the process alive until `dispose()`.
 *
 * `device: 'auto'` tries cuda where its library is installed, webgpu where there is a GPU, then cpu; each is taken
 * only if it passes the bundle's self-check, and `info.fallbacks` says why one was not.
 * @param folder what `cyclegan export` wrote
 * @throws CycleganError `bundle`, `device`, `usage`, `aborted`
 */
export async function createTranslator(
  folder: string,
  options: NodeTranslatorOptions = {},
): Promise<NodeTranslator> {
  const { manifest } = await readBundle(folder);
  const model = selectModel(manifest, options);
  return openTranslator({ manifest, model, source: join(folder, model.file) }, options);
}

/** As {@link createTranslator}, for a model that is already chosen. */
export async function openTranslator(
  { manifest, model, source }: { manifest: Manifest; model: ModelEntry; source: NodeSource },
  options: NodeTranslatorOptions,
): Promise<NodeTranslator> {
  const { threads = availableParallelism(), tile = 'auto', device = 'auto', signal, onProgress } = options;
  if (!Number.isSafeInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new CycleganError(
      'usage',
      `[translator] threads: expected a whole number from 1 to ${MAX_THREADS}, got ${threads}. Leave it out for all cores.`,
    );
  }
  return createHostedTranslator<NodeSource, ImageInput, Sharp>({
    manifest,
    model,
    source,
    tile,
    ...chooseDevices(device),
    startWorker: (candidate) => startWorker(candidate, threads),
    decode: readPixels,
    encode: toSharp,
    signal,
    onProgress,
  });
}

const gpuTurn = createTurn();
let workers = 0;

function startWorker(device: ConcreteDevice, threads: number): WorkerHandle {
  workers += 1;
  const turn = device === 'webgpu' ? gpuTurn : createTurn();
  const settings: WorkerSettings = { threads, turn, worker: workers };
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: settings,
    // The program's own flags (--input-type, loaders) are not for this file.
    execArgv: [],
  });
  const unguard = guardExit(turn);
  worker.once('exit', () => {
    endTurn(turn, settings.worker);
    unguard();
  });
  return {
    port: {
      post: (message, transfer) => worker.postMessage(message, transfer),
      onMessage: (listener) => worker.on('message', listener),
    },
    onFailure(listener) {
      worker.once('error', (error) => listener(error instanceof Error ? error : new Error(String(error))));
      worker.once('exit', (code) => listener(new Error(`its thread ended with ${code}`)));
    },
    async terminate(idle) {
      // A thread that is ended within a native call takes the whole process along.
      await idle;
      await worker.terminate();
    },
  };
}
