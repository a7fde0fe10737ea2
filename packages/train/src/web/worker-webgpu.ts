/** The WebGPU worker: onnxruntime-web's WebGPU build. A worker's entry; not to be imported. */
import * as ort from 'onnxruntime-web/webgpu';
import { serveTrainer } from './serve-trainer.js';
import { isThreadOfOrt } from './session.js';
import { workerPort } from './worker-port.js';

if (!isThreadOfOrt()) {
  serveTrainer(workerPort(), {
    ort,
    device: 'webgpu',
    wasmFile: 'ort-wasm-simd-threaded.asyncify.wasm',
    threads: 1,
  });
}
