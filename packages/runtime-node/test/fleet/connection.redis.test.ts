/** Redis as the fleet meets it: away at the start, away in between, set dangerously; and how much it has to hold. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openFleet } from '@cyclegan/runtime-node/fleet';
import { describe, expect, test } from 'vitest';
import { freePort, hasRedis } from '../../../../test/support/redis.ts';
import { tinyBundle } from '../support.ts';
import { ended, expectTranslated, makeImages, startFleet, until } from './support.ts';

test('no Redis: one sentence with the fix, at once, and no password in it', async () => {
  const port = await freePort();
  const failure = await openFleet({ redis: `redis://user:secret@127.0.0.1:${port}/2` }).catch(
    (error) => error,
  );
  expect(failure).toMatchObject({ name: 'CycleganError', code: 'unavailable' });
  expect(failure.message).toMatch(
    /^\[fleet\] redis:\/\/127\.0\.0\.1:\d+\/2: expected a Redis that answers, got "connect ECONNREFUSED .*"\. Start it/,
  );
  await expect(openFleet({ redis: 'http://127.0.0.1' })).rejects.toMatchObject({ code: 'usage' });
  await expect(openFleet({ redis: 'no address' })).rejects.toMatchObject({ code: 'usage' });
});

describe.skipIf(!hasRedis)('Redis', () => {
  test('a password that is missing or wrong is said, not shown', async () => {
    const { server, redis } = await startFleet();
    await redis.config('SET', 'requirepass', 'right');
    for (const given of [server.url, server.url.replace('://', '://:wrong@')]) {
      const failure = await openFleet({ redis: given }).catch((error) => error);
      expect(failure).toMatchObject({ code: 'unavailable' });
      expect(failure.message).toMatch(/(NOAUTH|WRONGPASS).*Put user and password into the address\.$/);
      expect(failure.message).not.toContain('wrong@');
    }
    const fleet = await openFleet({ redis: server.url.replace('://', '://:right@') });
    await fleet.close();
  });

  test('settings that lose jobs are warned of', async () => {
    const { notes } = await startFleet(['--maxmemory-policy', 'allkeys-lru', '--appendonly', 'no']);
    expect(notes).toHaveLength(2);
    expect(notes[0]).toMatch(/expected maxmemory-policy noeviction, got allkeys-lru/);
    expect(notes[1]).toMatch(/expected appendonly yes, got no/);
  });

  test('it goes away and comes back: the fleet goes on by itself and says so', async () => {
    const { fleet, server, input, out, work, notes } = await startFleet();
    const names = await makeImages(input, 40);
    const { batch } = await fleet.submit({ bundle: tinyBundle, inputs: [input], out, chunk: 4 });
    let seen = 0;
    await work({
      concurrency: 1,
      onImage: () => {
        seen += 1;
      },
    });
    await until('a few images', () => seen >= 8);
    await server.stop('SIGKILL');
    await pause(300);
    await server.start();
    expect(await ended(fleet, batch)).toMatchObject({ state: 'done', done: 40, failed: 0, dead: 0 });
    expect(notes.some((note) => note.includes('the connection to Redis is lost'))).toBe(true);
    expect(notes.some((note) => note.includes('Redis is back'))).toBe(true);
    await expectTranslated(input, out, names);
  });

  test('many references are submitted in bounded memory, here and there', async () => {
    const { fleet, redis, input, out } = await startFleet();
    mkdirSync(input);
    const count = 10_000;
    for (let i = 0; i < count; i += 1)
      writeFileSync(join(input, `photo-${String(i).padStart(6, '0')}.jpg`), '');
    const used = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
    const before = await used();
    const rss = process.memoryUsage().rss;
    const { images, chunks, added } = await fleet.submit({ bundle: tinyBundle, inputs: [input], out });
    expect({ images, chunks, added }).toEqual({ images: count, chunks: 313, added: 313 });
    expect(process.memoryUsage().rss - rss).toBeLessThan(200 * 2 ** 20);
    // Names, numbers, and a chunk's share of its job; no bytes of images.
    expect(((await used()) - before) / count).toBeLessThan(150);
  });
});
