/** A worker's sign of life: a record in Redis that runs out unless it is renewed, with what it did and how fast. */
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import type { ImageOutcome } from './chunk.js';
import type { Keys, WorkerReport } from './records.js';

const INTERVAL_MS = 5000;
const LIFE_SECONDS = 20;
/** Over which a rate is taken. */
const WINDOW_MS = 60_000;

export interface Heartbeat {
  count(batch: string, outcome: ImageOutcome): void;
  /** Takes the record away. */
  stop(): Promise<void>;
}

export async function startHeartbeat(options: {
  redis: Redis;
  keys: Keys;
  id: string;
  bundle: string;
  device: string;
}): Promise<Heartbeat> {
  const { redis, keys, id, bundle, device } = options;
  const startedAt = Date.now();
  const counts = { done: 0, failed: 0 };
  const recent: { batch: string; at: number }[] = [];

  function rates(): Record<string, number> {
    const now = performance.now();
    while (recent[0] && recent[0].at < now - WINDOW_MS) recent.shift();
    const seconds = Math.max(1000, Math.min(WINDOW_MS, now - (recent[0]?.at ?? now))) / 1000;
    const sums: Record<string, number> = {};
    for (const { batch } of recent) sums[batch] = (sums[batch] ?? 0) + 1 / seconds;
    return sums;
  }

  async function beat(): Promise<void> {
    // A lost connection keeps commands; old signs of life are of no use to anyone.
    if (redis.status !== 'ready') return;
    const report: WorkerReport = {
      host: hostname(),
      pid: process.pid,
      bundle,
      device,
      startedAt,
      ...counts,
      rates: rates(),
    };
    await redis
      .pipeline()
      .set(keys.worker(id), JSON.stringify(report), 'EX', LIFE_SECONDS)
      .sadd(keys.workers, id)
      .exec();
  }

  await beat();
  const timer = setInterval(() => void beat().catch(() => {}), INTERVAL_MS);
  return {
    count(batch, outcome) {
      counts[outcome === 'failed' ? 'failed' : 'done'] += 1;
      recent.push({ batch, at: performance.now() });
    },
    async stop() {
      clearInterval(timer);
      if (redis.status === 'ready') await redis.pipeline().del(keys.worker(id)).srem(keys.workers, id).exec();
    },
  };
}
