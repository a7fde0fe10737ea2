/**
 * TensorFlow.js itself, for running a source model: loaded when it is first wanted, on its WebAssembly backend, or on
 * plain JavaScript for what that has no kernels for. Leaves the process's own choice of backend as it was.
 */
import type * as tfConverter from '@tensorflow/tfjs-converter';
import type * as tfCore from '@tensorflow/tfjs-core';
import type * as tfLayers from '@tensorflow/tfjs-layers';

export type BackendName = 'wasm' | 'cpu';

export interface Tfjs {
  readonly core: typeof tfCore;
  readonly converter: typeof tfConverter;
  readonly layers: typeof tfLayers;
  /** What `run` last ran on: wasm, or cpu once wasm lacked a kernel. */
  readonly backend: BackendName;
  /**
   * Runs work of tfjs whose calls to it all come before its first `await`; once more on plain JavaScript where
   * WebAssembly has no kernel for it, so that the work must bear being repeated. Frees nothing: that is the work's own
   * `tidy`.
   */
  run<T>(work: () => T | Promise<T>): Promise<T>;
}

/**
 * @param first where to begin; default wasm
 * @throws what tfjs throws when it cannot be loaded
 */
export async function loadTfjs(first: BackendName = 'wasm'): Promise<Tfjs> {
  const [core, converter, layers] = await Promise.all([
    import('@tensorflow/tfjs-core'),
    import('@tensorflow/tfjs-converter'),
    import('@tensorflow/tfjs-layers'),
    import('@tensorflow/tfjs-backend-cpu'),
    import('@tensorflow/tfjs-backend-wasm'),
  ]);
  const before = currentBackend(core);
  await core.setBackend('cpu');
  let backend: BackendName = (await core.setBackend('wasm')) ? first : 'cpu';
  restore(core, before);
  return {
    core,
    converter,
    layers,
    get backend() {
      return backend;
    },
    async run(work) {
      try {
        return await within(core, backend, work);
      } catch (error) {
        if (backend === 'cpu' || !/not registered for backend|support/.test(String(error))) throw error;
        backend = 'cpu';
        return await within(core, backend, work);
      }
    },
  };
}

/** Both backends are there by now, so that changing between them is done when the call returns. */
function within<T>(core: typeof tfCore, backend: BackendName, work: () => T): T {
  const before = currentBackend(core);
  const greets = !core.env().getBool('PROD');
  void core.setBackend(backend);
  // Else the cpu backend greets with an advertisement for tfjs-node.
  core.env().set('PROD', true);
  try {
    return work();
  } finally {
    core.env().set('PROD', !greets);
    restore(core, before);
  }
}

/** Asking tfjs itself would choose one where none has been chosen. */
function currentBackend(core: typeof tfCore): string | undefined {
  return core.engine().backendName;
}

function restore(core: typeof tfCore, backend: string | undefined): void {
  if (backend !== undefined) void core.setBackend(backend);
}
