/** The translator and its page: never in its way, open about the device, and gone when it is disposed. */
import { createTranslator } from '@cyclegan/runtime-web';
import { afterEach, expect, it, vi } from 'vitest';
import { imageData, TINY } from './support.ts';

const RealWorker = globalThis.Worker;
afterEach(() => {
  globalThis.Worker = RealWorker;
  vi.restoreAllMocks();
});

/** Lets a test choose another script for the WebGPU worker. */
function replaceWebGpuWorker(script: (original: string) => string): void {
  globalThis.Worker = class extends RealWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(options?.name === 'cyclegan-webgpu' ? script(String(url)) : url, options);
    }
  };
}

it('runs in a page that may have threads', async () => {
  expect(globalThis.crossOriginIsolated).toBe(true);
  const translator = await createTranslator(TINY, { device: 'wasm' });
  expect(translator.info.threads).toBe(Math.min(4, navigator.hardwareConcurrency));
  await translator.dispose();
});

it('leaves the page free while it loads and while it translates', async () => {
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  });
  const translator = await createTranslator(TINY, { device: 'wasm', tile: 64 });
  expect(ticks).toBeGreaterThan(10);
  ticks = 0;
  await translator.translate(imageData(600, 400));
  expect(ticks).toBeGreaterThan(10);
  clearInterval(timer);
  await translator.dispose();
});

it('passes over a software adapter, with the reason', async () => {
  const adapter = await navigator.gpu?.requestAdapter();
  const { device, fallbacks } = await createTranslator(TINY).then(async (translator) => {
    await translator.dispose();
    return translator.info;
  });
  if (adapter && !adapter.info.isFallbackAdapter) {
    expect({ device, fallbacks }).toEqual({ device: 'webgpu', fallbacks: [] });
  } else {
    expect(device).toBe('wasm');
    expect(fallbacks).toEqual([
      { device: 'webgpu', reason: expect.stringMatching(/expected a GPU, got (none|one in software)/) },
    ]);
  }
});

it('says so where there is no WebGPU', async () => {
  const hide = module("Object.defineProperty(WorkerNavigator.prototype, 'gpu', { value: undefined });");
  replaceWebGpuWorker((original) => module(`import '${hide}'; import '${original}';`));
  const translator = await createTranslator(TINY);
  await translator.dispose();
  expect(translator.info.device).toBe('wasm');
  expect(translator.info.fallbacks[0]?.reason).toMatch(/got a browser without WebGPU/);
  await expect(createTranslator(TINY, { device: 'webgpu' })).rejects.toMatchObject({
    name: 'CycleganError',
    code: 'device',
    message: expect.stringMatching(/webgpu .*without WebGPU/),
  });
});

it('goes on to the next device when a worker does not start', async () => {
  replaceWebGpuWorker(() => module('throw new Error("no luck")'));
  const translator = await createTranslator(TINY);
  await translator.dispose();
  expect(translator.info.device).toBe('wasm');
  expect(translator.info.fallbacks).toEqual([
    { device: 'webgpu', reason: expect.stringMatching(/expected its worker to live, got ".*no luck/) },
  ]);
});

it('refuses devices that a browser has not', async () => {
  await expect(createTranslator(TINY, { device: 'cuda' })).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(/expected auto, webgpu or wasm/),
  });
});

it('takes the .wasm files from the folder it is given, and from nowhere else', async () => {
  const file = new URL(
    '../../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm',
    import.meta.url,
  );
  const wasmPaths = new URL('.', file);
  const translator = await createTranslator(TINY, { device: 'wasm', wasmPaths });
  await translator.dispose();
  await expect(
    createTranslator(TINY, { device: 'wasm', wasmPaths: '/no-such-folder' }),
  ).rejects.toMatchObject({ code: 'device' });
});

it('ends every worker that it started', async () => {
  const ended = vi.spyOn(RealWorker.prototype, 'terminate');
  let started = 0;
  globalThis.Worker = class extends RealWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      started += 1;
    }
  };
  const translator = await createTranslator(TINY);
  await translator.translate(imageData(16, 16));
  await translator.dispose();
  expect(started).toBeGreaterThanOrEqual(3);
  expect(new Set(ended.mock.contexts).size).toBe(started);
  await expect(translator.translate(imageData(16, 16))).rejects.toMatchObject({ code: 'usage' });
});

function module(code: string): string {
  return URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
}
