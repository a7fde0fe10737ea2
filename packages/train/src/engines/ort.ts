/** The default engine: the step graph, run by onnxruntime on the CPU, CUDA or WebGPU. */
import { Tensor } from 'onnxruntime-node';
import type { Engine, EngineOptions } from '../engine.js';
import { sampleGraph } from '../step/step-graph.js';
import { createLoopRunner } from './ort-loop.js';
import { type DeviceSession, openSession } from './ort-session.js';
import { imageShape, type Runner, toSamples } from './ort-state.js';
import { createStepRunner } from './ort-step.js';
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
  const { device } = options;
  const { runner, stepsPerRun } = await openRunner(options);
  const sampler = createSampler(options, runner);
  let disposed = false;
  return {
    name: 'ort',
    device,
    stepsPerRun,
    async run(inputs) {
      if (inputs.length > stepsPerRun) {
        throw new Error(`internal: ${inputs.length} steps for a run of at most ${stepsPerRun}`);
      }
      return inputs.length > 0 ? runner.run(inputs) : [];
    },
    sample: sampler.sample,
    getState: runner.getState,
    async setState(state) {
      runner.setState(state);
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      await runner.dispose();
      await sampler.dispose();
    },
  };
}

async function openRunner(options: EngineOptions): Promise<{ runner: Runner; stepsPerRun: number }> {
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
    : createStepRunner(options));
  return { runner, stepsPerRun: steps };
}

/** Opens its session when first asked, and anew when the number of images changes. */
function createSampler(options: EngineOptions, runner: Runner): Pick<Engine, 'sample' | 'dispose'> {
  let open: { session: DeviceSession; count: number } | undefined;
  return {
    async sample({ a, b }) {
      const [ofA, ofB] = [imageShape(options, 'A'), imageShape(options, 'B')];
      const count = a.length / ofA.reduce((product, size) => product * size, 1);
      if (open?.count !== count) {
        await open?.session.release();
        open = undefined;
        const graph = sampleGraph({ ...options, batch: count });
        const session = await openSession({ ...options, what: 'samples' }, graph);
        open = { session, count };
      }
      return toSamples(
        await open.session.run({
          ...runner.generators(),
          real_A: new Tensor('float32', a, [count, ...ofA]),
          real_B: new Tensor('float32', b, [count, ...ofB]),
        }),
      );
    },
    async dispose() {
      await open?.session.release();
    },
  };
}
