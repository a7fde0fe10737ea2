/** A run from its options to its result: config, folders, engine, data and samples are made or read back here. */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '@cyclegan/model';
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
import { compareFingerprints } from './data/index.js';
import type { Engine } from './engine.js';
import { createJudge, decidingMetric, type Judge } from './held-out.js';
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
import {
  describe,
  describeCache,
  loadSamples,
  measureSets,
  openData,
  openSets,
  type Sets,
} from './run-images.js';
import { createEventWriter } from './tensorboard/index.js';
import type { TrainEvent, TrainResult } from './train-events.js';
import { type EventSink, runLoop } from './training-loop.js';

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
  const maxImages = options.maxImages ?? old?.maxImages ?? undefined;
  const { a, b, signal } = options;
  const sets = await openSets({ a, b, out: run, maxImages, emit, signal });
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
  let initial = old || !options.initFrom ? undefined : await readInitialWeights(options.initFrom, warn);
  const asked: RunOptions = initial ? { ...initialOptions(initial), ...given(options) } : options;
  const images = {
    a: options.a,
    b: options.b,
    stepsPerEpoch: (batch: number) => Math.ceil(Math.max(sets.A.files.length, sets.B.files.length) / batch),
    threads: availableParallelism(),
  };
  const unmeasured = old ? resumeConfig(asked, old, images) : resolveConfig(asked, images);
  const measured = { ...unmeasured, ...(await measureSets(unmeasured, sets, emit, signal)) };
  if (old) refuseOtherSize(old, measured);
  assertFits(measured);
  const config = old ? measured : await withDevice(measured, asked, signal, note);
  if (config.held) decidingMetric(config);
  const saved = old ? await loadState(run, old, warn) : undefined;
  // A run that goes on has its weights, unless it was stopped before its first checkpoint.
  if (old?.initFrom && !saved) initial = await readInitialWeights(old.initFrom, warn);
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
  const from = saved?.step ?? 0;
  const planned = config.cache === null ? undefined : await describeCache(config, config.cache, sets);
  // Whatever cannot be had is found before the run folder says that there is a run.
  const engine = await createEngine(config, note);
  const data = openData(config, sets, engine.stepsPerRun, warn);
  let judge: Judge | undefined;
  let events: Awaited<ReturnType<typeof openEvents>> | undefined;
  try {
    const samples = await loadSamples(sets, config);
    judge = await createJudge({ config, engine, chunk: samples.count, onWarning: warn });
    if (saved) await engine.setState(saved.engine);
    else if (initial) await takeInitial(engine, config, initial, note);
    await writeConfig(run, config);
    await makeFolder(join(run, 'samples'));
    await truncateMetrics(run, from);
    events = config.tensorboard ? await openEvents(run, from) : undefined;
    emit({ type: 'started', run, step: from, steps: config.steps });
    note(describe(config, sets));
    if (planned !== undefined) note(planned);
    return await runLoop({ run, config, engine, data, samples, judge, events, facts, from, signal, emit });
  } finally {
    data.dispose();
    await engine.dispose();
    await judge?.dispose();
    await events?.close();
  }
}

/** Images that are not cropped decide a run's size, and may have changed since. */
function refuseOtherSize(old: RunConfig, now: RunConfig): void {
  const [before, after] = [trainingSize(old), trainingSize(now)];
  if (before.height === after.height && before.width === after.width) return;
  throw new CycleganError(
    'run',
    `[train] resume: expected images of ${before.width}×${before.height} px as before, got ${after.width}×${after.height}. Bring the old images back, or begin another run.`,
  );
}

async function openEvents(run: string, startStep: number): Promise<EventSink & { close(): Promise<void> }> {
  const { scalars, image, close } = await createEventWriter({ folder: join(run, 'tensorboard'), startStep });
  return {
    scalars: (step, values) => scalars(step, Date.now() / 1000, values),
    image: async (step, tag, path) => image(step, tag, await readFile(path)),
    close,
  };
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
