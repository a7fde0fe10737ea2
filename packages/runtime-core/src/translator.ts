/**
 * The one shape both runtimes give: options in, a translator out. They differ in what an image is (`Image`,
 * `Output`), and in nothing else.
 */
import type { Alpha } from './alpha.js';
import type { Direction, Manifest, Precision } from './manifest.js';
import type { Pixels, TranslatedPixels } from './pixels.js';
import type { TranslationSettings } from './settings.js';

/** `auto` takes the first device whose session passes the bundle's self-check. */
export type Device = 'auto' | 'cpu' | 'cuda' | 'tensorrt' | 'webgpu' | 'wasm';

/** One that runs: never `auto`. */
export type ConcreteDevice = Exclude<Device, 'auto'>;

/** `auto`: whole image while it fits, else tiles; `none`: always whole; a number: tiles of that many pixels. */
export type Tile = 'auto' | 'none' | number;

export interface Progress {
  /** What is being done: `download`, `session`, `check`, `tile`; `frame`, of an animation. */
  stage: 'download' | 'session' | 'check' | 'tile' | 'frame';
  /** How much of `total` is done, in the stage's unit: bytes for download, else items. */
  done: number;
  total: number;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** sRGB bytes: red, green, blue. */
export type Background = readonly [number, number, number];

export interface TranslatorOptions extends CallOptions {
  direction?: Direction | undefined;
  /** Left out: chosen for each device by the manifest's figures; `info.precisionReason` says why. */
  precision?: Precision | undefined;
  device?: Device | undefined;
  tile?: Tile | undefined;
  /** Bytes that one translation may take besides the image itself; above it, `auto` tiles. */
  memory?: number | undefined;
  /** What becomes of transparency; default `keep`. */
  alpha?: Alpha | undefined;
  /** What `flatten` lays the image on; default white. */
  background?: Background | undefined;
}

export interface FrameOptions extends CallOptions {
  /**
   * What InstanceNormalization normalises by, as an earlier frame gave it: float32 [2 x C], the means, then the biased
   * variances. `own`: taken from this image. Left out: the plain model, and none come back. Needs a bundle with the
   * pair for tiles.
   */
  statistics?: Float32Array | 'own' | undefined;
}

/** A translated image, and what a program that goes on from it wants to know. */
export interface Frame {
  pixels: TranslatedPixels;
  /** The image's own, seen while it was normalised by those given; null where none were asked for. */
  statistics: Float32Array | null;
  /** Milliseconds from the call until the computation began. */
  waitMs: number;
  /** Milliseconds of the computation; of all images of the run where it was shared. */
  runMs: number;
}

/** What was chosen, and why. Plain data. */
export interface TranslatorInfo {
  direction: Direction;
  precision: Precision;
  /** Why it is this precision, in a sentence. */
  precisionReason: string;
  device: ConcreteDevice;
  /** One line for each device, or model on it, that came before and why it was passed over; empty when the first held. */
  fallbacks: { device: ConcreteDevice; reason: string }[];
  /** Largest absolute difference of the self-check, on [-1, 1]. */
  selfCheckError: number;
  /** Of all workers together. */
  threads: number;
  /** The most workers that compute at a time; each is started when there is work for it. */
  workers: number;
  /** The most images of one size that are computed in one run. */
  batch: number;
  /** Session creation and self-check, milliseconds. */
  loadMs: number;
  /** How images are taken: what was asked for, and what stands for what was not. */
  settings: TranslationSettings;
  manifest: Manifest;
}

export interface Translator<Image, Output> {
  /** @throws CycleganError `input` for an image that cannot be translated, `aborted` */
  translate(image: Image, options?: CallOptions): Promise<Output>;
  /**
   * One image as pixels, for programs that decode and encode themselves, and for the frames of a video.
   * @param pixels their buffer is moved to a worker: gone for the caller from this call on
   * @throws CycleganError `input`, `aborted`; `usage` for statistics where the bundle has no pair for tiles
   */
  translatePixels(pixels: Pixels, options?: FrameOptions): Promise<Frame>;
  /**
   * What InstanceNormalization normalises an image by when it is by itself, without a translation: for callers that mix
   * those of several frames and hand them to `translatePixels`. Of an image that does not run whole, the tiles
   * are run until theirs agree.
   * @param pixels as in `translatePixels`
   * @returns float32 [2 x C]
   * @throws CycleganError as `translatePixels`
   */
  statistics(pixels: Pixels, options?: CallOptions): Promise<Float32Array>;
  readonly info: TranslatorInfo;
  /** Frees the sessions and their workers, where no other translator shares them. Idempotent; a later call rejects. */
  dispose(): Promise<void>;
}
