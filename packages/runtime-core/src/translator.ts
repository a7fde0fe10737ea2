/**
 * The one shape both runtimes give: options in, a translator out. They differ in what an image is (`Image`,
 * `Output`), and in nothing else.
 */
import type { Direction, Manifest, Precision } from './manifest.js';

/** `auto` takes the first device whose session passes the bundle's self-check. */
export type Device = 'auto' | 'cpu' | 'cuda' | 'webgpu' | 'wasm';

/** `auto`: whole image while it fits, else tiles; `none`: always whole; a number: tiles of that many pixels. */
export type Tile = 'auto' | 'none' | number;

export interface Progress {
  /** What is being done: `download`, `session`, `check`, `tile`. */
  stage: 'download' | 'session' | 'check' | 'tile';
  /** How much of `total` is done, in the stage's unit: bytes for download, else items. */
  done: number;
  total: number;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

export interface TranslatorOptions extends CallOptions {
  direction?: Direction | undefined;
  precision?: Precision | undefined;
  device?: Device | undefined;
  tile?: Tile | undefined;
}

/** What was chosen, and why. Plain data. */
export interface TranslatorInfo {
  direction: Direction;
  precision: Precision;
  /** The device that runs: never `auto`. */
  device: Exclude<Device, 'auto'>;
  /** One line for each device that was tried before and why it was passed over; empty when the first one held. */
  fallbacks: { device: Exclude<Device, 'auto'>; reason: string }[];
  /** Largest absolute difference of the self-check, on [-1, 1]. */
  selfCheckError: number;
  threads: number;
  /** Session creation and self-check, milliseconds. */
  loadMs: number;
  manifest: Manifest;
}

export interface Translator<Image, Output> {
  /** @throws CycleganError `input` for an image that cannot be translated, `aborted` */
  translate(image: Image, options?: CallOptions): Promise<Output>;
  readonly info: TranslatorInfo;
  /** Frees the session and its worker. Idempotent; a later `translate` rejects. */
  dispose(): Promise<void>;
}
