/** The contract between the trainer and what computes: steps of training on batches, several at once where it pays. */
import type { InitConfig, NetworksConfig } from '@cyclegan/model/networks';
import type { PoolChoice } from './feed/image-pool.js';
import type { Losses, ObjectiveConfig } from './step/objective.js';
import type { Group } from './step/step-graph.js';

/** What an engine computes, and on how much at a time; not where. */
export interface EngineTask {
  networks: NetworksConfig;
  objective: ObjectiveConfig;
  adam: { beta1: number; beta2: number };
  batch: number;
  /** Of the training images, pixels. */
  height: number;
  width: number;
  /** Most translations that an image pool keeps. */
  pool: number;
  /** Gives the initial weights, with `init`. */
  seed: number;
  init: InitConfig;
  /** Compute the residual blocks' activations again for the gradients instead of keeping them. */
  recompute: boolean;
}

/** A task, and where and how it is computed. */
export interface EngineOptions extends EngineTask {
  device: 'cpu' | 'cuda' | 'webgpu';
  threads?: number | undefined;
  /** Steps that one call of the device makes; the engine finds a number for `auto`. */
  stepsPerRun: number | 'auto';
  /** Called with one sentence when something takes long or falls back. */
  onNote?: ((message: string) => void) | undefined;
}

/** One batch, and what the trainer decided for it. */
export interface StepInput {
  /** [N, C, H, W] on [-1, 1]; read before the promise settles, never kept. */
  a: Float32Array;
  b: Float32Array;
  pool: { A: PoolChoice; B: PoolChoice };
  learningRate: number;
  /** Seed, unsigned 32 bits, of all that is random inside the step. */
  noise: number;
}

/** Everything that a run needs to go on exactly; float32 throughout. */
export interface EngineState {
  /** Steps made. */
  updates: number;
  /** Flat vectors: parameters, m and v in the order of `groupParameters`, buffers in that of `groupBuffers`. */
  groups: Record<Group, GroupState>;
  /** Translations that the image pools hold, each [n, C, H, W]. */
  pools: { A: Float32Array; B: Float32Array };
}

/** One optimiser's share of the state. */
export interface GroupState {
  parameters: Float32Array;
  /** Adam's moments. */
  m: Float32Array;
  v: Float32Array;
  /** Running statistics of batch normalisation; empty without it. */
  buffers: Float32Array;
}

/** Translations and reconstructions of sample images, each [N, C, H, W]; the caller's. */
export interface SampleResult {
  fakeB: Float32Array;
  recA: Float32Array;
  fakeA: Float32Array;
  recB: Float32Array;
}

/** Holds weights, optimisers and image pools between steps. One call at a time. */
export interface Engine {
  readonly name: 'ort' | 'tfjs';
  /** Where it computes, in words for people: `cpu`, `webgpu`, `tensorflow (gpu)`. */
  readonly device: string;
  /** Most steps that one `run` takes. */
  readonly stepsPerRun: number;
  /** Steps one after the other: each updates the generators, then the discriminators, by Adam, then the pools. */
  run(inputs: readonly StepInput[]): Promise<Losses[]>;
  /**
   * The generators as they would be exported: running statistics, no dropout.
   * @param images any number of images of the training size, as many of A as of B
   */
  sample(images: { a: Float32Array; b: Float32Array }): Promise<SampleResult>;
  /** The state as it is now; arrays that later steps do not change. */
  getState(): Promise<EngineState>;
  /** Takes the state over; the arrays must not be changed by the caller afterwards. */
  setState(state: EngineState): Promise<void>;
  /** Frees the sessions. Idempotent. */
  dispose(): Promise<void>;
}
