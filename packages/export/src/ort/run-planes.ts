/** A model's bytes as a function from planes to planes, on the CPU, for self-checks and samples. */
import type { RunPlanes } from '@cyclegan/runtime-core';
import { type OptimizationLevel, planesRunner } from './graph-session.js';
import { withSession } from './session.js';

/**
 * Opens a model of one input, lends it to `use` and frees it.
 * @throws what onnxruntime throws for a model that it cannot run
 */
export function withPlanes<T>(
  model: Uint8Array,
  input: string,
  level: OptimizationLevel,
  use: (run: RunPlanes) => Promise<T>,
): Promise<T> {
  return withSession(model, level, (run) => use(planesRunner(run, input)));
}
