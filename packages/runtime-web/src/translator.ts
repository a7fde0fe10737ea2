/**
 * The browser's translator: a bundle from a URL or from files, any image the browser can draw in, ImageData out.
 * A thin adapter of runtime-core's hosted translator; it computes nothing on the page.
 */
import {
  assertSettings,
  type Candidate,
  type ConcreteDevice,
  CycleganError,
  chooseModels,
  connectWorker,
  createHostedTranslator,
  createPool,
  type Device,
  type TranslatedPixels,
  type Translator,
  type TranslatorOptions,
} from '@cyclegan/runtime-core';
import { type BundleSource, openBundle } from './bundle.js';
import { createDecoder } from './decoder.js';
import { type ImageSource, snapshot } from './image.js';
import type { SessionSource } from './session.js';
import { pageUrl } from './urls.js';
import { startSessionWorker } from './workers.js';

export interface WebTranslatorOptions extends TranslatorOptions {
  /**
   * The folder that holds onnxruntime-web's `ort-wasm-simd-threaded*.wasm`, relative to the page. Left out, the
   * files that the bundler put beside the worker are taken; nothing is ever loaded from a CDN.
   */
  wasmPaths?: string | URL | undefined;
}

/**
 * Output is ImageData of the image's own size, alpha kept, sRGB. Images are read when `translate` is called; a
 * Blob's EXIF orientation is applied.
 */
export type WebTranslator = Translator<ImageSource, ImageData>;

/**
 * Loads a bundle's model and starts it in a worker of its own.
 *
 * `device: 'auto'` tries WebGPU, then WebAssembly; a software WebGPU adapter is passed over, because WebAssembly is
 * faster. `info.fallbacks` says why a device was passed over. `device: 'webgpu'` takes any adapter.
 * @param bundle the URL of a bundle's folder or manifest (same origin, or one that allows CORS), or its files
 * @throws CycleganError `usage` (options), `bundle` (missing, damaged or newer), `device`, `aborted`
 */
export async function createTranslator(
  bundle: BundleSource,
  options: WebTranslatorOptions = {},
): Promise<WebTranslator> {
  const { device = 'auto', tile = 'auto', memory, alpha, background } = options;
  const settings = { tile, memory, alpha, background };
  // Before anything is loaded for options that cannot be meant.
  const devices = devicesFor(device);
  assertSettings(settings);
  const { manifest, readModel } = await openBundle(bundle, options.signal);
  // A page cannot tell what processor it runs on, so that the choice is the same for every device.
  const candidates = devices.flatMap((each) =>
    chooseModels(manifest, { ...options, device: each, machine: undefined }).map((chosen) => ({
      ...chosen,
      device: each,
    })),
  );
  const [first] = candidates;
  if (!first) throw new Error('internal: no candidates');
  const source: SessionSource = {
    file: await readModel(first.model, options),
    wasmFolder: options.wasmPaths === undefined ? undefined : pageUrl(options.wasmPaths, '/'),
    softwareAdapter: device === 'webgpu',
  };
  const decoder = createDecoder();
  const hosted = await createHostedTranslator<Candidate, ReturnType<typeof snapshot>, ImageData>({
    manifest,
    candidates,
    settings,
    openPool: ({ device: on, model }, onProgress) =>
      createPool({
        requests: [{ device: on, model, source, pair: null, threads: undefined }],
        batch: 1,
        connect: () => connectWorker(on, startSessionWorker(on)),
        onProgress,
      }),
    decode: async (image) => decoder.decode(await image),
    encode: toImageData,
    signal: options.signal,
    onProgress: options.onProgress,
  }).catch((error) => {
    decoder.dispose();
    throw error;
  });
  return {
    ...hosted,
    async translate(image, call) {
      const taken = snapshot(image);
      // The call may end before it looks at the snapshot, whose failure is then nobody's.
      taken.catch(() => undefined);
      return hosted.translate(taken, call);
    },
    async dispose() {
      decoder.dispose();
      await hosted.dispose();
    },
  };
}

function devicesFor(device: Device): ConcreteDevice[] {
  if (device === 'auto') return ['webgpu', 'wasm'];
  if (device === 'webgpu' || device === 'wasm') return [device];
  throw new CycleganError(
    'usage',
    `[translator] device: expected auto, webgpu or wasm in a browser, got ${device}. Choose one of those.`,
  );
}

/** Every image enters as RGBA, so the answer is RGBA too and needs no copy. */
function toImageData({ data, width, height }: TranslatedPixels): ImageData {
  return new ImageData(new Uint8ClampedArray(data.buffer), width, height);
}
