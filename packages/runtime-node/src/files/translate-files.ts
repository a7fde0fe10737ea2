/**
 * Files, folders and patterns through a translator: reading, computing and writing overlap, a bounded number of files
 * at a time. What is written is whole or not there, and what is done is known to the next run.
 */
import {
  CycleganError,
  isCycleganError,
  type Progress,
  selectPair,
  type TranslatorInfo,
  throwIfAborted,
} from '@cyclegan/runtime-core';
import { type ImageOptions, translateImage } from '../images/translate-image.js';
import type { NodeTranslator } from '../translator/translator.js';
import { isVideo, translateVideo } from '../video/index.js';
import {
  assertDestination,
  type Destination,
  Full,
  type Identity,
  type Work,
  withFolder,
  withZip,
} from './destination.js';
import { createGate } from './gate.js';
import { ledgerPath, readLedger } from './ledger.js';
import { type FileJob, formatOf, planFiles } from './plan.js';
import { hashInput, translationKey } from './translation-key.js';

export interface FilesProgress {
  /** Files that are finished, well or not. */
  done: number;
  total: number;
  file: string;
  /** Of `file`, while it is not finished: the tiles of a large image, the frames of an animation or a video. */
  part?: { done: number; total: number | null };
  /** What a user should know of the translation of `file`, a sentence each. */
  notes?: readonly string[];
  /** How `file` ended; `skipped`: an earlier run had done it. */
  outcome?: 'translated' | 'skipped' | 'failed';
  /** Where the translation of `file` is: a path, or a name in the ZIP. */
  output?: string;
  /** Why `file` failed. */
  error?: Error;
}

/** Smoothing, where it is left out, is what is usual for the kind: 0 for animations, 0.9 for videos. */
export interface TranslateFilesOptions extends ImageOptions {
  /**
   * Its owner disposes of it. Or how to open one: called once, when all paths have been found good, and told how many
   * files there are, see {@link workersFor}.
   */
  translator: NodeTranslator | ((files: number) => Promise<NodeTranslator>);
  /** Files, folders that are searched to their depths, and patterns such as `photos/*.jpg`. */
  inputs: readonly string[];
  /** The output folder; made if it is not there. Either this or `zip`. */
  out?: string | undefined;
  /** A ZIP without folders, stored: JPEGs of 256 x 256 where `format` and `size` do not say otherwise. */
  zip?: string | undefined;
  /** Passes over what an earlier run into `out` has made of the same bytes with the same model and options. */
  resume?: boolean | undefined;
  /** Files that are worked on at a time; default: so many that every worker finds the next one ready. */
  concurrency?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called once, before the first file. */
  onStart?: ((total: number, info: TranslatorInfo) => void) | undefined;
  onProgress?: ((progress: FilesProgress) => void) | undefined;
}

/** Counts, for there may be millions; `onProgress` tells of each file, and the ledger in the output folder keeps them. */
export interface TranslateFilesResult {
  /** By what. */
  info: TranslatorInfo;
  /** From the first file to the last. */
  seconds: number;
  translated: number;
  skipped: number;
  failed: number;
  /** The first {@link MAX_FAILURES} of those that failed. */
  failures: { file: string; error: Error }[];
  /** The file in `out` that has a line for each file that was translated or failed; none for a ZIP. */
  ledger: string | undefined;
}

export const MAX_FAILURES = 1000;
const MAX_CONCURRENCY = 1024;
/** The format and size of Kaggle's competition in painting photos. */
const ZIP_DEFAULTS = { format: 'jpg', size: { width: 256, height: 256 } } as const;

/**
 * Translates all, and goes on past files that fail.
 *
 * When a run is stopped or killed, the files that were finished are in `out`, and its ledger
 * (`.cyclegan/translations.jsonl`) names them for `resume`. A ZIP is there when all of it is.
 * @throws CycleganError before any work: `usage` (an option), `input` (a path that is missing, a folder or pattern
 * without images), `output` (a place that cannot be written, an input that would be replaced); later `output` when
 * the disk is full, and `aborted`
 */
export async function translateFiles(options: TranslateFilesOptions): Promise<TranslateFilesResult> {
  const planned = await plan(options);
  await assertDestination(planned);
  const ready = { ...planned, translator: await opened(planned) };
  const { out, zip, jobs, resume = false, onStart } = ready;
  const use = (destination: Destination) => {
    onStart?.(jobs.length, ready.translator.info);
    return translateAll(ready, destination);
  };
  if (zip !== undefined) return withZip(zip, use);
  return withFolder({ out: out ?? '', resume, identity: identityOf(ready) }, use);
}

/** What {@link translateFiles} would do: nothing is translated or written. */
export interface FilesPreview {
  /** By what. */
  info: TranslatorInfo;
  /** Of all files, in order. */
  jobs: readonly FileJob[];
  /** Those of `jobs` that are videos. */
  videos: number;
  /** Those that a run with `resume` would pass over. */
  done: number;
}

/**
 * With `resume`, the inputs that may be done are read for their hashes.
 * @throws as {@link translateFiles} before any work, but for places that cannot be written
 */
export async function previewFiles(options: TranslateFilesOptions): Promise<FilesPreview> {
  const planned = await plan(options);
  const ready = { ...planned, translator: await opened(planned) };
  const { out, jobs, resume, signal } = ready;
  const { info } = ready.translator;
  const videos = jobs.filter(({ input }) => isVideo(input)).length;
  if (!resume || out === undefined) return { info, jobs, videos, done: 0 };
  const ledger = await readLedger(out);
  const identity = identityOf(ready);
  let done = 0;
  for (const { input, name } of jobs) {
    throwIfAborted(signal, '[translate] files');
    if (!ledger.knows(name)) continue;
    // One that cannot be read is not done; the run will say why.
    const hash = await hashInput(input).catch(() => '');
    if (await ledger.has(name, translationKey({ input: hash, ...identity }))) done += 1;
  }
  return { info, jobs, videos, done };
}

interface Planned extends TranslateFilesOptions {
  jobs: readonly FileJob[];
}

interface Ready extends Planned {
  translator: NodeTranslator;
}

async function plan(options: TranslateFilesOptions): Promise<Planned> {
  const { inputs, out, zip, resume, concurrency = 1, signal } = options;
  if ((out === undefined) === (zip === undefined)) {
    throw usage('output', 'out or zip', out === undefined ? 'neither' : 'both', 'Choose one.');
  }
  if (zip !== undefined && resume) throw usage('resume', 'an output folder', 'a ZIP', 'Leave it out.');
  if (!Number.isSafeInteger(concurrency) || concurrency < 1 || concurrency > MAX_CONCURRENCY) {
    const expected = `a whole number from 1 to ${MAX_CONCURRENCY}`;
    throw usage('concurrency', expected, String(concurrency), 'Leave it out for the default.');
  }
  throwIfAborted(signal, '[translate] files');
  const { format, size } = zip === undefined ? ({ format: 'keep', size: undefined } as const) : ZIP_DEFAULTS;
  const written = { format: options.format ?? format, size: options.size ?? size };
  return { ...options, ...written, jobs: await planFiles({ inputs, out, format: written.format }) };
}

async function opened({ translator, jobs }: Planned): Promise<NodeTranslator> {
  return typeof translator === 'function' ? translator(jobs.length) : translator;
}

function usage(what: string, expected: string, got: string, fix: string): CycleganError {
  return new CycleganError('usage', `[translate] ${what}: expected ${expected}, got ${got}. ${fix}`);
}

/** Everything by which a translation differs; threads, device and memory are not among it. */
function identityOf(options: Ready): Identity {
  const { translator, format, quality, size, metadata, profile, background, smoothing } = options;
  const { direction, precision, manifest, settings } = translator.info;
  const model = manifest.models.find((each) => each.direction === direction && each.precision === precision);
  if (!model) throw new Error('internal: a translator whose model is not in its manifest');
  const { memory: _, ...taken } = settings;
  return {
    model: model.sha256,
    options: { ...taken, image: { format, quality, size, metadata, profile, background, smoothing } },
  };
}

async function translateAll(options: Ready, destination: Destination): Promise<TranslateFilesResult> {
  const { translator, jobs, signal, onProgress } = options;
  const { info } = translator;
  const { workers, batch } = info;
  const { concurrency = Math.min(2 * workers * batch + 2, MAX_CONCURRENCY) } = options;
  const started = performance.now();
  const result = { translated: 0, skipped: 0, failed: 0 };
  const failures: TranslateFilesResult['failures'] = [];
  const gate = createGate();
  const total = jobs.length;
  let next = 0;
  let done = 0;
  /** What ends the whole run. */
  let end: { cause: unknown } | undefined;

  async function translateOne(job: FileJob): Promise<void> {
    const { input: file } = job;
    const output = destination.place(job);
    const tell = (event: Partial<FilesProgress>) => onProgress?.({ done, total, file, ...event });
    try {
      const leave = await gate.enter(file);
      const outcome = await destination.put(job, workOn(job, options, tell)).finally(leave);
      result[outcome] += 1;
      done += 1;
      tell({ outcome, output });
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      if (signal?.aborted) return;
      if (error instanceof Full) throw error.cause;
      if (isCycleganError(error) && error.code === 'usage') throw error;
      result.failed += 1;
      done += 1;
      if (failures.length < MAX_FAILURES) failures.push({ file, error });
      await destination.failed(job, error);
      tell({ outcome: 'failed', error });
    }
  }

  async function lane(): Promise<void> {
    while (!end && !signal?.aborted) {
      const job = jobs[next++];
      if (!job) return;
      await translateOne(job).catch((cause) => {
        end ??= { cause };
      });
    }
  }

  await Promise.all(Array.from({ length: Math.min(concurrency, total) }, lane));
  if (end) throw end.cause;
  throwIfAborted(signal, `[translate] files, ${done} of ${total} done`);
  return {
    info,
    seconds: (performance.now() - started) / 1000,
    ...result,
    failures,
    ledger: options.out && ledgerPath(options.out),
  };
}

const NO_PAIR =
  'The bundle has no pair for tiles of this model: tiles of large images may differ in tone. Export it with --tiles.';

function workOn(
  { input, name }: FileJob,
  options: Ready,
  tell: (event: Pick<FilesProgress, 'part' | 'notes'>) => void,
): Work {
  const { translator, quality, smoothing, signal } = options;
  const onProgress = ({ done, total }: { done: number; total: number | null }) => {
    if (total !== 1) tell({ part: { done, total } });
  };
  let tiled = false;
  const onImage = (progress: Progress) => {
    onProgress(progress);
    if (tiled || progress.stage !== 'tile' || progress.total === 1) return;
    tiled = true;
    if (selectPair(translator.info.manifest, translator.info) === null) tell({ notes: [NO_PAIR] });
  };
  return {
    async image() {
      const format = formatOf(name) ?? 'png';
      return (await translateImage(translator, input, { ...options, format, onProgress: onImage })).data;
    },
    async video(output) {
      const call = { translator, input, output, quality, smoothing, signal, onProgress };
      const { notes } = await translateVideo(call);
      if (notes.length > 0) tell({ notes });
    },
  };
}
