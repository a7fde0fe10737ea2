/** What a page asks of a trainer, and what it is told. Types and presets alone. */
import type { Direction, Manifest, Pixels } from '@cyclegan/runtime-core';
import type { RunOptions } from '../config/index.js';
import type { Losses } from '../step/objective.js';

/** An image as pixels; of any size, sRGB. It is copied when it is taken, and laid on white where it is transparent. */
export type TrainingImage = Pixels | ImageData | ImageBitmap;

/** Networks and lengths that a page can bear; see docs/training-in-the-page.md for what they cost. */
export const webPresets = {
  quick: { size: 32, ngf: 16, blocks: 2, steps: 1000, decaySteps: 500 },
  fine: { size: 64, ngf: 16, blocks: 3, steps: 2000, decaySteps: 1000 },
} as const;

/** One of {@link webPresets}. */
export type WebPresetName = keyof typeof webPresets;

/** Where a page trains. */
export type WebDevice = 'webgpu' | 'wasm';

/** The options of `cyclegan train` that make sense in a page, by the same names and with the same meaning. */
const shared = [
  'size',
  'loadSize',
  'flip',
  'ngf',
  'blocks',
  'ndf',
  'discriminator',
  'dLayers',
  'upsample',
  'steps',
  'decaySteps',
  'batch',
  'seed',
  'gan',
  'lambdaA',
  'lambdaB',
  'lambdaIdentity',
  'pool',
  'lr',
] as const satisfies readonly (keyof RunOptions)[];

/** Names of all of {@link WebRunOptions}. */
export const webRunOptionNames = [...shared, 'preset', 'preprocess'] as const;

/** What a page may say of networks, steps and losses. */
export interface WebRunOptions extends Pick<RunOptions, (typeof shared)[number]> {
  /** Default `quick`. */
  preset?: WebPresetName | undefined;
  /** How an image comes to `loadSize`: squeezed to a square (the default), or scaled by its shorter side. */
  preprocess?: 'resize_and_crop' | 'scale_shortside_and_crop' | undefined;
}

export interface TrainerOptions extends WebRunOptions {
  /** At least two images of each domain, at most {@link MAX_IMAGES}. */
  a: readonly TrainingImage[];
  b: readonly TrainingImage[];
  /** Images to be translated again and again, at most {@link MAX_SAMPLES} of each; default: four of each set. */
  samples?: { a?: readonly TrainingImage[]; b?: readonly TrainingImage[] } | undefined;
  /** Steps between two samples; default a twentieth of the run, from 5 to 500. */
  sampleEvery?: number | undefined;
  /**
   * Default `auto`: WebAssembly, or WebGPU where there is a GPU on which a trial gives the same losses in less time.
   * `webgpu` takes any adapter, and trusts it.
   */
  device?: WebDevice | 'auto' | undefined;
  /**
   * The folder that holds onnxruntime-web's `ort-wasm-simd-threaded*.wasm`, relative to the page. Left out, the
   * files that the bundler put beside the worker are taken; nothing is ever loaded from a CDN.
   */
  wasmPaths?: string | URL | undefined;
  /** Stops the preparation; not the training, which has a signal of its own. */
  signal?: AbortSignal | undefined;
}

/** Of each set: they are kept at training size in memory, 16 kB each at 64 px. */
export const MAX_IMAGES = 10_000;

/** Of each set of samples. */
export const MAX_SAMPLES = 8;

/** What became of one device. */
export interface TriedWebDevice {
  device: WebDevice;
  /** Milliseconds of one step, where it was timed. */
  stepMs?: number | undefined;
  /** Why it was not taken. */
  reason?: string | undefined;
}

/** What a trainer came to be. */
export interface TrainerInfo {
  device: WebDevice;
  /** Those considered, in the order tried. */
  tried: TriedWebDevice[];
  threads: number;
  /** Edge of the images that a step sees, pixels. */
  size: number;
  steps: number;
  seed: number;
  /** Weights of all four networks together. */
  parameters: number;
}

export interface TrainingProgress {
  /** Steps made, from 1. */
  step: number;
  steps: number;
  /** The eight losses by the reference's names. */
  losses: Losses;
  learningRate: number;
  /** Images of both domains together, since `train` was called. */
  imagesPerSecond: number;
  secondsLeft: number;
}

/** The sample images, translated; each `size` × `size`, opaque. */
export interface TrainingSample extends Record<Direction, ImageData[]> {
  /** Steps made when they were translated. */
  step: number;
}

export interface TrainCallOptions {
  /** When it fires, the step under way is finished, and `train` resolves; another `train` goes on from there. */
  signal?: AbortSignal | undefined;
  /** Called after every step. */
  onProgress?: ((progress: TrainingProgress) => void) | undefined;
  /** Called before the first step, at every interval, and at the end. */
  onSample?: ((sample: TrainingSample) => void) | undefined;
}

/** Where the training is when `train` resolves. */
export interface WebTrainResult {
  step: number;
  steps: number;
  /** False when the signal stopped it. */
  finished: boolean;
  /** Of the last step; undefined where none was made. */
  losses: Losses | undefined;
}

export interface BundleOptions {
  /** For people; default `trained in the page`. */
  name?: string | undefined;
  /** SPDX expression of the weights' licence; default none. */
  licence?: string | undefined;
}

/** A bundle in memory: both directions in fp32. */
export interface TrainedBundle {
  manifest: Manifest;
  /** By name, `manifest.json` among them: what runtime-web's `createTranslator` takes, and what a folder on disk holds. */
  files: Record<string, Blob>;
}
