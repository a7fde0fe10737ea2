/** The training loop: data in, engine steps, reports, samples and checkpoints out. Knows no networks and no formats. */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { makeFolder } from '@cyclegan/model';
import { CycleganError } from '@cyclegan/runtime-core';
import { type RunConfig, type RunOptions, rateFactor, resolveConfig, resumeConfig } from './config.js';
import {
  createDataSource,
  type DataSource,
  type ImageFolder,
  loadTestImage,
  openImageFolder,
} from './data/index.js';
import type { Engine, EngineState } from './engine.js';
import { createOrtEngine } from './engines/ort.js';
import { createImagePool, type ImagePool } from './image-pool.js';
import { type MetricsLine, samplesPng, writeReport } from './report/index.js';
import {
  appendMetrics,
  loadState,
  readConfig,
  refuseExistingRun,
  saveState,
  type TrainingFacts,
  truncateMetrics,
  writeConfig,
} from './run-folder.js';
import type { Losses } from './step/objective.js';

/** A run, as a user asks for it. */
export interface TrainOptions extends RunOptions {
  /** Folder with the images of domain A, and of domain B. */
  a: string;
  b: string;
  /** The run folder; made where missing. */
  out: string;
  /** Go on from the run folder's last checkpoint. */
  resume?: boolean | undefined;
  /** Threads of the engine; default as many as cores. */
  threads?: number | undefined;
  /** When it fires, the step under way is finished, a checkpoint written, and `train` resolves. */
  signal?: AbortSignal | undefined;
  onEvent?: ((event: TrainEvent) => void) | undefined;
}

/** What happens while it trains, in one sentence or in numbers. */
export type TrainEvent =
  | { type: 'note' | 'warning'; message: string }
  | { type: 'scan'; done: number; total: number }
  | {
      type: 'progress';
      step: number;
      steps: number;
      losses: Losses;
      /** Images of both domains together. */
      imagesPerSecond: number;
      secondsLeft: number;
    }
  | { type: 'checkpoint'; step: number; path: string }
  | { type: 'sample'; path: string };

/** Where a run is when `train` resolves. */
export interface TrainResult {
  run: string;
  step: number;
  steps: number;
  /** False when the signal stopped it. */
  finished: boolean;
  losses: Losses | undefined;
  /** Share of the time that the engine waited for images, 0 to 1. */
  dataWait: number;
}

const sampleImages = 4;

/**
 * Trains, or goes on training, until the config's last step.
 *
 * Resuming is exact: on the same machine the losses and weights are, to the last bit, those of a run that was never
 * stopped. A run that was stopped before its first checkpoint begins again.
 * @throws CycleganError `usage`, `input`, `run`, `output`: see the message; the last checkpoint stays good
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { out: run, resume = false, signal } = options;
  const emit = options.onEvent ?? (() => {});
  const warn = (message: string) => emit({ type: 'warning', message });
  const old = resume ? await readConfig(run) : undefined;
  if (!old) await refuseExistingRun(run);
  const open = (domain: 'A' | 'B', path: string) =>
    openImageFolder({
      path,
      domain,
      onWarning: warn,
      onProgress: (at) => emit({ type: 'scan', ...at }),
      signal,
    });
  const folders = { A: await open('A', options.a), B: await open('B', options.b) };
  const paths = {
    a: options.a,
    b: options.b,
    stepsPerEpoch: (batch: number) =>
      Math.ceil(Math.max(folders.A.files.length, folders.B.files.length) / batch),
  };
  const config = old ? resumeConfig(options, old, paths) : resolveConfig(options, paths);
  const saved = old ? await loadState(run, old, warn) : undefined;
  const facts: TrainingFacts = {
    elapsed: saved?.facts.elapsed ?? 0,
    data: { a: folders.A.fingerprint, b: folders.B.fingerprint },
    counts: { a: folders.A.files.length, b: folders.B.files.length },
  };
  if (saved && (saved.facts.data.a !== facts.data.a || saved.facts.data.b !== facts.data.b)) {
    warn(
      '[train] resume: the folders hold other files than before, so the run goes on with other images than it would have.',
    );
  }
  if (saved && saved.step >= config.steps) {
    emit({
      type: 'note',
      message: `The run is at step ${saved.step} of ${config.steps} already; add --steps to train on.`,
    });
    return { run, step: saved.step, steps: config.steps, finished: true, losses: undefined, dataWait: 0 };
  }
  await writeConfig(run, config);
  await makeFolder(join(run, 'samples'));
  await truncateMetrics(run, saved?.step ?? 0);
  emit({ type: 'note', message: describe(config, folders) });

  const data = createDataSource({
    a: folders.A,
    b: folders.B,
    size: config.size,
    loadSize: config.loadSize,
    batch: config.batch,
    seed: config.seed,
    onWarning: warn,
  });
  const engine = await createOrtEngine({
    networks: config.networks,
    objective: config,
    batch: config.batch,
    size: config.size,
    seed: config.seed,
    threads: options.threads,
  });
  try {
    const pool = (domain: 'A' | 'B') =>
      createImagePool({
        capacity: config.pool,
        batch: config.batch,
        elements: 3 * config.size * config.size,
        seed: config.seed,
        domain,
      });
    const pools = { A: pool('A'), B: pool('B') };
    if (saved) {
      engine.setState(saved.engine);
      pools.A.setImages(saved.pools.A);
      pools.B.setImages(saved.pools.B);
    }
    const samples = await loadSamples(folders, config.size);
    return await loop({
      run,
      config,
      engine,
      data,
      pools,
      samples,
      facts,
      from: saved?.step ?? 0,
      signal,
      emit,
    });
  } finally {
    data.dispose();
    await engine.dispose();
  }
}

interface Loop {
  run: string;
  config: RunConfig;
  engine: Engine;
  data: DataSource;
  pools: { A: ImagePool; B: ImagePool };
  samples: Samples;
  facts: TrainingFacts;
  from: number;
  signal: AbortSignal | undefined;
  emit: (event: TrainEvent) => void;
}

async function loop({
  run,
  config,
  engine,
  data,
  pools,
  samples,
  facts,
  from,
  signal,
  emit,
}: Loop): Promise<TrainResult> {
  const started = performance.now();
  const elapsed = () => facts.elapsed + (performance.now() - started) / 1000;
  let waited = 0;
  let losses: Losses | undefined;
  let step = from;
  let savedAt = from > 0 ? from : -1;

  const save = async () => {
    if (savedAt === step) return;
    const engineState = engine.getState();
    // A gradient that overflowed is in the weights one step before any loss shows it.
    if (!isFiniteState(engineState)) throw diverged('weights', 'others', step, savedAt);
    const state = {
      step,
      engine: engineState,
      pools: { A: pools.A.getImages(), B: pools.B.getImages() },
      facts: { ...facts, elapsed: elapsed() },
    };
    const path = await saveState(run, config, state);
    savedAt = step;
    await writeReport({ run });
    emit({ type: 'checkpoint', step, path });
  };
  const sample = async () => {
    const made = await engine.sample(samples);
    const path = join(run, 'samples', `${String(step).padStart(6, '0')}.png`);
    await samplesPng({
      path,
      images: { realA: samples.a, realB: samples.b, ...made },
      count: samples.count,
      size: config.size,
    });
    emit({ type: 'sample', path });
  };

  if (from === 0) {
    await sample();
    // From here on there is a checkpoint to go on from, whatever happens.
    await save();
  }
  while (step < config.steps && !signal?.aborted) {
    const asked = performance.now();
    const batch = await data.batch(step);
    waited += performance.now() - asked;
    const epoch = Math.floor(step / data.stepsPerEpoch) + 1;
    const learningRate = config.learningRate * rateFactor(config, step + 1, epoch);
    const choice = { A: pools.A.choose(step), B: pools.B.choose(step) };
    const result = await engine.step({ a: batch.a, b: batch.b, pool: choice, learningRate });
    pools.A.store(result.fake.A);
    pools.B.store(result.fake.B);
    step++;
    losses = result.losses;
    const bad = Object.entries(losses).find(([, value]) => !Number.isFinite(value));
    if (bad) {
      const files = [...batch.files.a, ...batch.files.b].join(', ');
      throw diverged('losses', `${bad[0]} = ${bad[1]} on ${files}`, step, savedAt);
    }
    const perSecond = ((step - from) * 2 * config.batch) / ((performance.now() - started) / 1000);
    if (step % config.reportEvery === 0 || step === config.steps) {
      const line: MetricsLine = {
        step,
        epoch,
        lr: learningRate,
        losses,
        imagesPerSecond: round(perSecond),
        elapsed: round(elapsed()),
      };
      await appendMetrics(run, line);
    }
    const secondsLeft = ((config.steps - step) * 2 * config.batch) / perSecond;
    emit({ type: 'progress', step, steps: config.steps, losses, imagesPerSecond: perSecond, secondsLeft });
    if (step % config.sampleEvery === 0 || step === config.steps) await sample();
    if (step % config.checkpointEvery === 0 || step === config.steps) await save();
    // A step holds the event loop; signals and decoding get their turn here.
    await nextTurn();
  }
  await save();
  const total = performance.now() - started;
  return { run, step, steps: config.steps, finished: step >= config.steps, losses, dataWait: waited / total };
}

interface Samples {
  a: Float32Array;
  b: Float32Array;
  count: number;
}

/** The same few images at every sample, spread over each folder. */
async function loadSamples(folders: { A: ImageFolder; B: ImageFolder }, size: number): Promise<Samples> {
  const count = Math.min(sampleImages, folders.A.files.length, folders.B.files.length);
  const load = async ({ path, files }: ImageFolder) => {
    const images = new Float32Array(count * 3 * size * size);
    for (let i = 0; i < count; i++) {
      const file = files[Math.floor((i * files.length) / count)] ?? '';
      images.set(await loadTestImage(join(path, file), size), i * 3 * size * size);
    }
    return images;
  };
  return { a: await load(folders.A), b: await load(folders.B), count };
}

function isFiniteState({ groups }: EngineState): boolean {
  return Object.values(groups).every((group) =>
    [group.parameters, group.m, group.v].every((vector) => vector.every(Number.isFinite)),
  );
}

function diverged(what: string, got: string, step: number, lastGood: number): CycleganError {
  return new CycleganError(
    'run',
    `[train] step ${step}: expected finite ${what}, got ${got}. The checkpoint of step ${lastGood} is good; begin another run with a lower --lr, or look at those images.`,
  );
}

function describe(config: RunConfig, folders: { A: ImageFolder; B: ImageFolder }): string {
  const { ngf, blocks } = config.networks.generator;
  const skipped = folders.A.skipped + folders.B.skipped;
  const left = skipped > 0 ? ` (${skipped} files skipped)` : '';
  return `${folders.A.files.length} images of A and ${folders.B.files.length} of B${left}; ${config.size}×${config.size} px, ngf ${ngf}, ${blocks} blocks, batch ${config.batch}, ${config.steps} steps.`;
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}
