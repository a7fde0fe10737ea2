/**
 * The fleet's front door: one queue on one Redis, and what can be asked of it. What each question does is in a file
 * of its own.
 */
import { CycleganError } from '@cyclegan/runtime-core';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { type CancelResult, cancelBatch } from './cancel.js';
import { type BatchFailures, listFailures, type RetryResult, retryBatch } from './dead-letters.js';
import { type Chunk, type Keys, keysOf, PREFIX } from './records.js';
import { connectRedis, DEFAULT_REDIS, type RedisOptions } from './redis.js';
import { type BatchStatus, batchStatus, type FleetStatus, fleetStatus } from './status.js';
import { type SubmitOptions, type SubmitResult, submitBatch } from './submit.js';

export interface FleetConnectionOptions extends Omit<RedisOptions, 'url'> {
  /** Default `redis://127.0.0.1:6379`. */
  redis?: string | undefined;
  /** Letters, digits, `_`, `.` and `-`; default `translate`. Bundles that run side by side want one each. */
  queue?: string | undefined;
}

export interface Fleet {
  /**
   * Lists the inputs twice, the first time to count and to name the batch after what there is, and adds what is not
   * there yet: the same call again doubles nothing and mends what was lost.
   * @throws CycleganError `usage`, `input`, `output`, `bundle`, `unavailable`, `aborted`
   */
  submit(options: SubmitOptions): Promise<SubmitResult>;
  /** Of all batches, the newest first. */
  status(): Promise<FleetStatus>;
  /**
   * @param batch its id, or its name, of which the newest counts
   * @throws CycleganError `input` where there is none
   */
  batch(batch: string): Promise<BatchStatus>;
  /** Images that failed, at most `limit` (default 1000), and chunks that were given up. */
  failures(batch: string, options?: { limit?: number | undefined }): Promise<BatchFailures>;
  /** Puts all of {@link failures} into the queue again. */
  retry(batch: string): Promise<RetryResult>;
  /** Takes what waits out of the queue; workers stop at their next image. Submitting it again goes on with it. */
  cancel(batch: string): Promise<CancelResult>;
  close(): Promise<void>;
}

/** What the questions share. */
export interface FleetContext {
  redis: Redis;
  queue: Queue<Chunk>;
  keys: Keys;
}

/** @throws CycleganError `unavailable` when there is no Redis, `usage` */
export async function openFleet(options: FleetConnectionOptions = {}): Promise<Fleet> {
  const context = await connectFleet(options);
  return {
    submit: (submitted) => submitBatch(context, submitted),
    status: () => fleetStatus(context),
    batch: (batch) => batchStatus(context, batch),
    failures: (batch, limits) => listFailures(context, batch, limits),
    retry: (batch) => retryBatch(context, batch),
    cancel: (batch) => cancelBatch(context, batch),
    async close() {
      await context.queue.close();
      context.redis.disconnect();
    },
  };
}

/** For the worker, which needs the same. */
export async function connectFleet(options: FleetConnectionOptions): Promise<FleetContext> {
  const { redis: url = DEFAULT_REDIS, queue: name = 'translate', onNote } = options;
  if (!/^[\w.-]{1,100}$/.test(name)) {
    throw new CycleganError(
      'usage',
      `[fleet] queue: expected letters, digits, _, . and -, got ${JSON.stringify(name)}. Choose another name.`,
    );
  }
  const redis = await connectRedis({ url, onNote });
  const queue = new Queue<Chunk>(name, {
    connection: redis,
    prefix: PREFIX,
    // Its warnings go past the program's own output; connectRedis has looked already.
    skipVersionCheck: true,
    streams: { events: { maxLen: 100 } },
  });
  // The connection tells of its own troubles.
  queue.on('error', () => {});
  return { redis, queue, keys: keysOf(name) };
}
