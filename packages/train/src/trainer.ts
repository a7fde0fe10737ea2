/** A run from its options to its result: config, folders, engine, data and pools are made or read back here. */
import { realpath } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { makeFolder } from '@cyclegan/model';
import { CycleganError } from '@cyclegan/runtime-core';
import { checkOptions, type RunConfig, type RunOptions, resolveConfig, resumeConfig } from './config.js';
import { createDataSource, type ImageFolder, loadTestImage, openImageFolder } from './data/index.js';
import { createOrtEngine } from './engines/ort.js';
import { createImagePool } from './image-pool.js';
import { assertFits } from './memory.js';
import {
  loadState,
  readConfig,
  refuseExistingRun,
  type TrainingFacts,
  truncateMetrics,
  writeConfig,
} from './run-folder.js';
import type { TrainEvent, TrainResult } from './train-events.js';
import { runLoop, type Samples } from './training-loop.js';

const sampleImages = 4;

/** A run, as a user asks for it. */
export interface TrainOptions extends RunOptions {
  /** Folder with the images of domain A, and of domain B. */
  a: string;
  b: string;
  /** The run folder; made where missing. */
  out: string;
  /** Go on from the run folder's last checkpoint. */
  resume?: boolean | undefined;
  /** When it fires, the step under way is finished, a checkpoint written, and `train` resolves. */
  signal?: AbortSignal | undefined;
  onEvent?: ((event: TrainEvent) => void) | undefined;
}

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
  // Before the folders are looked through, which may take a while.
  checkOptions(options);
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
  await refuseInside(run, [options.a, options.b]);
  const folders = { A: await open('A', options.a), B: await open('B', options.b) };
  const paths = {
    a: options.a,
    b: options.b,
    stepsPerEpoch: (batch: number) =>
      Math.ceil(Math.max(folders.A.files.length, folders.B.files.length) / batch),
  };
  const config = old ? resumeConfig(options, old, paths) : resolveConfig(options, paths);
  assertFits(config);
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
  if (old && old.threads !== config.threads) {
    warn(
      `[train] resume: ${config.threads} threads instead of ${old.threads} round sums otherwise, so the run goes on nearly, not exactly, as it would have.`,
    );
  }
  if (saved && saved.step > config.steps) {
    throw new CycleganError(
      'usage',
      `[train] steps: expected at least the ${saved.step} that the run has made, got ${config.steps}. Leave --steps out, or give more.`,
    );
  }
  if (saved && saved.step === config.steps) {
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
    threads: config.threads,
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
    return await runLoop({
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

/** A run's samples among the training images would be trained on when it is resumed. */
async function refuseInside(run: string, folders: readonly string[]): Promise<void> {
  const real = (path: string) => realpath(path).catch(() => resolve(path));
  for (const folder of folders) {
    if (`${await real(run)}${sep}`.startsWith(`${await real(folder)}${sep}`)) {
      throw new CycleganError(
        'output',
        `[train] ${run}: expected a run folder outside the images, got one in ${folder}. Choose another --out.`,
      );
    }
  }
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

function describe(config: RunConfig, folders: { A: ImageFolder; B: ImageFolder }): string {
  const { ngf, blocks } = config.networks.generator;
  const skipped = folders.A.skipped + folders.B.skipped;
  const left = skipped > 0 ? ` (${skipped} files skipped)` : '';
  return `${folders.A.files.length} images of A and ${folders.B.files.length} of B${left}; ${config.size}×${config.size} px, ngf ${ngf}, ${blocks} blocks, batch ${config.batch}, ${config.steps} steps.`;
}
