/** Stops a batch: its chunks that wait are taken out of the queue, and workers at it find it cancelled. */
import type { FleetContext } from './fleet.js';
import { KEPT_SECONDS } from './records.js';
import { findBatch } from './status.js';

export interface CancelResult {
  batch: string;
  /** Chunks that were taken out of the queue. */
  removed: number;
}

const PAGE = 200;

/** As `Fleet.cancel` says. Chunks that a worker has in hand stay until it comes to their next image. */
export async function cancelBatch(context: FleetContext, wanted: string): Promise<CancelResult> {
  const { redis, queue, keys } = context;
  const { id, batch } = await findBatch(context, wanted);
  const key = keys.of(id);
  await redis.hset(key.batch, 'state', 'cancelled');
  let removed = 0;
  for (let from = 0; from < batch.chunks; from += PAGE) {
    const length = Math.min(PAGE, batch.chunks - from);
    const jobs = Array.from({ length }, (_, i) => `${id}-${from + i}`);
    const found = await redis.pipeline(jobs.map((job) => ['exists', queue.toKey(job)])).exec();
    const waiting = jobs.filter((_, i) => found?.[i]?.[1] === 1);
    // What a worker has in hand is locked, and not counted.
    const results = await Promise.all(waiting.map((job) => queue.remove(job)));
    removed += results.reduce((sum, count) => sum + count, 0);
  }
  await redis.del(key.dead);
  for (const each of Object.values(key)) await redis.expire(each, KEPT_SECONDS);
  return { batch: id, removed };
}
