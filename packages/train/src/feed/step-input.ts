/** All that one step of a run is fed, and its learning rate. Steps are counted from 0 here. */
import { type RunConfig, rateFactor } from '../config/index.js';
import type { StepInput } from '../engine.js';
import type { Batch } from './batches.js';
import { poolChoice } from './image-pool.js';
import { randomAt } from './random.js';

/** The epoch that a step is in, counted from 1. */
export function epochOf(step: number, stepsPerEpoch: number): number {
  return Math.floor(step / stepsPerEpoch) + 1;
}

/** @param plateauFactor what policy `plateau` has come to; the others do not look at it */
export function learningRateAt(
  config: RunConfig,
  step: number,
  stepsPerEpoch: number,
  plateauFactor?: number,
): number {
  return config.learningRate * rateFactor(config, step + 1, epochOf(step, stepsPerEpoch), plateauFactor);
}

/** What the engine takes for a step: its batch, what the pools show and keep, its noise. */
export function stepInput(config: RunConfig, batch: Batch, step: number, learningRate: number): StepInput {
  const choice = (domain: 'A' | 'B') =>
    poolChoice({ capacity: config.pool, batch: config.batch, seed: config.seed, domain }, step);
  return {
    a: batch.a,
    b: batch.b,
    pool: { A: choice('A'), B: choice('B') },
    learningRate,
    noise: randomAt(config.seed, 'noise', step).integer(2 ** 32),
  };
}
