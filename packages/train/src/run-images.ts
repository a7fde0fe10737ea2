/**
 * A run's images: both sets opened and measured, batches and samples drawn from them, all by the run's config. Trains
 * nothing.
 */
import { realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { discriminatorMinSize, minSize, sizeMultiple } from '@cyclegan/model';
import { CycleganError } from '@cyclegan/runtime-core';
import { type RunConfig, trainingSize } from './config/index.js';
import {
  createDataSource,
  type ImageSet,
  loadImages,
  openImageSet,
  planCache,
  trainingShape,
} from './data/index.js';
import type { DataSource } from './feed/batches.js';
import type { TrainEvent } from './train-events.js';
import type { Samples } from './training-loop.js';

const sampleImages = 4;

/** The images of both domains. */
export type Sets = { A: ImageSet; B: ImageSet };

/**
 * Opens both sets.
 * @throws CycleganError `output` for a run folder among the images, and what {@link openImageSet} throws
 */
export async function openSets(options: {
  a: string;
  b: string;
  out: string;
  maxImages: number | undefined;
  emit: (event: TrainEvent) => void;
  signal: AbortSignal | undefined;
}): Promise<Sets> {
  const { a, b, out, maxImages, emit, signal } = options;
  const open = (domain: 'A' | 'B', path: string) =>
    openImageSet({
      path,
      domain,
      maxImages,
      onWarning: (message) => emit({ type: 'warning', message }),
      onProgress: (at) => emit({ type: 'scan', ...at }),
      signal,
    });
  await refuseInside(out, [a, b]);
  return { A: await open('A', a), B: await open('B', b) };
}

/** A run's samples among the training images would be trained on when it is resumed. */
async function refuseInside(run: string, folders: readonly string[]): Promise<void> {
  const real = (path: string) => realpath(path).catch(() => resolve(path));
  for (const folder of folders) {
    if (`${await real(run)}${sep}`.startsWith(`${await real(folder)}${sep}`)) {
      throw new CycleganError(
        'output',
        `[train] ${run}: expected a run folder outside the images, got one in ${folder}. Choose another --out.`,
      );
    }
  }
}

/**
 * What a step's images measure, which only the images can tell where they are not cropped.
 * @throws CycleganError `usage` for sizes that the networks cannot take, `input` as {@link trainingShape}
 */
export async function measureSets(
  config: RunConfig,
  { A, B }: Sets,
  emit: (event: TrainEvent) => void,
  signal: AbortSignal | undefined,
): Promise<{ height: number; width: number }> {
  const { generator, discriminator } = config.networks;
  const shape = await trainingShape(A, B, {
    preprocess: config.preprocess,
    size: config.size,
    loadSize: config.loadSize,
    multiple: sizeMultiple(generator),
    onProgress: (at) => emit({ type: 'scan', ...at }),
    signal,
  });
  const least = Math.max(minSize(generator), discriminatorMinSize(discriminator));
  if (Math.min(shape.height, shape.width) < least || Math.max(shape.height, shape.width) > 2048) {
    throw new CycleganError(
      'usage',
      `[train] preprocess ${config.preprocess}: expected images that come to sides from ${least} to 2048 px, got ${shape.width}×${shape.height}. Crop, or scale them.`,
    );
  }
  return shape;
}

/** @param stepsPerRun steps that the engine takes at once, all of which must be decoded ahead */
export function openData(
  config: RunConfig,
  sets: Sets,
  stepsPerRun: number,
  onWarning: (message: string) => void,
): DataSource {
  const { inputChannels, outputChannels } = config.networks.generator;
  return createDataSource({
    a: sets.A,
    b: sets.B,
    preprocess: config.preprocess,
    ...trainingSize(config),
    loadSize: config.loadSize,
    batch: config.batch,
    seed: config.seed,
    flip: config.flip,
    pairing: config.pairing,
    channels: { a: inputChannels, b: outputChannels },
    cache: config.cache ?? undefined,
    prefetch: 4 * stepsPerRun,
    onWarning,
  });
}

/** The same few images at every sample, spread over each set. */
export async function loadSamples(sets: Sets, config: RunConfig): Promise<Samples> {
  const size = trainingSize(config);
  const { inputChannels, outputChannels } = config.networks.generator;
  const count = Math.min(sampleImages, sets.A.files.length, sets.B.files.length);
  const a = await loadImages(sets.A, { ...size, channels: inputChannels, count });
  const b = await loadImages(sets.B, { ...size, channels: outputChannels, count });
  return { a: a.images, b: b.images, count, ...size };
}

/** The run in one sentence. */
export function describe(config: RunConfig, { A, B }: Sets): string {
  const { generator } = config.networks;
  const { height, width } = trainingSize(config);
  const kind =
    generator.kind === 'resnet' ? `${generator.blocks} blocks` : `unet of ${generator.downs} halvings`;
  const skipped = A.skipped + B.skipped;
  const left = skipped > 0 ? ` (${skipped} files skipped)` : '';
  return `${A.files.length} images of A and ${B.files.length} of B${left}; ${width}×${height} px, ngf ${generator.ngf}, ${kind}, batch ${config.batch}, ${config.steps} steps.`;
}

/**
 * What the cache of decoded images will take, in one sentence.
 * @throws CycleganError `output` where the disk is too small for it
 */
export async function describeCache(config: RunConfig, cache: string, { A, B }: Sets): Promise<string> {
  const { preprocess, loadSize } = config;
  const { bytes, missing, free } = await planCache({
    a: A,
    b: B,
    cache,
    preprocess,
    loadSize,
    ...trainingSize(config),
  });
  const megabytes = (size: number) => `${Math.ceil(size / 2 ** 20)} MB`;
  if (missing > free) {
    throw new CycleganError(
      'output',
      `[train] cache, ${cache}: expected ${megabytes(missing)} of free disk for the decoded images, got ${megabytes(free)}. Choose another disk, or train without --cache.`,
    );
  }
  return `Decoded images go into ${cache}: some ${megabytes(bytes)} when all are there.`;
}
