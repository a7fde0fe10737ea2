/** Which device a page trains on when it leaves the choice open, and what becomes of one that lies. */
import { createTrainer, type TrainerInfo, type WebDevice } from '@cyclegan/train/web';
import { afterEach, expect, it } from 'vitest';
import { pictureSets } from './web-support.ts';

const RealWorker = globalThis.Worker;
afterEach(() => {
  globalThis.Worker = RealWorker;
  // The instance's own property hid the prototype's.
  Reflect.deleteProperty(navigator, 'gpu');
});

/** The page's adapters for one test. */
function pretendAdapter(adapter: object | null): void {
  const gpu = { requestAdapter: async () => adapter };
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
}

/** Lets WebAssembly stand for WebGPU, which here has software adapters alone; `before` runs ahead of it. */
function pretendWebGpu(before: string): void {
  pretendAdapter({ info: { isFallbackAdapter: false, architecture: 'pretended', description: '' } });
  globalThis.Worker = class extends RealWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      const wasm = String(url).replace('worker-webgpu', 'worker-wasm');
      const script = `${before}; await import(${JSON.stringify(wasm)});`;
      // Nothing sent to the worker before it listens may be lost.
      const held = `const early = []; const hold = (e) => early.push(e.data); self.addEventListener('message', hold); ${script} self.removeEventListener('message', hold); for (const data of early) self.dispatchEvent(new MessageEvent('message', { data }));`;
      const blob = new Blob([held], { type: 'text/javascript' });
      super(options?.name === 'cyclegan-train-webgpu' ? URL.createObjectURL(blob) : url, options);
    }
  };
}

async function infoOf(device?: WebDevice): Promise<TrainerInfo> {
  const run = { size: 24, ngf: 4, blocks: 0, steps: 2, device };
  const trainer = await createTrainer({ ...pictureSets(2, 27, 27), ...run });
  await trainer.train();
  trainer.dispose();
  return trainer.info;
}

it.each([
  ['a software adapter', { info: { isFallbackAdapter: false, architecture: 'swiftshader' } }, /in software/],
  ['a fallback adapter', { info: { isFallbackAdapter: true, architecture: '' } }, /in software/],
  ['no adapter', null, /no GPU/],
])('passes over %s, with the reason', async (_name, adapter, reason) => {
  pretendAdapter(adapter);
  const { device, threads, tried } = await infoOf();
  expect(device).toBe('wasm');
  expect(threads).toBe(Math.min(4, navigator.hardwareConcurrency));
  expect(tried).toEqual([{ device: 'webgpu', reason: expect.stringMatching(reason) }, { device: 'wasm' }]);
});

it('says so where WebGPU is asked for and is not there', async () => {
  Object.defineProperty(navigator, 'gpu', { value: undefined, configurable: true });
  await expect(infoOf('webgpu')).rejects.toMatchObject({
    code: 'device',
    message: expect.stringMatching(/expected a GPU, got a browser without WebGPU/),
  });
  expect((await infoOf()).device).toBe('wasm');
});

it('takes WebGPU where a trial gives the same losses in less time', async () => {
  // Its clock in the worker runs a thousand times slower, so that it is the faster one for sure.
  pretendWebGpu('const now = performance.now.bind(performance); performance.now = () => now() / 1000');
  const { device, tried } = await infoOf();
  expect(device).toBe('webgpu');
  expect(tried).toMatchObject([
    { device: 'webgpu', stepMs: expect.any(Number), reason: undefined },
    { device: 'wasm', stepMs: expect.any(Number), reason: 'webgpu is faster' },
  ]);
});

it('does not take a WebGPU whose losses are others', async () => {
  pretendWebGpu(
    'const post = self.postMessage.bind(self); self.postMessage = (m, o) => { for (const l of m?.r?.losses ?? []) l.cycle_A *= 1.1; post(m, o); }',
  );
  const { device, tried } = await infoOf();
  expect(device).toBe('wasm');
  expect(tried[0]).toMatchObject({ device: 'webgpu', reason: 'its losses are not those of wasm' });
});

it('trains on WebAssembly where the WebGPU worker does not start', async () => {
  pretendWebGpu('throw new Error("no luck")');
  const { device, tried } = await infoOf();
  expect(device).toBe('wasm');
  expect(tried[0]?.reason).toMatch(/expected its worker to live, got ".*no luck/);
});
