/**
 * This process's pools: how many workers a device gets, the one worker that all GPU sessions share, and translators
 * over the same model that share one pool. Computes nothing.
 */
import { createHash } from 'node:crypto';
import {
  connectWorker,
  createPool,
  type OpenRequest,
  type Pool,
  type PoolOptions,
  type WorkerClient,
} from '@cyclegan/runtime-core';
import type { NodeSource } from './bundle.js';
import { startWorker } from './start-worker.js';
import { createTurn } from './turn.js';

/**
 * The threads of one run wait for the slowest of them at every layer, so that few threads in several workers translate
 * more images a second than many threads in one; a lone image is the later the fewer it has.
 */
const THREADS_PER_WORKER = 4;
/** Images of one size that share a run on a GPU, which a single small one does not fill. */
const GPU_BATCH = 4;

export interface PoolSize {
  /** Of all workers together; on the CPU. */
  threads: number;
  workers: number;
  batch: number | undefined;
}

/** Workers on the CPU where the program does not say. */
export function defaultWorkers(threads: number): number {
  return Math.ceil(threads / THREADS_PER_WORKER);
}

/** Opens a model's pool on its device, or joins the one that another translator has opened. */
export function openPool(
  request: Omit<OpenRequest<NodeSource>, 'threads'>,
  { threads, workers, batch }: PoolSize,
  onProgress: NonNullable<PoolOptions<NodeSource>['onProgress']>,
): Pool {
  const { device } = request;
  const gpu = device !== 'cpu';
  // What runs on the one GPU worker is computed one after the other however many sessions there are.
  const count = gpu ? 1 : Math.min(threads, workers);
  const shares = Array.from({ length: count }, (_, i) => Math.ceil((threads - i) / count));
  const [first = { ...request, threads }, ...others] = shares.map((share) => ({
    ...request,
    threads: share,
  }));
  const options: PoolOptions<NodeSource> = {
    requests: [first, ...others],
    batch: batch ?? (gpu ? GPU_BATCH : 1),
    connect: gpu ? gpuWorker : () => connectWorker(device, startWorker(createTurn())),
    onProgress,
  };
  if (typeof request.source !== 'string') return createPool(options);
  // With the path, so that a damaged copy of a model that is in use is still refused.
  const key = JSON.stringify([request, shares, options.batch]);
  return sharedPool(createHash('sha256').update(key).digest('hex'), options);
}

const gpuTurn = createTurn();
let gpu: WorkerClient<NodeSource> | undefined;

/** Two WebGPU sessions that run at once end the process, so all GPU sessions live in one worker. */
function gpuWorker(): WorkerClient<NodeSource> {
  if (!gpu?.usable) gpu = connectWorker('GPU', startWorker(gpuTurn));
  return gpu;
}

const shared = new Map<string, { pool: Pool; users: number }>();

function sharedPool(key: string, options: PoolOptions<NodeSource>): Pool {
  const known = shared.get(key);
  const entry = known?.pool.usable ? known : { pool: createPool(options), users: 0 };
  const { pool } = entry;
  shared.set(key, entry);
  entry.users += 1;
  let ending: Promise<void> | undefined;

  async function leave(): Promise<void> {
    entry.users -= 1;
    if (entry.users > 0) return;
    if (shared.get(key) === entry) shared.delete(key);
    await pool.end();
  }

  return {
    opened: entry === known ? pool.opened.then(announced) : pool.opened,
    get usable() {
      return pool.usable;
    },
    workers: pool.workers,
    batch: pool.batch,
    run: pool.run,
    end() {
      ending ??= leave();
      return ending;
    },
  };

  /** Who joins a pool heard nothing of its opening. */
  function announced<T>(facts: T): T {
    // As a microtask of its own, so that what a listener throws surfaces as from any event listener.
    for (const stage of ['session', 'check'] as const) {
      queueMicrotask(() => options.onProgress?.({ stage, done: 1, total: 1 }));
    }
    return facts;
  }
}
