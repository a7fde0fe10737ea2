/**
 * What `toFixedSize` is for: WebGPU's graph capture, which records a session's commands once and plays them again. In a
 * real browser, on a software adapter where there is no other.
 */
import * as ort from 'onnxruntime-web/webgpu';
import { describe, expect, it } from 'vitest';
import { commands } from 'vitest/browser';
import { fromBase64, toBase64 } from '../../../test/browser/bytes.ts';

const adapter = await navigator.gpu?.requestAdapter();
// Made by export-bundle.setup.ts.
const FIXED = new URL('../../../test/fixtures/exported/AtoB.fp32.32x24.onnx', import.meta.url).href;
const dims = [1, 3, 24, 32];
const size = 4 * 3 * 24 * 32;

describe.skipIf(!adapter)('a graph of one size on WebGPU', () => {
  it('is captured, and played again for other images', async () => {
    const session = await ort.InferenceSession.create(FIXED, {
      executionProviders: ['webgpu'],
      enableGraphCapture: true,
      // onnxruntime-web 1.30 plays again into this buffer of its own alone: one of the caller's keeps the first answer.
      preferredOutputLocation: 'gpu-buffer',
    });
    const device = await ort.env.webgpu.device;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const from = device.createBuffer({ size, usage });
    const image = ort.Tensor.fromGpuBuffer(from, { dataType: 'float32', dims });
    for (const seed of [1, 2]) {
      const data = Float32Array.from({ length: size / 4 }, (_, i) => Math.sin(seed * i * 0.37));
      device.queue.writeBuffer(from, 0, data);
      const { translation } = await session.run({ image });
      if (translation?.location !== 'gpu-buffer') throw new Error('the translation left the GPU');
      const got = new Float32Array(await read(device, translation.gpuBuffer));
      const golden = await commands.runInNode({
        bundle: 'exported/bundle',
        file: 'AtoB.fp32.onnx',
        input: 'image',
        output: 'translation',
        data: toBase64(data),
        dims,
      });
      const expected = new Float32Array(fromBase64(golden).buffer);
      const off = expected.map((value, i) => Math.abs(value - (got[i] ?? Number.NaN)));
      expect(Math.max(...off), `image ${seed}`).toBeLessThan(2e-3);
    }
    await session.release();
    from.destroy();
  });
});

async function read(device: GPUDevice, buffer: GPUBuffer): Promise<ArrayBuffer> {
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const copy = staging.getMappedRange().slice(0);
  staging.destroy();
  return copy;
}
