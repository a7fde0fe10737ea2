/**
 * The WebAssembly worker: onnxruntime-web's CPU build, with threads where the page is cross-origin isolated. A
 * worker's entry; not to be imported.
 */
import { serveTranslator } from '@cyclegan/runtime-core';
import * as ort from 'onnxruntime-web/wasm';
import { isThreadOfOrt, sessionOpener } from './session.js';
import { workerPort } from './worker-port.js';

if (!isThreadOfOrt()) {
  const open = sessionOpener({
    ort,
    provider: 'wasm',
    wasmFile: 'ort-wasm-simd-threaded.wasm',
    // More than four bring little, and a phone's slow cores hold up the fast ones.
    threads: self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1,
  });
  serveTranslator(workerPort(), open);
}
