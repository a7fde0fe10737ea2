/**
 * Checkpoints in a run folder: `checkpoints/<step>/{weights.safetensors,optimizer.safetensors,state.json}` and
 * `checkpoints/latest` and `best`, the steps of the newest and of the best one. A kill at any moment leaves the last good one. Knows no training:
 * what `state` and `metadata` hold is the caller's.
 */
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CycleganError, isCycleganError } from '@cyclegan/runtime-core';
import { z } from 'zod';
import { makeFolder, syncFolder, TEMPORARY_PREFIX, writeAtomic, writing } from './atomic.js';
import { readFloats, type Tensor, writeSafetensors } from './safetensors.js';
import {
  BEST,
  cleanUp,
  findCheckpoints,
  kindOf,
  LATEST,
  moveIntoPlace,
  namedStep,
  prune,
} from './step-folders.js';

/** The version of `state.json` this code writes, and the newest it reads. */
export const CHECKPOINT_VERSION = 1;

const WEIGHTS = 'weights.safetensors';
const OPTIMIZER = 'optimizer.safetensors';
const STATE = 'state.json';
/** Tensors are kept elsewhere, so that what is plain JSON stays small. */
const MAX_STATE_BYTES = 64 * 2 ** 20;

const stateSchema = z.object({
  version: z.number().int().positive(),
  step: z.number().int().nonnegative(),
  state: z.unknown(),
});

export interface CheckpointContents {
  /** Steps trained so far. */
  readonly step: number;
  /** Parameters by the reference's names behind the network's, as `G_A.model.1.weight`. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Adam's moments and what else training carries as tensors, under names of the caller's choice. */
  readonly optimizer: ReadonlyMap<string, Tensor>;
  /** Plain JSON; the caller's schema checks it on the way back. */
  readonly state: unknown;
  /** Goes into the weights file, so that it suffices alone; `networks` is the JSON of the networks' options. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface WriteCheckpointOptions extends CheckpointContents {
  /** The run folder. Made where missing. */
  readonly run: string;
  /** This one is the best so far, and stays until another is. */
  readonly best?: boolean | undefined;
  /** How many checkpoints stay, this one included and the best not counted. Default 3. */
  readonly keep?: number | undefined;
}

/** Weights, and where they came from. */
export interface WeightsFile {
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
  /** The step folder, or the weights file. */
  readonly path: string;
}

export interface Checkpoint extends CheckpointContents {
  readonly path: string;
}

export interface ReadOptions {
  /** Told in one sentence when a damaged checkpoint is passed over for an older one. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/**
 * Writes a checkpoint and lets `latest` name it; then removes those older than the newest `keep`, and what a
 * killed writer left. One writer a run folder. The tensors must not change before the promise settles.
 * @returns the step folder
 * @throws CycleganError `output` when the run folder cannot be written; the checkpoints in it stay as they were
 */
export async function writeCheckpoint(options: WriteCheckpointOptions): Promise<string> {
  const { run, step, weights, optimizer, state, metadata, keep = 3 } = options;
  if (!Number.isSafeInteger(step) || step < 0 || !(keep >= 1)) {
    throw new Error(`internal: checkpoint of step ${step}, keep ${keep}`);
  }
  const folder = join(run, 'checkpoints');
  const path = join(folder, String(step));
  const beside = join(folder, `${TEMPORARY_PREFIX}${step}`);
  await writing(folder, async () => {
    await makeFolder(folder);
    await cleanUp(folder);
    await mkdir(beside);
    try {
      await writeSafetensors(join(beside, WEIGHTS), weights, { ...metadata, step: String(step) });
      await writeSafetensors(join(beside, OPTIMIZER), optimizer, { step: String(step) });
      await writeAtomic(
        join(beside, STATE),
        `${JSON.stringify({ version: CHECKPOINT_VERSION, step, state })}\n`,
      );
      await moveIntoPlace(beside, folder, step);
    } catch (error) {
      await rm(beside, { recursive: true, force: true });
      throw error;
    }
    await syncFolder(folder);
    await writeAtomic(join(folder, LATEST), `${step}\n`);
    if (options.best) await writeAtomic(join(folder, BEST), `${step}\n`);
    await prune(folder, step, keep);
  });
  return path;
}

/**
 * Reads a checkpoint whole.
 * @param path a run folder (its latest checkpoint; where that is damaged, the newest good one, with a warning), a
 *   step folder, or the file `checkpoints/best` or `checkpoints/latest`
 * @throws CycleganError `run` for a folder that holds no checkpoint, `bundle` for one that is damaged
 */
export async function readCheckpoint(path: string, options: ReadOptions = {}): Promise<Checkpoint> {
  return readFirstGood(path, readStepFolder, options);
}

/**
 * Reads the weights alone, which is all that export needs.
 * @param path what {@link readCheckpoint} takes, or a weights file
 * @throws CycleganError as {@link readCheckpoint}
 */
export async function readWeights(path: string, options: ReadOptions = {}): Promise<WeightsFile> {
  const step = await namedStep(path);
  if (step === undefined && (await kindOf(path)) === 'file') return readWeightsFile(path, path);
  return readFirstGood(path, (folder) => readWeightsFile(join(folder, WEIGHTS), folder), options);
}

async function readWeightsFile(file: string, path: string): Promise<WeightsFile> {
  const { tensors, metadata } = await readFloats(file);
  return { weights: tensors, metadata, path };
}

async function readStepFolder(path: string): Promise<Checkpoint> {
  const { step, state } = await readState(join(path, STATE));
  const weights = await readFloats(join(path, WEIGHTS));
  const optimizer = await readFloats(join(path, OPTIMIZER));
  for (const [file, { metadata }] of [[WEIGHTS, weights] as const, [OPTIMIZER, optimizer] as const]) {
    if (metadata['step'] !== String(step)) {
      throw unsound(path, `files of one step, ${step}`, `step ${metadata['step']} in ${file}`);
    }
  }
  return {
    path,
    step,
    state,
    weights: weights.tensors,
    optimizer: optimizer.tensors,
    metadata: weights.metadata,
  };
}

async function readState(path: string): Promise<{ step: number; state: unknown }> {
  let json: unknown;
  try {
    const { size } = await stat(path);
    if (size > MAX_STATE_BYTES) throw unsound(path, `at most ${MAX_STATE_BYTES} bytes`, `${size}`);
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (isCycleganError(error)) throw error;
    throw unsound(path, 'a JSON file', error instanceof SyntaxError ? 'text that is not' : 'none', error);
  }
  const parsed = stateSchema.safeParse(json);
  if (!parsed.success) throw unsound(path, 'version, step and state', 'something else', parsed.error);
  const { version, step, state } = parsed.data;
  if (version > CHECKPOINT_VERSION) {
    throw new CycleganError(
      'bundle',
      `[model] ${path}: expected checkpoint version ${CHECKPOINT_VERSION} or older, got ${version}. Update this program.`,
    );
  }
  return { step, state };
}

async function readFirstGood<Read>(
  path: string,
  read: (folder: string) => Promise<Read>,
  { onWarning }: ReadOptions,
): Promise<Read> {
  const named = await namedStep(path);
  if (named !== undefined) return read(join(dirname(path), String(named)));
  if ((await kindOf(join(path, WEIGHTS))) === 'file') return read(path);
  const candidates = await findCheckpoints(path);
  let failure: unknown;
  for (const folder of candidates) {
    try {
      const found = await read(folder);
      if (failure instanceof Error) onWarning?.(`${failure.message} Went back to ${folder}.`);
      return found;
    } catch (error) {
      if (!isCycleganError(error)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

function unsound(where: string, expected: string, got: string, cause?: unknown): CycleganError {
  return new CycleganError(
    'bundle',
    `[model] ${where}: expected ${expected}, got ${got}. The checkpoint is damaged; take an older one of ${dirname(where)}.`,
    cause === undefined ? {} : { cause },
  );
}
