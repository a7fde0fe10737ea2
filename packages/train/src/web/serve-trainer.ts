/**
 * The worker's half of a trainer: options to a config, an engine on this worker's device, images, training, bundle.
 * Which build of onnxruntime-web computes is the entry's choice.
 */
import { bundleInMemory } from '@cyclegan/export/web';
import { parameterCount } from '@cyclegan/model/networks';
import { connect, type Port } from '@cyclegan/runtime-core';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { RunConfig } from '../config/index.js';
import type { Engine, EngineTask } from '../engine.js';
import { createRunnerEngine } from '../engines/ort/engine.js';
import { createStepRunner } from '../engines/ort/step-runner.js';
import { practiceInputs } from '../engines/practice.js';
import { initialState } from '../initial-state.js';
import { cutVector, groupBuffers, groupParameters } from '../step/state.js';
import { resolveWebConfig } from './config.js';
import { createPictureStore, type PictureStore } from './pictures.js';
import type { OpenRequest, PageFunctions, WorkerFunctions } from './protocol.js';
import { type Backend, createWebRuntime, prepare, sessionOpener } from './session.js';
import { createTrainingRun, type TrainingRun } from './training-run.js';

/** Steps of a trial: one that nobody times, and two that are. */
const TRIAL_STEPS = 3;

interface Open {
  config: RunConfig;
  task: EngineTask;
  engine: Engine;
  store: PictureStore;
  counts: OpenRequest['counts'];
  run: TrainingRun;
}

/** Serves one trainer over a port; to be called once, at the top of a worker's module. */
export function serveTrainer(port: Port, backend: Backend): void {
  const running = new Map<number, AbortController>();
  let open: Open | undefined;
  const opened = (): Open => {
    if (!open) throw new Error('internal: a call before open');
    return open;
  };

  const functions: WorkerFunctions = {
    async open(request) {
      const { counts } = request;
      const config = resolveWebConfig(request.options, counts, request.sampleEvery);
      prepare(backend, request.wasmFolder);
      const task = taskOf(config);
      const runtime = createWebRuntime(backend);
      const runner = await createStepRunner(task, runtime);
      const engine = createRunnerEngine({ task, runtime, runner, device: backend.device, stepsPerRun: 1 });
      const store = createPictureStore(config, counts);
      open = { config, task, engine, store, counts, run: createTrainingRun({ config, engine, store }) };
      const { size, steps, seed, networks } = config;
      const weights = [...groupParameters(networks, 'G'), ...groupParameters(networks, 'D')];
      return { threads: backend.threads, size, steps, seed, parameters: parameterCount(weights) };
    },
    async tryOut() {
      const { engine, task } = opened();
      const [first, ...timed] = practiceInputs(task, TRIAL_STEPS);
      const losses = await engine.run(first ? [first] : []);
      const started = performance.now();
      for (const input of timed) losses.push(...(await engine.run([input])));
      const stepMs = (performance.now() - started) / timed.length;
      await engine.setState(initialState(task));
      return { stepMs, losses };
    },
    async add(to, image) {
      opened().store.add(to, image);
    },
    async train(id, { stopped, samples }) {
      const controller = new AbortController();
      if (stopped) controller.abort();
      running.set(id, controller);
      const report = (event: Parameters<PageFunctions['report']>[1]) => void remote.report(id, event);
      return opened()
        .run.train({ signal: controller.signal, samples, report })
        .finally(() => running.delete(id));
    },
    abort(id) {
      running.get(id)?.abort();
    },
    bundle({ name = 'trained in the page', licence }) {
      const { run, config, counts } = opened();
      return run.exclusively(async () => {
        const { step, state } = await run.snapshot();
        const { networks, size, batch, seed } = config;
        const { parameters, buffers } = state.groups.G;
        const { manifest, files } = await bundleInMemory({
          name,
          licence: licence ?? null,
          training: { steps: step, size, batch, seed, imagesA: counts.a, imagesB: counts.b },
          config: networks.generator,
          weights: new Map([
            ...cutVector(groupParameters(networks, 'G'), parameters),
            ...cutVector(groupBuffers(networks, 'G'), buffers),
          ]),
          openSession: sessionOpener(backend),
          sha256: (bytes) => bytesToHex(sha256(bytes)),
        });
        const json = new Blob([`${JSON.stringify(manifest, null, 2)}\n`], { type: 'application/json' });
        const models = Array.from(files, ([file, bytes]) => [file, new Blob([bytes.slice()])] as const);
        return { manifest, files: Object.fromEntries([...models, ['manifest.json', json]]) };
      });
    },
  };
  const { remote } = connect<PageFunctions, WorkerFunctions>(functions, port);
}

function taskOf(config: RunConfig): EngineTask {
  const { networks, adam, batch, size, pool, seed, init } = config;
  return {
    networks,
    objective: config,
    adam,
    batch,
    height: size,
    width: size,
    pool,
    seed,
    init,
    recompute: false,
  };
}
