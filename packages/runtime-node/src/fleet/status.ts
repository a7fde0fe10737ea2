/** How the fleet is doing: batches, their progress and pace, the workers that are alive, what waits. Reads only. */
import { CycleganError } from '@cyclegan/runtime-core';
import type { FleetContext } from './fleet.js';
import { type BatchState, createLedger, type Progress } from './ledger.js';
import { type Batch, batchSchema, readRecord, type WorkerReport, workerSchema } from './records.js';

export interface BatchStatus extends Progress {
  batch: string;
  name: string;
  /** `submitting` where a submit is under way or was broken off; `failed` where chunks or images did. */
  state: 'submitting' | 'running' | 'done' | 'failed' | 'cancelled';
  model: Batch['model'];
  out: string;
  chunks: number;
  /** Images a second over the last minute, of all workers that are alive. */
  rate: number;
  /** Seconds at this rate; null where it is 0. */
  secondsLeft: number | null;
  createdAt: number;
  finishedAt: number | null;
}

export interface FleetStatus {
  queue: string;
  batches: BatchStatus[];
  workers: ({ id: string } & WorkerReport)[];
  /** Chunks, of all batches. */
  jobs: { waiting: number; active: number; delayed: number; dead: number };
}

/** As `Fleet.status` says. */
export async function fleetStatus(context: FleetContext): Promise<FleetStatus> {
  const { queue, redis, keys } = context;
  const workers = await readWorkers(context);
  const batches: BatchStatus[] = [];
  for (const id of await redis.zrevrange(keys.batches, 0, -1)) {
    const status = await readStatus(context, id, workers);
    if (status) batches.push(status);
    else await redis.zrem(keys.batches, id);
  }
  const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed');
  return {
    queue: queue.name,
    batches,
    workers,
    jobs: {
      waiting: counts['waiting'] ?? 0,
      active: counts['active'] ?? 0,
      delayed: counts['delayed'] ?? 0,
      dead: counts['failed'] ?? 0,
    },
  };
}

/** As `Fleet.batch` says. */
export async function batchStatus(context: FleetContext, wanted: string): Promise<BatchStatus> {
  const { id } = await findBatch(context, wanted);
  const status = await readStatus(context, id, await readWorkers(context));
  if (!status) throw unknown(wanted);
  return status;
}

/** @throws CycleganError `input` */
export async function findBatch(
  context: FleetContext,
  wanted: string,
): Promise<{ id: string; batch: Batch }> {
  const { redis, keys } = context;
  const direct = await readBatch(context, wanted);
  if (direct) return { id: wanted, batch: direct };
  for (const id of await redis.zrevrange(keys.batches, 0, -1)) {
    const batch = await readBatch(context, id);
    if (batch?.name === wanted) return { id, batch };
  }
  throw unknown(wanted);
}

/** Undefined where there is none. */
export async function readBatch({ redis, keys }: FleetContext, id: string): Promise<Batch | undefined> {
  const json = await redis.hget(keys.of(id).batch, 'record');
  return json === null ? undefined : readRecord(batchSchema, json, `batch ${id}`);
}

function unknown(wanted: string): CycleganError {
  return new CycleganError(
    'input',
    `[fleet] ${wanted}: expected the id or the name of a batch, got one that is not in this queue. See \`cyclegan fleet status\`.`,
  );
}

async function readStatus(
  context: FleetContext,
  id: string,
  workers: readonly WorkerReport[],
): Promise<BatchStatus | undefined> {
  const batch = await readBatch(context, id);
  if (!batch) return undefined;
  const ledger = createLedger({ ...context, batch: id });
  const progress = await ledger.progress();
  const finishedAt = await context.redis.hget(context.keys.of(id).batch, 'finishedAt');
  const rate = workers.reduce((sum, { rates }) => sum + (rates[id] ?? 0), 0);
  const left = progress.images - progress.done - progress.failed - progress.dead;
  return {
    batch: id,
    name: batch.name,
    state: stateOf(await ledger.state(), progress, left),
    ...progress,
    model: batch.model,
    out: batch.out,
    chunks: batch.chunks,
    rate,
    secondsLeft: left === 0 ? 0 : rate > 0 ? left / rate : null,
    createdAt: batch.createdAt,
    finishedAt: finishedAt === null ? null : Number(finishedAt),
  };
}

function stateOf(state: BatchState | null, progress: Progress, left: number): BatchStatus['state'] {
  if (state === 'cancelled') return 'cancelled';
  if (left <= 0) return progress.failed + progress.dead > 0 ? 'failed' : 'done';
  return state === 'submitting' ? 'submitting' : 'running';
}

/** Those whose last sign of life has not run out. */
async function readWorkers({ redis, keys }: FleetContext): Promise<({ id: string } & WorkerReport)[]> {
  const ids = await redis.smembers(keys.workers);
  if (ids.length === 0) return [];
  const reports = await redis.mget(ids.map(keys.worker));
  const alive: ({ id: string } & WorkerReport)[] = [];
  for (const [i, id] of ids.entries()) {
    const json = reports[i];
    if (json) alive.push({ id, ...readRecord(workerSchema, json, `worker ${id}`) });
    else await redis.srem(keys.workers, id);
  }
  return alive.sort((a, b) => a.startedAt - b.startedAt);
}
