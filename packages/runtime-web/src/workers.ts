/**
 * Starting the package's workers, in the one form that bundlers recognise: each `new Worker(new URL(…))` spelled
 * out. The two backends have an entry each, so that only the chosen one's WebAssembly is ever loaded.
 */
import type { ConcreteDevice, WorkerHandle } from '@cyclegan/runtime-core';

/** A fresh worker for one attempt at a session. */
export function startSessionWorker(device: ConcreteDevice): WorkerHandle {
  return handle(
    device === 'webgpu'
      ? new Worker(new URL('./worker-webgpu.js', import.meta.url), {
          type: 'module',
          name: 'cyclegan-webgpu',
        })
      : new Worker(new URL('./worker-wasm.js', import.meta.url), { type: 'module', name: 'cyclegan-wasm' }),
  );
}

export function startDecodeWorker(): WorkerHandle {
  return handle(
    new Worker(new URL('./decode-worker.js', import.meta.url), { type: 'module', name: 'cyclegan-decode' }),
  );
}

function handle(worker: Worker): WorkerHandle {
  return {
    port: {
      post: (message, transfer) => worker.postMessage(message, [...transfer, ...bitmaps(message)]),
      onMessage: (listener) => worker.addEventListener('message', (event) => listener(event.data)),
    },
    onFailure(listener) {
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        // A script that cannot be fetched fires a bare event.
        listener(new Error(event.message || 'a worker script that could not be loaded'));
      });
    },
    async terminate() {
      worker.terminate();
    },
  };
}

/** Bitmaps among a call's arguments, to be moved: a copy would be made on the page's thread. */
function bitmaps(message: unknown): ImageBitmap[] {
  const { a: values = [] } = message as { a?: unknown[] };
  return values.filter((value) => value instanceof ImageBitmap);
}
