/** A run from its options to its result: config, folders, engine, data and samples are made or read back here. */
import { readFile, realpath } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { discriminatorMinSize, makeFolder, minSize, sizeMultiple } from '@cyclegan/model';
import { CycleganError } from '@cyclegan/runtime-core';
import { createEngine, withDevice } from './choose-engine.js';
import {
  checkOptions,
  type RunConfig,
  type RunOptions,
  resolveConfig,
  resumeConfig,
  trainingSize,
} from './config/index.js';
import {
  compareFingerprints,
  createDataSource,
  type DataSource,
  type ImageSet,
  loadImages,
  openImageSet,
  planCache,
  trainingShape,
} from './data/index.js';
import type { Engine } from './engine.js';
import { createJudge, decidingMetric } from './held-out.js';
import { applyInitialWeights, type InitialWeights, initialOptions, readInitialWeights } from './init-from.js';
import { lockRun } from './lock.js';
import { assertFits } from './memory.js';
import {
  loadState,
  readConfig,
  refuseExistingRun,
  type TrainingFacts,
  type TrainingState,
  truncateMetrics,
  writeConfig,
} from './run-folder.js';
import { createEventWriter } from './tensorboard/index.js';
import type { TrainEvent, TrainResult } from './train-events.js';
import { type EventSink, runLoop, type Samples } from './training-loop.js';

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

/** Told of what goes on. */
type Emit = (event: TrainEvent) => void;
type Sets = { A: ImageSet; B: ImageSet };

/**
 * Trains, or goes on training, until the config's last step.
 *
 * Resuming is exact: on the same machine the losses and weights are, to the last bit, those of a run that was never
 * stopped. A run that was stopped before its first checkpoint begins again.
 * @throws CycleganError `usage`, `input`, `run`, `output`: see the message; the last checkpoint stays good
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { out: run, resume = false } = options;
  const emit = options.onEvent ?? (() => {});
  // Before the folders are looked through, which may take a while.
  checkOptions(options);
  const old = resume ? await readConfig(run) : undefined;
  if (!old) await refuseExistingRun(run);
  const sets = await openSets(options, old, emit);
  const release = await lockRun(run);
  try {
    return await trainLocked(options, sets, emit);
  } finally {
    await release();
  }
}

/** Alone in the run folder from here on. */
async function trainLocked(options: TrainOptions, sets: Sets, emit: Emit): Promise<TrainResult> {
  const { out: run, signal } = options;
  const warn = (message: string) => emit({ type: 'warning', message });
  const note = (message: string) => emit({ type: 'note', message });
  const old = options.resume ? await readConfig(run) : undefined;
  if (!old) await refuseExistingRun(run);
  const initial = await initialWeights(options, old, warn);
  const asked: RunOptions = initial && !old ? { ...initialOptions(initial), ...given(options) } : options;
  const images = {
    a: options.a,
    b: options.b,
    stepsPerEpoch: (batch: number) => Math.ceil(Math.max(sets.A.files.length, sets.B.files.length) / batch),
  };
  const config = old
    ? resumeConfig(asked, old, images)
    : await settle(resolveConfig(asked, images), asked, sets, emit, signal);
  assertFits(config);
  if (config.held) decidingMetric(config);
  const saved = old ? await loadState(run, old, warn) : undefined;
  const facts: TrainingFacts = {
    elapsed: 0,
    ...saved?.facts,
    data: { a: sets.A.fingerprint, b: sets.B.fingerprint },
    counts: { a: sets.A.files.length, b: sets.B.files.length },
  };
  if (old) warnOfChanges(config, old, saved, facts, warn);
  if (saved && saved.step > config.steps) {
    throw new CycleganError(
      'usage',
      `[train] steps: expected at least the ${saved.step} that the run has made, got ${config.steps}. Leave --steps out, or give more.`,
    );
  }
  if (saved && saved.step === config.steps) {
    note(`The run is at step ${saved.step} of ${config.steps} already; add --steps to train on.`);
    const {
      step,
      facts: { best },
    } = saved;
    const none = { losses: undefined, best, dataWait: 0, stoppedEarly: false };
    return { run, step, steps: config.steps, finished: true, ...none };
  }
  await writeConfig(run, config);
  await makeFolder(join(run, 'samples'));
  const from = saved?.step ?? 0;
  await truncateMetrics(run, from);
  emit({ type: 'started', run, step: from, steps: config.steps });
  note(describe(config, sets));
  if (config.cache !== null) note(await describeCache(config, config.cache, sets));

  const data = openData(config, sets, warn);
  const engine = await createEngine(config, note);
  const samples = await loadSamples(sets, config);
  const judge = await createJudge({ config, engine, chunk: samples.count, onWarning: warn, signal });
  const events = config.tensorboard ? await openEvents(run, from) : undefined;
  try {
    if (saved) await engine.setState(saved.engine);
    else if (initial) await takeInitial(engine, config, initial, note);
    return await runLoop({ run, config, engine, data, samples, judge, events, facts, from, signal, emit });
  } finally {
    data.dispose();
    await engine.dispose();
    await judge?.dispose();
    await events?.close();
  }
}

async function openSets(options: TrainOptions, old: RunConfig | undefined, emit: Emit): Promise<Sets> {
  const { out, signal } = options;
  const open = (domain: 'A' | 'B', path: string) =>
    openImageSet({
      path,
      domain,
      maxImages: options.maxImages ?? old?.maxImages ?? undefined,
      onWarning: (message) => emit({ type: 'warning', message }),
      onProgress: (at) => emit({ type: 'scan', ...at }),
      signal,
    });
  await refuseInside(out, [options.a, options.b]);
  return { A: await open('A', options.a), B: await open('B', options.b) };
}

/** What only the images and the machine can tell: the size of uncropped images, and the fastest device. */
async function settle(
  config: RunConfig,
  asked: RunOptions,
  sets: Sets,
  emit: Emit,
  signal: AbortSignal | undefined,
): Promise<RunConfig> {
  const shape = await trainingShape(sets.A, sets.B, {
    preprocess: config.preprocess,
    size: config.size,
    loadSize: config.loadSize,
    multiple: sizeMultiple(config.networks.generator),
    onProgress: (at) => emit({ type: 'scan', ...at }),
    signal,
  });
  const least = Math.max(
    minSize(config.networks.generator),
    discriminatorMinSize(config.networks.discriminator),
  );
  if (Math.min(shape.height, shape.width) < least || Math.max(shape.height, shape.width) > 2048) {
    throw new CycleganError(
      'usage',
      `[train] preprocess ${config.preprocess}: expected images that come to sides from ${least} to 2048 px, got ${shape.width}×${shape.height}. Crop, or scale them.`,
    );
  }
  return withDevice({ ...config, ...shape }, asked, signal, (message) => emit({ type: 'note', message }));
}

function openData(config: RunConfig, sets: Sets, onWarning: (message: string) => void): DataSource {
  const { inputChannels, outputChannels } = config.networks.generator;
  return createDataSource({
    a: sets.A,
    b: sets.B,
    preprocess: config.preprocess,
    ...trainingSize(config),
    loadSize: config.loadSize,
    batch: config.batch,
    seed: config.seed,
    flip: config.flip,
    pairing: config.pairing,
    channels: { a: inputChannels, b: outputChannels },
    cache: config.cache ?? undefined,
    prefetch: config.stepsPerRun === 'auto' ? undefined : 4 * config.stepsPerRun,
    onWarning,
  });
}

async function openEvents(run: string, startStep: number): Promise<EventSink & { close(): Promise<void> }> {
  const { scalars, image, close } = await createEventWriter({ folder: join(run, 'tensorboard'), startStep });
  return {
    scalars: (step, values) => scalars(step, Date.now() / 1000, values),
    image: async (step, tag, path) => image(step, tag, await readFile(path)),
    close,
  };
}

/** A run that goes on has its weights; its source may be gone. */
function initialWeights(
  { initFrom }: TrainOptions,
  old: RunConfig | undefined,
  onWarning: (message: string) => void,
): Promise<InitialWeights | undefined> {
  const path = old ? old.initFrom : (initFrom ?? null);
  return path === null ? Promise.resolve(undefined) : readInitialWeights(path, onWarning);
}

async function takeInitial(
  engine: Engine,
  config: RunConfig,
  initial: InitialWeights,
  note: (message: string) => void,
): Promise<void> {
  const { state, taken } = applyInitialWeights(await engine.getState(), config, initial);
  await engine.setState(state);
  const anew = ['G_A', 'G_B', 'D_A', 'D_B'].filter((name) => !taken.includes(name));
  const rest = anew.length > 0 ? `; ${anew.join(', ')} begin anew` : '';
  note(`Weights of ${taken.join(', ')} from ${initial.path}${rest}.`);
}

function warnOfChanges(
  config: RunConfig,
  old: RunConfig,
  saved: TrainingState | undefined,
  facts: TrainingFacts,
  warn: (message: string) => void,
): void {
  for (const domain of ['a', 'b'] as const) {
    const found = saved ? compareFingerprints(saved.facts.data[domain], facts.data[domain]) : 'same';
    if (found === 'same') continue;
    const what = found === 'other' ? 'other files than before' : 'files of other sizes under the same names';
    warn(
      `[train] resume: folder ${domain.toUpperCase()} holds ${what}, so the run goes on with other images than it would have.`,
    );
  }
  const changes = (['threads', 'engine', 'device', 'recompute'] as const)
    .filter((key) => old[key] !== config[key])
    .map((key) => `${key} ${config[key]} instead of ${old[key]}`);
  if (changes.length > 0) {
    warn(
      `[train] resume: ${changes.join(', ')}: sums are rounded otherwise, so the run goes on nearly, not exactly, as it would have.`,
    );
  }
}

/** What a user has said, without what was left out. */
function given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
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

/** The same few images at every sample, spread over each set. */
async function loadSamples(sets: Sets, config: RunConfig): Promise<Samples> {
  const size = trainingSize(config);
  const { inputChannels, outputChannels } = config.networks.generator;
  const count = Math.min(sampleImages, sets.A.files.length, sets.B.files.length);
  const a = await loadImages(sets.A, { ...size, channels: inputChannels, count });
  const b = await loadImages(sets.B, { ...size, channels: outputChannels, count });
  return { a: a.images, b: b.images, count, ...size };
}

function describe(config: RunConfig, { A, B }: Sets): string {
  const { generator } = config.networks;
  const { height, width } = trainingSize(config);
  const kind =
    generator.kind === 'resnet' ? `${generator.blocks} blocks` : `unet of ${generator.downs} halvings`;
  const skipped = A.skipped + B.skipped;
  const left = skipped > 0 ? ` (${skipped} files skipped)` : '';
  return `${A.files.length} images of A and ${B.files.length} of B${left}; ${width}×${height} px, ngf ${generator.ngf}, ${kind}, batch ${config.batch}, ${config.steps} steps.`;
}

/** @throws CycleganError `output` where the disk is too small for it */
async function describeCache(config: RunConfig, cache: string, { A, B }: Sets): Promise<string> {
  const { preprocess, loadSize } = config;
  const { bytes, free } = await planCache({
    a: A,
    b: B,
    cache,
    preprocess,
    loadSize,
    ...trainingSize(config),
  });
  const megabytes = (size: number) => `${Math.ceil(size / 2 ** 20)} MB`;
  if (bytes > free) {
    throw new CycleganError(
      'output',
      `[train] cache, ${cache}: expected ${megabytes(bytes)} of free disk for the decoded images, got ${megabytes(free)}. Choose another disk, or train without --cache.`,
    );
  }
  return `Decoded images go into ${cache}: some ${megabytes(bytes)} when all are there.`;
}
