/** The page's end of the line to a worker that trains: started, called, and ended at any moment. */
import { CycleganError, connect, type Link } from '@cyclegan/runtime-core';
import type { WebDevice } from './options.js';
import type { PageFunctions, TrainingEvent, WorkerFunctions } from './protocol.js';

export interface TrainerWorker {
  readonly device: WebDevice;
  /** @throws CycleganError the one that ended it */
  readonly remote: Link<WorkerFunctions>['remote'];
  /** Told of what a call reports. */
  readonly listeners: Map<number, (event: TrainingEvent) => void>;
  /** Ends the worker at once, whatever it computes; calls that wait reject with the error. Idempotent. */
  end(error: CycleganError): void;
}

/** Starts the device's worker, in the one form that bundlers recognise. */
export function startTrainerWorker(device: WebDevice): TrainerWorker {
  const worker =
    device === 'webgpu'
      ? new Worker(new URL('./worker-webgpu.js', import.meta.url), {
          type: 'module',
          name: 'cyclegan-train-webgpu',
        })
      : new Worker(new URL('./worker-wasm.js', import.meta.url), {
          type: 'module',
          name: 'cyclegan-train-wasm',
        });
  const listeners: TrainerWorker['listeners'] = new Map();
  const link = connect<WorkerFunctions, PageFunctions>(
    // As a microtask of its own, so that what a listener throws surfaces as from any event listener.
    { report: (id, event) => queueMicrotask(() => listeners.get(id)?.(event)) },
    {
      // Copied, not moved: the page shows these images.
      post: (message) => worker.postMessage(message),
      onMessage: (listener) => worker.addEventListener('message', (event) => listener(event.data)),
    },
  );
  let ended: CycleganError | undefined;
  const end = (error: CycleganError) => {
    ended ??= error;
    link.close(ended);
    worker.terminate();
  };
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    // A script that cannot be fetched fires a bare event.
    const reason = event.message || 'a worker script that could not be loaded';
    end(
      new CycleganError(
        'device',
        `[train] ${device}: expected its worker to live, got "${reason}". Choose another device, or a smaller size or ngf.`,
      ),
    );
  });
  return {
    device,
    get remote() {
      if (ended) throw ended;
      return link.remote;
    },
    listeners,
    end,
  };
}
