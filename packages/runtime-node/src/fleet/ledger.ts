/**
 * The books of one batch in Redis: which image is done, which failed and why, which was begun and by whose death not
 * ended. Every entry may be made again without counting twice. Knows no queue and no images.
 */
import type { Redis } from 'ioredis';
import {
  type Failure,
  failureSchema,
  type ImageReference,
  KEPT_SECONDS,
  type Keys,
  readRecord,
} from './records.js';

export type BatchState = 'submitting' | 'submitted' | 'cancelled';

export interface Progress {
  images: number;
  /** Images whose output stands. */
  done: number;
  failed: number;
  /** Images in chunks that were given up; trying those again is asked for by hand. */
  dead: number;
}

export interface Ledger {
  /** Null for a batch that is not there. */
  state(): Promise<BatchState | null>;
  /** Which of these images are done already. */
  areDone(indices: readonly number[]): Promise<boolean[]>;
  /** How often each was begun and not ended: by workers that died over it, or are at it now. */
  begun(indices: readonly number[]): Promise<number[]>;
  /** @returns how often it has been begun, this time included; null when the batch is cancelled or gone */
  begin(index: number): Promise<number | null>;
  /** Takes the beginning back, for an image that will be tried again. */
  unbegin(index: number): Promise<void>;
  done(index: number): Promise<void>;
  /** Of an image that is not done; another reason replaces the last one. */
  failed(failure: Failure): Promise<void>;
  /** A chunk has been through; with all images done or failed the batch ends. */
  chunkDone(chunk: number | null): Promise<void>;
  dead(job: string, images: number): Promise<void>;
  revived(job: string): Promise<void>;
  progress(): Promise<Progress>;
  failures(): AsyncGenerator<Failure>;
}

/** KEYS batch, done, failed, begun; ARGV index. */
const DONE = `
if redis.call('SETBIT', KEYS[2], ARGV[1], 1) == 0 then redis.call('HINCRBY', KEYS[1], 'done', 1) end
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])`;

/** KEYS done, failed, begun; ARGV index, reason. */
const FAILED = `
if redis.call('GETBIT', KEYS[1], ARGV[1]) == 0 then redis.call('HSET', KEYS[2], ARGV[1], ARGV[2]) end
redis.call('HDEL', KEYS[3], ARGV[1])`;

/** KEYS batch, begun; ARGV index. */
const BEGIN = `
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'cancelled' then return 0 end
return redis.call('HINCRBY', KEYS[2], ARGV[1], 1)`;

export function createLedger({ redis, keys, batch }: { redis: Redis; keys: Keys; batch: string }): Ledger {
  const key = keys.of(batch);

  async function progress(): Promise<Progress> {
    const [images, done] = await redis.hmget(key.batch, 'images', 'done');
    const dead = (await redis.hvals(key.dead)).reduce((sum, count) => sum + Number(count), 0);
    return {
      images: Number(images ?? 0),
      done: Number(done ?? 0),
      failed: await redis.hlen(key.failed),
      dead,
    };
  }

  return {
    state: async () => toState(await redis.hget(key.batch, 'state')),
    async areDone(indices) {
      const bits = indices.map((index) => ['getbit', key.done, index] satisfies [string, string, number]);
      const answers = (await redis.pipeline(bits).exec()) ?? [];
      return answers.map(([error, bit]) => {
        if (error) throw error;
        return bit === 1;
      });
    },
    begun: async (indices) => (await redis.hmget(key.begun, ...indices.map(String))).map(Number),
    async begin(index) {
      const count = Number(await redis.eval(BEGIN, 2, key.batch, key.begun, index));
      return count === 0 ? null : count;
    },
    unbegin: async (index) => void (await redis.hdel(key.begun, String(index))),
    done: async (index) =>
      void (await redis.eval(DONE, 4, key.batch, key.done, key.failed, key.begun, index)),
    async failed(failure) {
      await redis.eval(FAILED, 3, key.done, key.failed, key.begun, failure.image[0], JSON.stringify(failure));
    },
    async chunkDone(chunk) {
      if (chunk !== null) await redis.setbit(key.chunks, chunk, 1);
      const { images, done, failed } = await progress();
      if (done + failed < images) return;
      await redis.hsetnx(key.batch, 'finishedAt', Date.now());
      for (const each of Object.values(key)) await redis.expire(each, KEPT_SECONDS);
    },
    dead: async (job, images) => void (await redis.hset(key.dead, job, images)),
    revived: async (job) => void (await redis.hdel(key.dead, job)),
    progress,
    async *failures() {
      let cursor = '0';
      const seen = new Set<string>();
      do {
        const [next, pairs] = await redis.hscan(key.failed, cursor, 'COUNT', 500);
        cursor = next;
        for (let i = 0; i < pairs.length; i += 2) {
          const [index = '', json] = pairs.slice(i, i + 2);
          // A hash that changes while it is read may give an entry twice.
          if (seen.has(index)) continue;
          seen.add(index);
          yield readRecord(failureSchema, json, `failure ${index} of ${batch}`);
        }
      } while (cursor !== '0');
    },
  };
}

function toState(text: string | null): BatchState | null {
  return text === 'submitting' || text === 'submitted' || text === 'cancelled' ? text : null;
}

export function failureOf(input: number, image: ImageReference, error: unknown): Failure {
  const reason = error instanceof Error ? error.message : String(error);
  return { input, image, reason: reason.slice(0, 2000), at: Date.now() };
}
