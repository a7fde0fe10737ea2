/** The options of a run as a user gives them, and what is wrong with one whatever the folders hold. */
import { CycleganError } from '@cyclegan/runtime-core';
import type { PresetName } from './presets.js';
import type { preprocessModes, RunConfig } from './schema.js';

/** What is left out comes from the preset, or from the reference. */
export interface RunOptions {
  preset?: PresetName | undefined;
  size?: number | undefined;
  loadSize?: number | undefined;
  preprocess?: (typeof preprocessModes)[number] | undefined;
  flip?: boolean | undefined;
  /** A and B by the same index, instead of a random B for each A. */
  serial?: boolean | undefined;
  maxImages?: number | undefined;
  /** Folder for decoded pictures, so that later epochs need not decode. */
  cache?: string | undefined;
  /** `unet` takes as many halvings as the size allows, up to 8. */
  generator?: 'resnet' | 'resnet_6' | 'resnet_9' | 'unet' | 'unet_128' | 'unet_256' | undefined;
  ngf?: number | undefined;
  blocks?: number | undefined;
  discriminator?: 'basic' | 'n_layers' | 'pixel' | undefined;
  ndf?: number | undefined;
  dLayers?: number | undefined;
  norm?: 'instance' | 'batch' | 'none' | undefined;
  dropout?: boolean | undefined;
  upsample?: 'transpose' | 'resize' | undefined;
  channelsA?: number | undefined;
  channelsB?: number | undefined;
  init?: RunConfig['init']['type'] | undefined;
  initGain?: number | undefined;
  initFrom?: string | undefined;
  steps?: number | undefined;
  decaySteps?: number | undefined;
  epochs?: number | undefined;
  decayEpochs?: number | undefined;
  batch?: number | undefined;
  seed?: number | undefined;
  engine?: 'ort' | 'tfjs' | undefined;
  device?: 'auto' | 'cpu' | 'cuda' | 'webgpu' | undefined;
  stepsPerRun?: number | 'auto' | undefined;
  recompute?: boolean | undefined;
  lambdaGanA?: number | undefined;
  lambdaGanB?: number | undefined;
  lambdaA?: number | undefined;
  lambdaB?: number | undefined;
  lambdaIdentity?: number | undefined;
  lambdaGp?: number | undefined;
  gan?: RunConfig['gan'] | undefined;
  pool?: number | undefined;
  lr?: number | undefined;
  lrPolicy?: RunConfig['lrPolicy'] | undefined;
  lrDecayEvery?: number | undefined;
  beta1?: number | undefined;
  beta2?: number | undefined;
  checkpointEvery?: number | undefined;
  keep?: number | undefined;
  /** Held-out images of A and of B. */
  valA?: string | undefined;
  valB?: string | undefined;
  /** Held-out images of one name belong together. */
  valPaired?: boolean | undefined;
  evalEvery?: number | undefined;
  features?: string | undefined;
  best?: string | undefined;
  patience?: number | undefined;
  tensorboard?: boolean | undefined;
  /** Threads of the engine; default as many as cores, and on resuming as many as before. */
  threads?: number | undefined;
}

/** @throws CycleganError `usage` for values that are wrong, or wrong together, whatever the folders hold */
export function checkOptions(options: RunOptions): void {
  const { size, lr, generator, blocks, valA, valB, engine, device } = options;
  if (size !== undefined && (size % 4 !== 0 || size < 8 || size > 2048)) {
    throw wrong('size', 'a multiple of 4 from 8 to 2048', size);
  }
  if (lr !== undefined && !(lr > 0 && lr < 1)) throw wrong('lr', 'a number above 0 and below 1', lr);
  if (blocks !== undefined && generator !== undefined && generator !== 'resnet') {
    throw wrong('blocks', `a generator "resnet" beside it`, generator);
  }
  if (options.dLayers !== undefined && options.discriminator !== 'n_layers') {
    throw wrong('d-layers', 'discriminator n_layers beside it', options.discriminator ?? 'none');
  }
  if ((valA === undefined) !== (valB === undefined)) {
    throw wrong('val-a and val-b', 'both or neither', 'one');
  }
  if (options.valPaired && valA === undefined) throw wrong('val-paired', 'held-out images beside it', 'none');
  if (engine === 'tfjs' && (device === 'cuda' || device === 'webgpu')) {
    throw wrong('device', 'auto or cpu with engine tfjs, which finds its own', device);
  }
  if (options.lrDecayEvery !== undefined && options.lrPolicy !== 'step') {
    throw wrong('lr-decay-every', 'lr-policy step beside it', options.lrPolicy ?? 'linear');
  }
}

/** A value that a user can mend. */
export function wrong(what: string, expected: string, got: unknown): CycleganError {
  return new CycleganError(
    'usage',
    `[train] ${what}: expected ${expected}, got ${got}. Choose another value.`,
  );
}
