/** What page and worker say to each other. Types alone. */
import type { Pixels } from '@cyclegan/runtime-core';
import type { Losses } from '../step/objective.js';
import type {
  BundleOptions,
  TrainedBundle,
  TrainerInfo,
  TrainingImage,
  TrainingProgress,
  WebRunOptions,
  WebTrainResult,
} from './options.js';

/** Plain data that can be cloned. */
export interface OpenRequest {
  options: WebRunOptions;
  sampleEvery: number | undefined;
  /** How many images there will be of each. */
  counts: Record<ImageSetName, number>;
  /** URL, with a slash at its end, of the folder of the .wasm files; undefined: beside the worker. */
  wasmFolder: string | undefined;
}

/** Where an image goes: to be trained on, or to be translated as a sample. */
export type ImageSetName = 'a' | 'b' | 'sampleA' | 'sampleB';

export type Opened = Omit<TrainerInfo, 'device' | 'tried'>;

/** What a few steps on noise took and gave; equal on every sound device. */
export interface Trial {
  stepMs: number;
  losses: Losses[];
}

/** A sample as it crosses: RGBA. */
export interface SampleMessage {
  step: number;
  AtoB: Pixels[];
  BtoA: Pixels[];
}

export type TrainingEvent = { progress: TrainingProgress } | { sample: SampleMessage };

/** Called by the page, in the worker. */
export interface WorkerFunctions {
  /** Builds the step and opens its session. Called once, before all others. */
  open(request: OpenRequest): Promise<Opened>;
  /** Makes a few steps on noise, and forgets them. */
  tryOut(): Promise<Trial>;
  /** Images come in their order, before the first training. */
  add(to: ImageSetName, image: TrainingImage): Promise<void>;
  /**
   * @param id chosen by the page; names the call in `abort` and `report`
   * @param call `stopped`: whether the signal has fired already; `samples`: whether anybody looks at them
   */
  train(id: number, call: { stopped: boolean; samples: boolean }): Promise<WebTrainResult>;
  abort(id: number): void;
  bundle(options: BundleOptions): Promise<TrainedBundle>;
}

/** Called by the worker, in the page. */
export interface PageFunctions {
  report(id: number, event: TrainingEvent): void;
}
