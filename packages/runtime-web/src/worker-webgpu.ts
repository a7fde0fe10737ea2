/**
 * The WebGPU worker: onnxruntime-web's WebGPU build on the adapter that the browser offers, if it offers one worth
 * having. A worker's entry; not to be imported.
 */
import { CycleganError, serveTranslator } from '@cyclegan/runtime-core';
import * as ort from 'onnxruntime-web/webgpu';
import { isThreadOfOrt, type SessionSource, sessionOpener } from './session.js';
import { workerPort } from './worker-port.js';

/** @throws CycleganError `device` */
async function probe({ softwareAdapter }: SessionSource): Promise<void> {
  // Absent in browsers without WebGPU and on insecure origins, whatever the type says.
  const gpu: GPU | undefined = navigator.gpu;
  const adapter = await gpu?.requestAdapter();
  if (!adapter) {
    throw gpu
      ? noDevice('none', 'Update the browser or the graphics driver.')
      : noDevice('a browser without WebGPU', 'Use a recent one, over HTTPS.');
  }
  const { isFallbackAdapter, architecture, description } = adapter.info;
  const software =
    isFallbackAdapter || /swiftshader|llvmpipe|lavapipe/i.test(`${architecture} ${description}`);
  if (software && !softwareAdapter) {
    const name = description || architecture || 'unnamed';
    throw noDevice(
      `one in software (${name})`,
      'WebAssembly is faster; ask for webgpu to use it all the same.',
    );
  }
}

function noDevice(got: string, fix: string): CycleganError {
  return new CycleganError('device', `[webgpu] adapter: expected a GPU, got ${got}. ${fix}`);
}

if (!isThreadOfOrt()) {
  const open = sessionOpener({
    ort,
    provider: 'webgpu',
    wasmFile: 'ort-wasm-simd-threaded.asyncify.wasm',
    threads: 1,
    probe,
  });
  serveTranslator(workerPort(), open);
}
