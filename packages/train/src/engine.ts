/** The contract between the trainer and what computes: one step of training on one batch. */
import type { NetworksConfig } from '@cyclegan/model';
import type { Losses, ObjectiveConfig } from './step/objective.js';
import type { Group } from './step/step-graph.js';

/** What an engine computes, and on how much at a time. */
export interface EngineOptions {
  networks: NetworksConfig;
  objective: ObjectiveConfig;
  batch: number;
  /** Height and width of the training images. */
  size: number;
  threads?: number | undefined;
}

/** What the image pool shows a discriminator in place of the fresh translations. */
export interface PoolChoice {
  /** Stored translations, [N, 3, S, S]. */
  stored: Float32Array;
  /** For each sample an index: below N a stored one, from N on a fresh one. */
  pick: BigInt64Array;
}

/** One batch, and what the trainer decided for it. */
export interface StepInput {
  /** [N, 3, S, S] on [-1, 1]; read before the promise settles, never kept. */
  a: Float32Array;
  b: Float32Array;
  pool: { A: PoolChoice; B: PoolChoice };
  learningRate: number;
}

/** What one step gave; the new weights stay in the engine. */
export interface StepResult {
  losses: Losses;
  /** The fresh translations into each domain, [N, 3, S, S]; the caller's. */
  fake: { A: Float32Array; B: Float32Array };
}

/** Flat float32 vectors in the order of `groupParameters`, and the number of updates made. */
export interface EngineState {
  updates: number;
  groups: Record<Group, { parameters: Float32Array; m: Float32Array; v: Float32Array }>;
}

/** Translations and reconstructions of sample images, each [N, 3, S, S]; the caller's. */
export interface SampleResult {
  fakeB: Float32Array;
  recA: Float32Array;
  fakeA: Float32Array;
  recB: Float32Array;
}

/** Holds weights and optimisers between steps. One call at a time. */
export interface Engine {
  readonly name: string;
  readonly device: string;
  /** Updates the generators, then the discriminators, by Adam. */
  step(input: StepInput): Promise<StepResult>;
  /** @param images any number of images of the training size, as many of A as of B */
  sample(images: { a: Float32Array; b: Float32Array }): Promise<SampleResult>;
  /** The state as it is now; arrays that later steps do not change. */
  getState(): EngineState;
  /** Takes the state over; the arrays must not be changed by the caller afterwards. */
  setState(state: EngineState): void;
  /** Frees the sessions. Idempotent. */
  dispose(): Promise<void>;
}
