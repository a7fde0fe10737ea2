/**
 * Training in a page: images in, losses and samples out, a bundle in the end. All of it happens in a worker; here are
 * the calls to it, and what must be right before images are copied.
 */
import { CycleganError, throwIfAborted } from '@cyclegan/runtime-core';
import { checkSets } from './check-images.js';
import { chooseWorker } from './choose-worker.js';
import {
  type BundleOptions,
  type TrainCallOptions,
  type TrainedBundle,
  type TrainerInfo,
  type TrainerOptions,
  type TrainingImage,
  type WebTrainResult,
  webRunOptionNames,
} from './options.js';
import type { ImageSetName, SampleMessage, TrainingEvent } from './protocol.js';
import type { TrainerWorker } from './trainer-worker.js';

/** Holds a worker with networks, optimisers and images until it is disposed. */
export interface WebTrainer {
  readonly info: TrainerInfo;
  /**
   * Trains to the last step, or until the signal; called again it goes on, exactly as if it had never stopped. One
   * call at a time.
   * @throws CycleganError `run` when the losses are no numbers any more, `device`, `usage`; `aborted` on disposal
   */
  train(options?: TrainCallOptions): Promise<WebTrainResult>;
  /**
   * The generators as they are now, between two steps where it is training: for runtime-web's `createTranslator`, and
   * to be saved as a folder for any other program of this project.
   * @throws CycleganError `bundle` when the networks answer with no numbers, `usage`, `device`
   */
  bundle(options?: BundleOptions): Promise<TrainedBundle>;
  /** Ends the worker at once. What was not bundled is lost. Idempotent. */
  dispose(): void;
}

/**
 * Copies the images into a worker of their own, one at a time, and makes everything ready to train.
 *
 * `device: 'auto'` takes WebGPU only where three trial steps on it give WebAssembly's losses, in less time; `info.tried`
 * says what came of it. Software adapters are passed over.
 * @throws CycleganError `usage` (options), `input` (images), `device`, `aborted`
 */
export async function createTrainer(options: TrainerOptions): Promise<WebTrainer> {
  const { a, b, samples = {}, sampleEvery, device = 'auto', wasmPaths, signal, ...run } = options;
  const sets: Record<ImageSetName, readonly TrainingImage[]> = {
    a,
    b,
    sampleA: samples.a ?? [],
    sampleB: samples.b ?? [],
  };
  if (device !== 'auto' && device !== 'webgpu' && device !== 'wasm') {
    throw refused('device', 'auto, webgpu or wasm in a browser', device);
  }
  const known: readonly string[] = webRunOptionNames;
  const unknown = Object.keys(run).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw refused('options', known.join(', '), unknown, 'Leave it out; listeners are for train().');
  }
  checkSets(sets);
  throwIfAborted(signal, '[train] preparation');
  const workers: TrainerWorker[] = [];
  const stop = () => {
    const cause = signal?.reason;
    const error = new CycleganError('aborted', '[train] preparation: stopped on request.', { cause });
    for (const worker of workers) worker.end(error);
  };
  signal?.addEventListener('abort', stop);
  try {
    const request = {
      options: run,
      sampleEvery,
      counts: { a: a.length, b: b.length, sampleA: sets.sampleA.length, sampleB: sets.sampleB.length },
      wasmFolder: wasmPaths === undefined ? undefined : folderUrl(wasmPaths),
    };
    const { worker, opened, tried } = await chooseWorker(device, request, (started) => {
      workers.push(started);
      if (signal?.aborted) stop();
    });
    for (const [to, images] of Object.entries(sets) as [ImageSetName, readonly TrainingImage[]][]) {
      for (const image of images) await worker.remote.add(to, copyable(image));
    }
    return trainerOf(worker, { device: worker.device, tried, ...opened });
  } catch (error) {
    stop();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function trainerOf(worker: TrainerWorker, info: TrainerInfo): WebTrainer {
  let nextId = 1;
  let training = false;
  return {
    info,
    async train({ signal, onProgress, onSample } = {}) {
      if (training)
        throw refused('train', 'one call at a time', 'a second one', 'Stop the first by its signal.');
      const id = nextId++;
      const { remote } = worker;
      const stop = () => void remote.abort(id);
      worker.listeners.set(id, (event: TrainingEvent) => {
        if ('progress' in event) onProgress?.(event.progress);
        else onSample?.(sampleOf(event.sample));
      });
      training = true;
      try {
        signal?.addEventListener('abort', stop);
        return await remote.train(id, {
          stopped: signal?.aborted ?? false,
          samples: onSample !== undefined,
        });
      } finally {
        training = false;
        signal?.removeEventListener('abort', stop);
        worker.listeners.delete(id);
      }
    },
    async bundle(options = {}) {
      const { name, licence } = options;
      if (name !== undefined && (name.length < 1 || name.length > 200)) {
        throw refused('name', 'from 1 to 200 characters', `${name.length}`);
      }
      if (licence !== undefined && licence.length > 200) {
        throw refused('licence', 'at most 200 characters', `${licence.length}`);
      }
      return worker.remote.bundle({ name, licence });
    },
    dispose() {
      worker.end(new CycleganError('aborted', '[train] trainer: it was disposed.'));
    },
  };
}

/** What a copy of takes no more than its own pixels: a view's would be of all that it is a view of. */
function copyable(image: TrainingImage): TrainingImage {
  if (!('channels' in image)) return image;
  const { width, height, channels, data } = image;
  return { width, height, channels, data: data.length < data.buffer.byteLength ? data.slice() : data };
}

function sampleOf({ step, AtoB, BtoA }: SampleMessage) {
  const toImageData = ({ data, width, height }: SampleMessage['AtoB'][number]) =>
    new ImageData(Uint8ClampedArray.from(data), width, height);
  return { step, AtoB: AtoB.map(toImageData), BtoA: BtoA.map(toImageData) };
}

function folderUrl(address: string | URL): string {
  const url = new URL(address, globalThis.document?.baseURI ?? globalThis.location.href);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url.href;
}

function refused(what: string, expected: string, got: string, fix = 'Choose another value.'): CycleganError {
  return new CycleganError('usage', `[train] ${what}: expected ${expected}, got ${got}. ${fix}`);
}
