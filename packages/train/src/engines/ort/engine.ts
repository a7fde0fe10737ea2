/** An engine of a runner, which makes the steps, and a session for samples. Where they run is the runtime's. */
import type { Engine, EngineTask } from '../../engine.js';
import { sampleGraph } from '../../step/step-graph.js';
import type { DeviceSession, OrtRuntime } from './runtime.js';
import { imageShape, type Runner, toSamples } from './state.js';

export interface RunnerEngineOptions {
  task: EngineTask;
  runtime: OrtRuntime;
  /** The engine's from then on. */
  runner: Runner;
  device: string;
  /** Most steps that one `run` takes. */
  stepsPerRun: number;
}

/** The engine; opens nothing until a sample is asked for. */
export function createRunnerEngine(options: RunnerEngineOptions): Engine {
  const { runner, device, stepsPerRun } = options;
  const sampler = createSampler(options);
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

/** Opens its session when first asked, and anew when the number of images changes. */
function createSampler({
  task,
  runtime,
  runner,
}: Pick<RunnerEngineOptions, 'task' | 'runtime' | 'runner'>): Pick<Engine, 'sample' | 'dispose'> {
  const { Tensor } = runtime;
  let open: { session: DeviceSession; count: number } | undefined;
  return {
    async sample({ a, b }) {
      const [ofA, ofB] = [imageShape(task, 'A'), imageShape(task, 'B')];
      const count = a.length / ofA.reduce((product, size) => product * size, 1);
      if (open?.count !== count) {
        await open?.session.release();
        open = undefined;
        const session = await runtime.open(sampleGraph({ ...task, batch: count }), { what: 'samples' });
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
