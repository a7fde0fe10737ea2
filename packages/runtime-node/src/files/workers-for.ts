/** How a folder shares out the cores: many files gain by workers side by side, a lone one by many threads. */
import { availableParallelism } from 'node:os';
import { defaultWorkers } from '../translator/pools.js';

/** More gain little, and each holds the model once. */
const ENOUGH_WORKERS = 4;
/** Files for each worker that pay for its start. */
const FILES_PER_WORKER = 8;

/**
 * Workers for a translator that is to do so many files on the CPU. While one decodes its answer, another computes; and
 * threads of different workers never wait for each other.
 */
export function workersFor(files: number, threads = availableParallelism()): number {
  const useful = Math.min(ENOUGH_WORKERS, threads, Math.floor(files / FILES_PER_WORKER));
  return Math.max(defaultWorkers(threads), useful);
}
