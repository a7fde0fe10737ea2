/**
 * Which translation stands at each output, so that another batch does not make it again. Kept in Redis for all
 * storages alike; loses nothing but time when it is lost. Hashes alone, in small buckets, which Redis packs tightly.
 */
import { hash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { KEPT_SECONDS, PREFIX } from './records.js';

/** Hex digits of a bucket's number: 65,536 buckets, packed until some eight million outputs. */
const BUCKET = 4;
/** Bytes that an output and its key are told by. Outputs that are confused are made again, never wrongly skipped. */
const SHORT = 8;

export interface Outputs {
  /** Whether this output was last written with this key; whether it still stands is the storage's to say. */
  holds(output: string, key: string): Promise<boolean>;
  record(output: string, key: string): Promise<void>;
}

/** @param place of the outputs */
export function createOutputs({ redis, place }: { redis: Redis; place: string }): Outputs {
  const find = (output: string) => {
    const id = hash('sha256', JSON.stringify([place, output]));
    return {
      bucket: `${PREFIX}-outputs:${id.slice(0, BUCKET)}`,
      field: Buffer.from(id.slice(BUCKET, BUCKET + 2 * SHORT), 'hex'),
    };
  };
  const short = (key: string) => Buffer.from(key.slice(0, 2 * SHORT), 'hex');
  return {
    async holds(output, key) {
      const { bucket, field } = find(output);
      const kept = await redis.hgetBuffer(bucket, field);
      return kept?.equals(short(key)) ?? false;
    },
    async record(output, key) {
      const { bucket, field } = find(output);
      await redis.pipeline().hset(bucket, field, short(key)).expire(bucket, KEPT_SECONDS).exec();
    },
  };
}
