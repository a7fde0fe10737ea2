/**
 * What a program and its workers say to each other: plain data that can be cloned, and the functions that each side
 * calls on the other. How it travels is worker-link.ts; the two ends are worker-client.ts and translator-worker.ts.
 */
import type { ErrorData } from './errors.js';
import type { ModelEntry, VariantEntry } from './manifest.js';
import type { Pixels } from './pixels.js';
import type { PrepareOptions, TranslatedFrame, TranslatePixelsOptions } from './translate-pixels.js';
import type { ConcreteDevice, Progress, TranslatorInfo } from './translator.js';

/** A file of the pair for tiles, in the runtime's own form. */
export interface PairFile<Source> {
  entry: VariantEntry;
  source: Source;
}

/** What a worker needs to open a session. */
export interface OpenRequest<Source> {
  device: ConcreteDevice;
  model: ModelEntry;
  /** The model file in the runtime's own form: a path, a Blob, URLs. */
  source: Source;
  /** The graphs by which tiles share their statistics; null where the bundle has none for this model. */
  pair: { statistics: PairFile<Source>; tile: PairFile<Source> } | null;
  /** Undefined: as the worker chooses. */
  threads: number | undefined;
}

export type Opened = Pick<TranslatorInfo, 'selfCheckError' | 'threads' | 'loadMs'>;

/** How one image is to be translated, apart from the model. */
export interface Job extends Omit<PrepareOptions, 'model'>, Pick<TranslatePixelsOptions, 'statistics'> {
  /** Names the call in `abort` and `report`. */
  id: number;
  pixels: Pixels;
}

/** What became of a job. */
export type Answer = { frame: TranslatedFrame; runMs: number } | { error: ErrorData };

/** Called by the program, in the worker. Ids are the program's, above 0 and used once. */
export interface WorkerFunctions<Source> {
  /**
   * Opens a session and runs the self-check.
   * @param id names the session from now on, and the call in `report`
   */
  open(id: number, request: OpenRequest<Source>): Promise<Opened>;
  /**
   * @param jobs several only where all are of one padded size and run by the plain model: they share a run if they can
   * @returns in the order of the jobs; rejects never for a job's own failure
   */
  translate(session: number, jobs: readonly Job[]): Promise<Answer[]>;
  /** Stops a job between tiles, or before it begins. */
  abort(id: number): void;
  /** Stops what runs on a session and frees it. */
  close(session: number): Promise<void>;
}

/** Called by the worker, in the program. */
export interface HostFunctions {
  /** @param id of the job, or of the session while it is opened */
  report(id: number, progress: Progress): void;
}
