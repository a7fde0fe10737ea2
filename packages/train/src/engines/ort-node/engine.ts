/** The default engine: the step graph, run by onnxruntime-node on the CPU, CUDA or WebGPU. */
import type { Engine, EngineOptions } from '../../engine.js';
import { createRunnerEngine } from '../ort/engine.js';
import type { OrtRuntime } from '../ort/runtime.js';
import type { Runner } from '../ort/state.js';
import { createStepRunner } from '../ort/step-runner.js';
import { createLoopRunner } from './loop-runner.js';
import { createNodeRuntime } from './session.js';
import { findStepsPerRun } from './steps-per-run.js';

/**
 * Builds the graph and opens its session on the device.
 *
 * With `stepsPerRun` above 1, CPU and CUDA run a loop of steps as one graph, whose state does not leave the device
 * between them; `auto` finds a number for CUDA by measuring, and is 1 elsewhere. WebGPU keeps its state on the device
 * in any case and makes the steps of a run one after the other.
 * @throws CycleganError `device` when the device is not there or cannot take the graph
 */
export async function createOrtEngine(options: EngineOptions): Promise<Engine> {
  const runtime = createNodeRuntime(options);
  const opened = await openRunner(options, runtime);
  return createRunnerEngine({ task: options, runtime, device: options.device, ...opened });
}

async function openRunner(
  options: EngineOptions,
  runtime: OrtRuntime,
): Promise<{ runner: Runner; stepsPerRun: number }> {
  const { device, stepsPerRun } = options;
  if (device === 'cuda') {
    const runner = await createLoopRunner(options);
    return {
      runner,
      stepsPerRun: stepsPerRun === 'auto' ? await findStepsPerRun(options, runner) : stepsPerRun,
    };
  }
  const steps = stepsPerRun === 'auto' ? 1 : stepsPerRun;
  const runner = await (device === 'cpu' && steps > 1
    ? createLoopRunner(options)
    : createStepRunner(options, runtime));
  return { runner, stepsPerRun: steps };
}
