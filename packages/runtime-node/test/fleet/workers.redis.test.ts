/** What workers do to each other and when they stop: locks, shutdown, chunks of other bundles, what strangers queue. */
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { describe, expect, test } from 'vitest';
import { makeBundle } from '../../../../test/support/make-bundle.ts';
import { hasRedis } from '../../../../test/support/redis.ts';
import { temporaryFolder, tinyBundle } from '../support.ts';
import { ended, expectTranslated, filesIn, makeImages, startFleet, until } from './support.ts';

describe.skipIf(!hasRedis)('workers', () => {
  test('a lock is renewed while an image is computed: nobody else takes its chunk', async () => {
    const { fleet, input, out, work, notes, redis } = await startFleet();
    const names = await makeImages(input, 1, 2500);
    const { batch } = await fleet.submit({ bundle: tinyBundle, inputs: [input], out });
    const lockMs = 200;
    const outcomes: string[] = [];
    await work({ lockMs, onImage: (outcome) => outcomes.push(`first ${outcome}`) });
    await until(
      'its begin',
      async () => (await redis.hlen(`cyclegan-fleet:translate:batch:${batch}:begun`)) > 0,
    );
    const began = performance.now();
    await work({ lockMs, onImage: (outcome) => outcomes.push(`second ${outcome}`) });
    await ended(fleet, batch);
    // Else this would have shown nothing.
    expect(performance.now() - began).toBeGreaterThan(3 * lockMs);
    expect(outcomes).toEqual(['first translated']);
    expect(notes.filter((note) => note.includes('no sign of life'))).toEqual([]);
    await expectTranslated(input, out, names);
  });

  test('stopped, a worker finishes the image in hand and gives the rest back', async () => {
    const { fleet, input, out, work } = await startFleet();
    const names = await makeImages(input, 12);
    const { batch } = await fleet.submit({ bundle: tinyBundle, inputs: [input], out, attempts: 1 });
    let stopped: Promise<boolean> | undefined;
    const worker = await work({
      concurrency: 1,
      onImage: () => {
        stopped ??= worker.stop();
      },
    });
    await until('the stop', () => stopped !== undefined);
    await stopped;
    const { state, done } = await fleet.batch(batch);
    expect({ state, done }).toEqual({ state: 'running', done: filesIn(out).length });
    expect(done).toBeLessThan(12);
    expect(await fleet.status()).toMatchObject({ workers: [], jobs: { waiting: 1, active: 0, dead: 0 } });
    await work();
    expect(await ended(fleet, batch)).toMatchObject({ state: 'done', done: 12 });
    await expectTranslated(input, out, names);
  });

  test('given time to stop, it finishes the chunk in hand, and takes no other', async () => {
    const { fleet, input, out, work } = await startFleet();
    await makeImages(input, 60);
    const { batch } = await fleet.submit({ bundle: tinyBundle, inputs: [input], out, chunk: 10 });
    let stopped: Promise<boolean> | undefined;
    const worker = await work({
      shutdownTimeoutMs: 60_000,
      onImage: () => {
        stopped ??= worker.stop();
      },
    });
    await until('the stop', () => stopped !== undefined);
    await stopped;
    const { jobs } = await fleet.status();
    expect(jobs).toMatchObject({ active: 0, dead: 0 });
    expect(jobs.waiting).toBeGreaterThanOrEqual(4);
    expect((await fleet.batch(batch)).done).toBe(60 - 10 * jobs.waiting);
  });

  test('a batch of another bundle is left to its own workers, at no cost', async () => {
    const { fleet, folder, input, work, notes, redis } = await startFleet();
    const dir = temporaryFolder();
    const other = join(dir, 'bundle');
    await makeBundle({ dir, direction: 'AtoB', seed: 3 });
    const names = await makeImages(input, 4);
    const submit = (bundle: string, to: string) =>
      fleet.submit({ bundle, inputs: [input], out: join(folder, to), attempts: 1, chunk: 2, name: to });
    const foreign = await submit(other, 'theirs');
    const own = await submit(tinyBundle, 'ours');
    const ours = await work();
    expect(await ended(fleet, own.batch)).toMatchObject({ state: 'done', done: 4 });
    await expectTranslated(input, join(folder, 'ours'), names);
    expect(notes.filter((note) => note.includes('expected a batch for this bundle'))).toHaveLength(1);
    expect(await fleet.batch(foreign.batch)).toMatchObject({ state: 'running', done: 0, dead: 0 });
    await until('both put off', async () => (await fleet.status()).jobs.delayed === 2);
    await ours.stop();
    // Not for as long as it takes by itself.
    for (const id of await redis.zrange('cyclegan:translate:delayed', 0, -1)) {
      await (await new Queue('translate', { connection: redis, prefix: 'cyclegan' }).getJob(id))?.promote();
    }
    await work({ bundle: other });
    expect(await ended(fleet, foreign.batch)).toMatchObject({ state: 'done', done: 4 });
  });

  test('a worker that cannot work ends at once, and leaves nothing open', async () => {
    const { work } = await startFleet();
    await expect(work({ bundle: temporaryFolder() })).rejects.toMatchObject({ code: 'bundle' });
    await expect(work({ device: 'wasm' })).rejects.toMatchObject({ code: 'device' });
    await expect(work({ concurrency: 0 })).rejects.toMatchObject({ code: 'usage' });
    await expect(work({ queue: 'a:b' })).rejects.toMatchObject({ code: 'usage' });
  });

  test('what strangers put into the queue becomes a dead letter, not the end of a worker', async () => {
    const { fleet, input, out, work, server, redis } = await startFleet();
    const names = await makeImages(input, 3);
    const queue = new Queue('translate', { connection: { url: server.url }, prefix: 'cyclegan' });
    const { batch } = await fleet.submit({ bundle: tinyBundle, inputs: [input], out });
    await queue.addBulk([
      { name: 'x', data: null },
      { name: 'x', data: { batch, chunk: 7, input: 99, images: [[0, '0.png']] } },
      { name: 'x', data: { batch, chunk: 7, input: 0, images: [[0, '0.png', '../escaped.png']] } },
      { name: 'x', data: { batch: 'gone', chunk: 0, input: 0, images: [[0, '/etc/passwd']] } },
    ]);
    await work();
    await until('their end', async () => {
      const { waiting, active, dead } = (await fleet.status()).jobs;
      return waiting + active === 0 && dead === 2;
    });
    await queue.close();
    expect(filesIn(join(out, '..'))).toEqual([
      ...names.map((name) => `in/${name}`),
      ...names.map((name) => `out/${name}`),
    ]);
    expect((await redis.keys('*gone*')).length).toBe(0);
  });
});
