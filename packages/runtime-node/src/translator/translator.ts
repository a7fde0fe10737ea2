/**
 * The Node translator: a bundle's folder in, `translate(image)` out. A thin adapter of runtime-core's host: what
 * is Node's own here are the worker threads, the devices and sharp.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import {
  CycleganError,
  chooseModels,
  createHostedTranslator,
  type Manifest,
  type OpenRequest,
  selectPair,
  type Translator,
  type TranslatorOptions,
} from '@cyclegan/runtime-core';
import type { Sharp } from 'sharp';
import { type ImageInput, readPixels, toSharp } from '../images/image.js';
import { preloadSharp } from '../images/sharp.js';
import { type NodeSource, readBundle } from './bundle.js';
import { chooseDevices, machineName } from './devices.js';
import { freeMemory } from './memory.js';
import { defaultWorkers, openPool } from './pools.js';

const MAX_THREADS = 1024;
const MAX_BATCH = 256;

/** Images are paths, bytes of image files, or sharp pipelines; outputs are sharp pipelines over raw pixels. */
export type NodeTranslator = Translator<ImageInput, Sharp>;

export interface NodeTranslatorOptions extends TranslatorOptions {
  /** Of all workers together, on the CPU; default: all cores that this process may use. */
  threads?: number | undefined;
  /**
   * Worker threads that compute side by side, on the CPU; default: one for every four threads. More of them translate
   * more images a second and each image later, and each holds the model once; they start when images wait for them.
   */
  workers?: number | undefined;
  /** The most images of one size that share a run while the workers are busy; default: 1 on the CPU, 4 on GPUs. */
  batch?: number | undefined;
}

/**
 * Opens a bundle in worker threads, which keep the process alive until `dispose()`. Translators over the same model
 * file, device and threads share theirs.
 *
 * `device: 'auto'` tries tensorrt and cuda where their libraries are installed, webgpu where there is a GPU, then cpu;
 * each is taken only if it passes the bundle's self-check, and `info.fallbacks` says why one was not.
 * @param folder what `cyclegan export` wrote
 * @throws CycleganError `bundle`, `device`, `usage`, `aborted`
 */
export async function createTranslator(
  folder: string,
  options: NodeTranslatorOptions = {},
): Promise<NodeTranslator> {
  const { manifest } = await readBundle(folder);
  return openTranslator(manifest, (file) => resolve(folder, file), options);
}

/**
 * As {@link createTranslator}, for a manifest at hand.
 * @param locate where a file of the bundle is, or its bytes
 */
export async function openTranslator(
  manifest: Manifest,
  locate: (file: string) => NodeSource,
  options: NodeTranslatorOptions,
): Promise<NodeTranslator> {
  const { threads = availableParallelism(), batch } = options;
  assertCount('threads', threads, MAX_THREADS);
  const { workers = defaultWorkers(threads) } = options;
  assertCount('workers', workers, MAX_THREADS);
  assertCount('batch', batch, MAX_BATCH);
  const { tile = 'auto', memory = freeMemory(workers), alpha, background } = options;
  const { devices, absence } = chooseDevices(options.device ?? 'auto');
  const candidates = devices.flatMap((device) =>
    chooseModels(manifest, { ...options, device, machine: machineName(device) }).map((chosen) => ({
      ...chosen,
      device,
    })),
  );
  const opening = createHostedTranslator<(typeof candidates)[number], ImageInput, Sharp>({
    manifest,
    candidates,
    absence,
    settings: { tile, memory, alpha, background },
    openPool({ device, model }, onProgress) {
      const source = locate(model.file);
      const pair = locatedPair(manifest, model, locate);
      return openPool({ device, model, source, pair }, { threads, workers, batch }, onProgress);
    },
    decode: readPixels,
    encode: toSharp,
    signal: options.signal,
    onProgress: options.onProgress,
  });
  // The images' library loads while the worker starts on another core.
  setImmediate(preloadSharp);
  return opening;
}

function locatedPair(
  manifest: Manifest,
  model: Parameters<typeof selectPair>[1],
  locate: (file: string) => NodeSource,
): OpenRequest<NodeSource>['pair'] {
  const pair = selectPair(manifest, model);
  if (!pair) return null;
  const { statistics, tile } = pair;
  return {
    statistics: { entry: statistics, source: locate(statistics.file) },
    tile: { entry: tile, source: locate(tile.file) },
  };
}

function assertCount(what: string, count: number | undefined, most: number): void {
  if (count === undefined || (Number.isSafeInteger(count) && count >= 1 && count <= most)) return;
  throw new CycleganError(
    'usage',
    `[translator] ${what}: expected a whole number from 1 to ${most}, got ${count}. Leave it out for what suits the device.`,
  );
}
