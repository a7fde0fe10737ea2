/**
 * The run folder: config.json, metrics.jsonl, samples/ and, by way of packages/model, checkpoints/. Puts what
 * training holds into files and back; decides nothing about training.
 */
import { appendFile, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Checkpoint,
  type NetworksConfig,
  type Parameter,
  parameterCount,
  readCheckpoint,
  type Tensor,
  writeAtomic,
  writeCheckpoint,
  writing,
} from '@cyclegan/model';
import { CycleganError, isCycleganError } from '@cyclegan/runtime-core';
import { z } from 'zod';
import { plateauSchema, type RunConfig, runConfigSchema, trainingSize } from './config/index.js';
import type { EngineState, GroupState } from './engine.js';
import { readMetrics } from './report/index.js';
import { cutVector, type Group, groupBuffers, groupNames, groupParameters } from './step/state.js';

/** What `state.json` holds beside the tensors. Random numbers need no state: they are functions of the step. */
const stateSchema = z.object({
  updates: z.number().int().nonnegative(),
  /** Seconds of training so far. */
  elapsed: z.number().nonnegative(),
  /** Fingerprints of the two folders' file lists. */
  data: z.object({ a: z.string(), b: z.string() }),
  counts: z.object({ a: z.number().int(), b: z.number().int() }),
  plateau: plateauSchema.optional(),
  /** Cycle losses since the last look at them, which plateau goes by where no images are held out. */
  cycle: z.object({ sum: z.number(), count: z.number().int() }).optional(),
  best: z
    .object({
      metric: z.string(),
      value: z.number(),
      step: z.number().int(),
      /** Evaluations since. */
      since: z.number().int().nonnegative(),
    })
    .optional(),
});

/** What is known of a run beside its arrays. */
export type TrainingFacts = Omit<z.infer<typeof stateSchema>, 'updates'>;

/** A run between two steps, whole: what a checkpoint holds. */
export interface TrainingState {
  step: number;
  engine: EngineState;
  facts: TrainingFacts;
}

/** @throws CycleganError `run` when a new run would go into a folder that holds one already */
export async function refuseExistingRun(run: string): Promise<void> {
  const names: string[] = await readdir(run).catch(() => []);
  if (names.includes('config.json') || names.includes('checkpoints')) {
    throw new CycleganError(
      'run',
      `[train] ${run}: expected a new run folder, got one that holds a run. Add --resume to go on with it, or choose another folder.`,
    );
  }
}

/** Writes config.json, making the folder. @throws CycleganError `output` when it cannot be written */
export async function writeConfig(run: string, config: RunConfig): Promise<void> {
  await writeAtomic(join(run, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}

/** @throws CycleganError `run` when the folder holds no run, or one of another version */
export async function readConfig(run: string): Promise<RunConfig> {
  const path = join(run, 'config.json');
  let json: unknown;
  try {
    if ((await stat(path)).size > 1_000_000) throw new Error('more than a megabyte');
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new CycleganError(
      'run',
      `[train] ${run}: expected a run folder with a config.json, got none that can be read. Check --out, or leave --resume out to begin a run.`,
      { cause },
    );
  }
  const parsed = runConfigSchema.safeParse(json);
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join('.') || 'format';
    throw new CycleganError(
      'run',
      `[train] ${path}: expected the config of a run of this version, got another in "${field}". Begin another run.`,
      { cause: parsed.error },
    );
  }
  return parsed.data;
}

/**
 * Writes a checkpoint.
 * @param best whether it is the best so far
 * @returns its folder
 * @throws CycleganError `output` when it cannot be written; the older ones stay
 */
export async function saveState(
  run: string,
  config: RunConfig,
  state: TrainingState,
  best: boolean,
): Promise<string> {
  const weights: [string, Tensor][] = [];
  const optimizer = new Map<string, Tensor>();
  for (const group of groupNames) {
    const { parameters, m, v, buffers } = state.engine.groups[group];
    weights.push(...cutVector(groupParameters(config.networks, group), parameters));
    weights.push(...cutVector(groupBuffers(config.networks, group), buffers));
    optimizer.set(`${group}.m`, { shape: [m.length], data: m });
    optimizer.set(`${group}.v`, { shape: [v.length], data: v });
  }
  for (const domain of ['A', 'B'] as const) {
    const data = state.engine.pools[domain];
    const shape = imageShape(config, domain);
    const images = data.length / shape.reduce((product, size) => product * size, 1);
    optimizer.set(`pool.${domain}`, { shape: [images, ...shape], data });
  }
  return writeCheckpoint({
    run,
    step: state.step,
    weights: new Map(weights),
    optimizer,
    best,
    keep: config.keep,
    state: { updates: state.engine.updates, ...state.facts },
    metadata: {
      networks: JSON.stringify(config.networks),
      training: JSON.stringify({
        steps: state.step,
        size: config.size,
        batch: config.batch,
        seed: config.seed,
        imagesA: state.facts.counts.a,
        imagesB: state.facts.counts.b,
      }),
    },
  });
}

/**
 * Reads the newest good checkpoint.
 * @returns undefined for a run that was stopped before its first one, which has nothing to lose
 * @throws CycleganError `run` for lost checkpoints or those of other networks, `bundle` for damaged ones
 */
export async function loadState(
  run: string,
  config: RunConfig,
  onWarning: (message: string) => void,
): Promise<TrainingState | undefined> {
  const checkpoint = await readCheckpoint(run, { onWarning }).catch(async (error) => {
    const none = isCycleganError(error) && error.code === 'run';
    if (none && (await readMetrics(metricsPath(run)).catch(() => [])).length === 0) return undefined;
    throw error;
  });
  if (!checkpoint) return undefined;
  const facts = stateSchema.safeParse(checkpoint.state);
  if (!facts.success) throw misfit(checkpoint, 'state.json', facts.error);
  const { updates, ...rest } = facts.data;
  const load = (group: Group): GroupState => ({
    parameters: gather(groupParameters(config.networks, group), checkpoint),
    m: optimizerVector(config.networks, group, checkpoint, 'm'),
    v: optimizerVector(config.networks, group, checkpoint, 'v'),
    buffers: gather(groupBuffers(config.networks, group), checkpoint),
  });
  const pool = (domain: 'A' | 'B') => {
    const tensor = checkpoint.optimizer.get(`pool.${domain}`);
    const [images = 0, ...shape] = tensor?.shape ?? [];
    const fits = shape.join() === imageShape(config, domain).join() && images <= config.pool;
    if (!tensor || !fits) throw misfit(checkpoint, `pool.${domain}`);
    return tensor.data;
  };
  return {
    step: checkpoint.step,
    engine: { updates, groups: { G: load('G'), D: load('D') }, pools: { A: pool('A'), B: pool('B') } },
    facts: rest,
  };
}

/** [C, H, W] of a domain's images. */
function imageShape(config: RunConfig, domain: 'A' | 'B'): number[] {
  const { inputChannels, outputChannels } = config.networks.generator;
  const { height, width } = trainingSize(config);
  return [domain === 'A' ? inputChannels : outputChannels, height, width];
}

function gather(parts: readonly Parameter[], checkpoint: Checkpoint): Float32Array {
  const flat = new Float32Array(parameterCount(parts));
  let at = 0;
  for (const { name, shape } of parts) {
    const tensor = checkpoint.weights.get(name);
    if (tensor?.shape.join() !== shape.join()) throw misfit(checkpoint, name);
    flat.set(tensor.data, at);
    at += tensor.data.length;
  }
  return flat;
}

function optimizerVector(
  networks: NetworksConfig,
  group: Group,
  checkpoint: Checkpoint,
  key: 'm' | 'v',
): Float32Array {
  const data = checkpoint.optimizer.get(`${group}.${key}`)?.data;
  if (data?.length !== parameterCount(groupParameters(networks, group)))
    throw misfit(checkpoint, `${group}.${key}`);
  return data;
}

function misfit(checkpoint: Checkpoint, what: string, cause?: unknown): CycleganError {
  return new CycleganError(
    'run',
    `[train] ${checkpoint.path}: expected a checkpoint of the networks in config.json, got another in ${what}. Begin another run.`,
    { cause },
  );
}

/** Appends one line to metrics.jsonl. @throws CycleganError `output` when it cannot be written */
export async function appendMetrics(run: string, line: object): Promise<void> {
  const path = metricsPath(run);
  await writing(path, () => appendFile(path, `${JSON.stringify(line)}\n`));
}

/** Drops the lines of steps after a checkpoint, which will be made again, and what is no line. */
export async function truncateMetrics(run: string, step: number): Promise<void> {
  const text = await readFile(metricsPath(run), 'utf8').catch(() => '');
  const kept = text.split('\n').filter((line) => {
    const at = stepOf(line);
    return at !== undefined && at <= step;
  });
  await writeAtomic(metricsPath(run), kept.map((line) => `${line}\n`).join(''));
}

function stepOf(line: string): number | undefined {
  try {
    return z.object({ step: z.number() }).parse(JSON.parse(line)).step;
  } catch {
    return undefined;
  }
}

function metricsPath(run: string): string {
  return join(run, 'metrics.jsonl');
}
