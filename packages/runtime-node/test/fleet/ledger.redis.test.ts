/** The books of a batch: an entry that is made twice counts once, in whatever order workers make them. */
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasRedis, startRedis } from '../../../../test/support/redis.ts';
import { createLedger } from '../../dist/fleet/ledger.js';
import { keysOf } from '../../dist/fleet/records.js';

async function openLedger(images: number) {
  const server = await startRedis();
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  const keys = keysOf('translate');
  await redis.hset(keys.of('b').batch, 'state', 'submitted', 'images', images);
  return { redis, keys: keys.of('b'), ledger: createLedger({ redis, keys, batch: 'b' }) };
}

const failure = (index: number, reason = 'broken') => ({
  input: 0,
  image: [index, `${index}.png`] satisfies [number, string],
  reason,
  at: 1,
});

describe.skipIf(!hasRedis)('ledger', () => {
  test('done twice is done once, and stays so when a slower worker fails', async () => {
    const { ledger } = await openLedger(3);
    await ledger.done(1);
    await ledger.done(1);
    await ledger.failed(failure(1));
    expect(await ledger.progress()).toEqual({ images: 3, done: 1, failed: 0, dead: 0 });
    expect(await ledger.areDone([0, 1, 2])).toEqual([false, true, false]);
  });

  test('a failure counts once, has its latest reason, and goes when the image succeeds', async () => {
    const { ledger } = await openLedger(3);
    await ledger.failed(failure(2, 'first'));
    await ledger.failed(failure(2, 'second'));
    expect(await ledger.progress()).toMatchObject({ done: 0, failed: 1 });
    const reasons: string[] = [];
    for await (const { reason } of ledger.failures()) reasons.push(reason);
    expect(reasons).toEqual(['second']);
    await ledger.done(2);
    expect(await ledger.progress()).toMatchObject({ done: 1, failed: 0 });
  });

  test('what was begun is counted until it ends, well or not', async () => {
    const { ledger } = await openLedger(3);
    expect([
      await ledger.begin(0),
      await ledger.begin(0),
      await ledger.begin(1),
      await ledger.begin(2),
    ]).toEqual([1, 2, 1, 1]);
    await ledger.done(0);
    await ledger.failed(failure(1));
    await ledger.unbegin(2);
    expect(await ledger.begun([0, 1, 2])).toEqual([0, 0, 0]);
  });

  test('nothing is begun of a batch that is cancelled or gone', async () => {
    const { redis, keys, ledger } = await openLedger(3);
    await redis.hset(keys.batch, 'state', 'cancelled');
    expect(await ledger.begin(0)).toBeNull();
    await redis.del(keys.batch);
    expect(await ledger.begin(0)).toBeNull();
    expect(await ledger.state()).toBeNull();
  });

  test('a batch ends when every image is done or failed, and its books run out then', async () => {
    const { redis, keys, ledger } = await openLedger(2);
    await ledger.done(0);
    await ledger.chunkDone(0);
    expect(await redis.hget(keys.batch, 'finishedAt')).toBeNull();
    expect(await redis.ttl(keys.batch)).toBe(-1);
    await ledger.failed(failure(1));
    await ledger.chunkDone(1);
    expect(Number(await redis.hget(keys.batch, 'finishedAt'))).toBeGreaterThan(0);
    for (const key of [keys.batch, keys.done, keys.chunks, keys.failed]) {
      expect(await redis.ttl(key)).toBeGreaterThan(0);
    }
  });
});
