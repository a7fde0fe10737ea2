/** How many steps a run of the loop should make where every run carries the whole state to the device and back. */
import type { EngineOptions } from '../../engine.js';
import { initialState } from '../../initial-state.js';
import { practiceInputs } from '../practice.js';
import type { LoopRunner } from './loop-runner.js';

/** Largest share of a run that may go into moving the state. */
const trafficShare = 0.05;
/** Most bytes of stacked inputs: they lie in memory twice, on the host and on the device. */
const mostBytes = 2 ** 28;
/** Longest run: progress, checkpoints and Ctrl-C wait for its end. */
const longestMs = 5000;

/**
 * The least number of steps that makes the state's way a twentieth of the time, within 256 MB of inputs and five
 * seconds a run.
 * @param costs milliseconds of a step, and of moving the state once a run; bytes of one step's inputs
 */
export function amortisedSteps(costs: { stepMs: number; trafficMs: number; bytesPerStep: number }): number {
  const { stepMs, trafficMs, bytesPerStep } = costs;
  const wanted = Math.ceil(trafficMs / (trafficShare * stepMs));
  const most = Math.floor(Math.min(mostBytes / bytesPerStep, longestMs / stepMs));
  return Math.max(1, Math.min(wanted, most));
}

/** Measures runs of one and of three steps after one that nobody times; the runner begins anew afterwards. */
export async function findStepsPerRun(options: EngineOptions, runner: LoopRunner): Promise<number> {
  const time = async (steps: number) => {
    const inputs = practiceInputs(options, steps);
    const started = performance.now();
    await runner.run(inputs);
    return performance.now() - started;
  };
  await time(1);
  const [one, three] = [await time(1), await time(3)];
  runner.setState(initialState(options));
  const stepMs = Math.max((three - one) / 2, 1);
  const trafficMs = Math.max(one - stepMs, 0);
  const steps = amortisedSteps({ stepMs, trafficMs, bytesPerStep: runner.bytesPerStep });
  options.onNote?.(
    `${options.device}: ${stepMs.toFixed(0)} ms a step and ${trafficMs.toFixed(0)} ms a run for its state, so ${steps} steps a run.`,
  );
  return steps;
}
