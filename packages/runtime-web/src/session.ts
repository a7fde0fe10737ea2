/**
 * An onnxruntime-web session as runtime-core's worker wants it. Runs in the worker; which build of onnxruntime-web
 * it is, and with it the backend, is the entry's choice.
 */
import {
  CycleganError,
  type ModelEntry,
  type OpenSession,
  type Planes,
  type Session,
  splitPlanes,
  stackPlanes,
} from '@cyclegan/runtime-core';
import type * as Ort from 'onnxruntime-web';

/** What a session worker is sent besides the manifest's entry. */
export interface SessionSource {
  /** The ONNX file, already checked. */
  file: Blob;
  /** URL, with a slash at its end, of the folder of the .wasm files; undefined: beside the worker. */
  wasmFolder: string | undefined;
  /** Whether WebGPU may run on an adapter that is software. */
  softwareAdapter: boolean;
}

export interface Backend {
  ort: typeof Ort;
  provider: 'webgpu' | 'wasm';
  /** The build's WebAssembly file. */
  wasmFile: string;
  threads: number;
  /** Throws what stands against this backend here, before anything large is loaded. */
  probe?(source: SessionSource): Promise<void>;
}

/**
 * Whether this worker is one that onnxruntime-web started for a thread of its own: once bundled, it starts the
 * same script again, and in there nothing else may listen.
 */
export function isThreadOfOrt(): boolean {
  return self.name.startsWith('em-pthread');
}

export function sessionOpener({
  ort,
  provider,
  wasmFile,
  threads,
  probe,
}: Backend): OpenSession<SessionSource> {
  return async ({ model, source }) => {
    await probe?.(source);
    ort.env.logLevel = 'error';
    ort.env.wasm.numThreads = threads;
    if (source.wasmFolder) ort.env.wasm.wasmPaths = { wasm: source.wasmFolder + wasmFile };
    const bytes = new Uint8Array(await source.file.arrayBuffer());
    const session = await ort.InferenceSession.create(bytes, { executionProviders: [provider] });
    return {
      threads,
      run: runner(ort, session, model),
      tiles: null,
      release: () => session.release(),
    };
  };
}

function runner(ort: typeof Ort, session: Ort.InferenceSession, model: ModelEntry): Session['run'] {
  return async (batch: readonly Planes[]) => {
    const { data, dims } = stackPlanes(batch);
    const input = new ort.Tensor('float32', data, dims);
    const { [model.output.name]: output } = await session.run({ [model.input.name]: input });
    const answers = splitPlanes(output, batch.length);
    if (!answers) {
      throw new CycleganError(
        'bundle',
        `[session] ${model.file}: expected output ${model.output.name} as float32 [${batch.length}, C, H, W], got ${output?.type ?? 'none'} [${output?.dims.join(', ') ?? ''}]. Export the bundle again.`,
      );
    }
    return answers;
  };
}
