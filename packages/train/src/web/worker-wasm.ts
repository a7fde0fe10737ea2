/**
 * The WebAssembly worker: onnxruntime-web's CPU build, with threads where the page is cross-origin isolated. A
 * worker's entry; not to be imported.
 */
import * as ort from 'onnxruntime-web/wasm';
import { serveTrainer } from './serve-trainer.js';
import { isThreadOfOrt } from './session.js';
import { workerPort } from './worker-port.js';

if (!isThreadOfOrt()) {
  serveTrainer(workerPort(), {
    ort,
    device: 'wasm',
    wasmFile: 'ort-wasm-simd-threaded.wasm',
    // More than four bring little, and a phone's slow cores hold up the fast ones.
    threads: self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1,
  });
}
