/** What a run folder holds for people to see, as data. Reads; draws nothing. */
import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';
import {
  createLogReader,
  type EvaluationLine,
  isEvaluation,
  isMetrics,
  type MetricsLine,
} from './metrics-log.js';
import { listSamples, type Sample } from './samples.js';

/** The settings of any version of this tool: plain JSON, nothing of it relied on. */
export type Settings = Readonly<Record<string, unknown>>;

export interface RunData {
  /** The folder's name. */
  name: string;
  settings: Settings;
  metrics: MetricsLine[];
  evaluations: EvaluationLine[];
  /** By step. */
  samples: Sample[];
  /** Step of the best checkpoint, where evaluations chose one. */
  best: number | undefined;
}

const MAX_CONFIG_BYTES = 1_000_000;

/** Reads a run again and again while it goes on; of the log only what is new. */
export interface RunReader {
  /** @throws CycleganError `run` when the folder is no run (yet) */
  read(): Promise<RunData>;
}

/** @param run the folder, which need not be there yet */
export function createRunReader(run: string): RunReader {
  const log = createLogReader(join(run, 'metrics.jsonl'));
  return {
    async read() {
      const settings = await readSettings(join(run, 'config.json'));
      const lines = await log.read();
      const evaluations = lines.filter(isEvaluation);
      return {
        name: basename(resolve(run)),
        settings,
        metrics: lines.filter(isMetrics),
        evaluations,
        samples: await listSamples(run),
        best: evaluations.findLast(({ best }) => best)?.step,
      };
    },
  };
}

async function readSettings(path: string): Promise<Settings> {
  try {
    const { size } = await stat(path);
    if (size > MAX_CONFIG_BYTES) throw new RangeError(`${size} bytes`);
    const config: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof config !== 'object' || config === null) throw new TypeError(`${config}`);
    return { ...config };
  } catch (cause) {
    throw new CycleganError(
      'run',
      `[train] ${path}: expected the config of a run, got none that can be read. Point at a run folder.`,
      { cause },
    );
  }
}
