/**
 * onnxruntime-web as engines and the exporter take a runtime. Which build of it, and with it the device, is the worker
 * entry's choice. Runs in the worker.
 */
import type { OpenSession } from '@cyclegan/export/web';
import { type DType, type DTypeArrays, type Tensor as TypedTensor, tensor, writeOnnx } from '@cyclegan/graph';
import { CycleganError } from '@cyclegan/runtime-core';
import type * as Ort from 'onnxruntime-web';
import type { OrtRuntime, Tensors } from '../engines/ort/runtime.js';
import { fitWebGpu } from '../engines/ort/webgpu-graph.js';
import type { WebDevice } from './options.js';
import type { OpenRequest } from './protocol.js';

export interface Backend {
  ort: typeof Ort;
  device: WebDevice;
  /** The build's WebAssembly file. */
  wasmFile: string;
  threads: number;
}

/**
 * Whether this worker is one that onnxruntime-web started for a thread of its own: once bundled, it starts the same
 * script again, and in there nothing else may listen.
 */
export function isThreadOfOrt(): boolean {
  return self.name.startsWith('em-pthread');
}

/** To be called once, before any session. @param wasmFolder of an {@link OpenRequest} */
export function prepare({ ort, threads, wasmFile }: Backend, wasmFolder: OpenRequest['wasmFolder']): void {
  // Failures come as errors, with their reason; the console would show them a second time.
  ort.env.logLevel = 'fatal';
  ort.env.wasm.numThreads = threads;
  if (wasmFolder) ort.env.wasm.wasmPaths = { wasm: wasmFolder + wasmFile };
}

/** The device as an engine takes it. */
export function createWebRuntime({ ort, device }: Backend): OrtRuntime {
  return {
    Tensor: ort.Tensor,
    keepsOutputs: device === 'webgpu',
    fillsOutputs: false,
    async open(graph, { what, keep = () => false }) {
      if (device === 'webgpu') fitWebGpu(graph);
      const locations = graph.outputs.map(({ name }) => [name, keep(name) ? 'gpu-buffer' : 'cpu'] as const);
      const session = await ort.InferenceSession.create(writeOnnx(graph), {
        executionProviders: [device],
        graphOptimizationLevel: 'all',
        enableMemPattern: false,
        logSeverityLevel: 4,
        ...(device === 'webgpu' && { preferredOutputLocation: Object.fromEntries(locations) }),
      }).catch((cause: unknown) => {
        throw failure(device, `a session for the ${what}`, cause);
      });
      return {
        async run(feeds) {
          try {
            return (await session.run(feeds)) as Tensors;
          } catch (cause) {
            throw failure(device, `the ${what} to run`, cause);
          }
        },
        release: () => session.release(),
      };
    },
  };
}

/** The CPU of the same build as the exporter takes it: its answers are those that other devices are held against. */
export function sessionOpener({ ort }: Backend): OpenSession {
  return async (model, level) => {
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ['wasm'],
      graphOptimizationLevel: level,
      logSeverityLevel: 4,
    });
    return {
      async run(feeds) {
        const given = Array.from(feeds, ([name, { dtype, shape, data }]) => [
          name,
          new ort.Tensor(dtype, data, shape),
        ]);
        const outputs = Object.entries(await session.run(Object.fromEntries(given)));
        return new Map(outputs.map(([name, output]) => [name, typed(output)]));
      },
      dispose: () => session.release(),
    };
  };
}

function typed({ type, dims, data }: Ort.Tensor): TypedTensor {
  if (type === 'string') throw new Error('internal: a tensor of strings');
  return tensor(type as DType, dims, data as DTypeArrays[DType]);
}

function failure(device: WebDevice, expected: string, cause: unknown): CycleganError {
  const reason = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, ' ');
  return new CycleganError(
    'device',
    `[train] ${device}: expected ${expected}, got: ${reason.replace(/[. ]+$/, '')}. Choose another device, or a smaller size or ngf.`,
    { cause },
  );
}
