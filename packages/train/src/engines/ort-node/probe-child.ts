/**
 * Times an engine in a process of its own, since a provider that hangs or crashes takes its process along. Not
 * imported: started by choose-device.ts, which sends the options and gets the time or the reason.
 */
import { isCycleganError } from '@cyclegan/runtime-core';
import type { EngineOptions } from '../../engine.js';
import { practiceInputs } from '../practice.js';
import { createOrtEngine } from './engine.js';
import { providerReason } from './session.js';

/** What the child answers. */
export type ProbeAnswer = { stepMs: number } | { reason: string };

/** Steps that are timed at most, after as many that are not. */
const mostSteps = 8;

async function timeStep(options: EngineOptions): Promise<number> {
  // Elsewhere than on CUDA a step costs the same in a run of many, and takes longer to try.
  const stepsPerRun = options.device === 'cuda' ? options.stepsPerRun : 1;
  const engine = await createOrtEngine({ ...options, stepsPerRun });
  const inputs = practiceInputs(options, Math.min(engine.stepsPerRun, mostSteps));
  await engine.run(inputs);
  const started = performance.now();
  await engine.run(inputs);
  return (performance.now() - started) / inputs.length;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return isCycleganError(error) && error.cause !== undefined ? providerReason(error.cause) : error.message;
}

process.once('message', async (options: EngineOptions) => {
  const answer: ProbeAnswer = await timeStep(options).then(
    (stepMs) => ({ stepMs }),
    (error: unknown) => ({ reason: reasonOf(error) }),
  );
  // Nothing is freed here: the process ends with its answer.
  process.send?.(answer, () => process.exit());
});
