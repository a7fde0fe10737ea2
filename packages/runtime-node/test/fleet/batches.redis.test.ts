/** Batches through workers on a real Redis: what is done, what failed, what is tried again, what is not done twice. */
import { cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { hasRedis } from '../../../../test/support/redis.ts';
import { tinyBundle } from '../support.ts';
import { ended, expectTranslated, filesIn, makeImages, startFleet, until } from './support.ts';

describe.skipIf(!hasRedis)('batches', () => {
  test('every image is translated once, with its folder, and the status says so', async () => {
    const { fleet, input, out, work } = await startFleet();
    const names = await makeImages(input, 20);
    await makeImages(join(input, 'deep', 'er'), 3);
    const { batch, images, chunks } = await fleet.submit({
      bundle: tinyBundle,
      inputs: [input],
      out,
      chunk: 8,
    });
    expect({ images, chunks }).toEqual({ images: 23, chunks: 3 });
    expect(await fleet.batch(batch)).toMatchObject({ state: 'running', done: 0, rate: 0, secondsLeft: null });
    const outcomes: string[] = [];
    const worker = await work({ onImage: (outcome) => outcomes.push(outcome) });
    expect(await ended(fleet, batch)).toMatchObject({
      state: 'done',
      done: 23,
      failed: 0,
      dead: 0,
      secondsLeft: 0,
    });
    expect(outcomes).toEqual(Array(23).fill('translated'));
    const status = await fleet.status();
    expect(status).toMatchObject({
      jobs: { waiting: 0, active: 0, delayed: 0, dead: 0 },
      workers: [{ id: worker.id, pid: process.pid, device: 'cpu' }],
      batches: [{ batch, name: 'in' }],
    });
    await worker.stop();
    expect((await fleet.status()).workers).toEqual([]);
    await expectTranslated(input, out, [...names, ...[0, 1, 2].map((i) => join('deep', 'er', `${i}.png`))]);
  });

  test('submitted again, nothing is doubled; of changed inputs only what is new is translated', async () => {
    const { fleet, redis, input, out, work } = await startFleet();
    await makeImages(input, 10);
    const submit = () => fleet.submit({ bundle: tinyBundle, inputs: [input], out, chunk: 4 });
    const first = await submit();
    const again = await submit();
    expect(again).toEqual({ ...first, added: 0 });
    expect((await fleet.status()).jobs.waiting).toBe(3);
    const outcomes: string[] = [];
    await work({ onImage: (outcome) => outcomes.push(outcome) });
    await ended(fleet, first.batch);
    expect(await submit()).toEqual({ ...first, added: 0 });
    expect(outcomes).toHaveLength(10);
    // The books expire when they are closed, and not before.
    expect(await redis.ttl(`cyclegan-fleet:translate:batch:${first.batch}`)).toBeGreaterThan(0);

    await sharp({ create: { width: 32, height: 32, channels: 3, background: 'red' } }).toFile(
      join(input, '3.png'),
    );
    writeFileSync(join(input, 'copy.png'), readFileSync(join(input, '1.png')));
    rmSync(join(out, '5.png'));
    const changed = await submit();
    expect(changed.batch).not.toBe(first.batch);
    await ended(fleet, changed.batch);
    // The one that changed, the one that is new, and the one that was taken away.
    expect(outcomes.slice(10).sort()).toEqual([...Array(8).fill('there'), ...Array(3).fill('translated')]);
    await expectTranslated(input, out, filesIn(input));
  });

  test('another option, another direction or another chunk size is another batch', async () => {
    const { fleet, input, out } = await startFleet();
    await makeImages(input, 2);
    const common = { bundle: tinyBundle, inputs: [input], out };
    const ids = new Set<string>();
    for (const different of [{}, { options: { quality: 50 } }, { chunk: 1 }, { out: `${out}2` }]) {
      ids.add((await fleet.submit({ ...common, ...different })).batch);
    }
    expect(ids.size).toBe(4);
    expect((await fleet.submit({ ...common, name: 'a name changes nothing' })).batch).toBe([...ids][0]);
  });

  test('an image that fails takes no other along, is listed with its reason, and can be tried again', async () => {
    const { fleet, input, out, work } = await startFleet();
    const names = await makeImages(input, 6);
    writeFileSync(join(input, 'broken.png'), 'no picture');
    writeFileSync(join(input, 'cut.png'), readFileSync(join(input, '1.png')).subarray(0, 60));
    const { batch } = await fleet.submit({ bundle: tinyBundle, inputs: [input], out, chunk: 3 });
    await work();
    expect(await ended(fleet, batch)).toMatchObject({ state: 'failed', done: 6, failed: 2, dead: 0 });
    const failures = await fleet.failures('in');
    expect(failures).toMatchObject({ batch, more: false, chunks: [] });
    expect(failures.images.map(({ name }) => name)).toEqual(['broken.png', 'cut.png']);
    expect(failures.images[0]?.reason).toMatch(/expected a whole image file .*got "/);
    expect(await fleet.failures(batch, { limit: 1 })).toMatchObject({ more: true, images: [{}] });

    cpSync(join(input, '0.png'), join(input, 'broken.png'));
    expect(await fleet.retry(batch)).toEqual({ batch, images: 2, chunks: 0 });
    await until('one less', async () => (await fleet.batch(batch)).failed === 1);
    expect((await fleet.failures(batch)).images.map(({ name }) => name)).toEqual(['cut.png']);
    await expectTranslated(input, out, [...names, 'broken.png']);
  });

  test('chunks are given up when storage stays away, and none of their images is blamed', async () => {
    const { fleet, folder, input, out, work, notes } = await startFleet();
    const names = await makeImages(input, 4);
    const { batch } = await fleet.submit({
      bundle: tinyBundle,
      inputs: [input],
      out,
      attempts: 2,
      retryDelayMs: 10,
    });
    renameSync(input, join(folder, 'away'));
    await work();
    expect(await ended(fleet, batch)).toMatchObject({ state: 'failed', done: 0, failed: 0, dead: 4 });
    expect(await fleet.failures(batch)).toMatchObject({
      images: [],
      chunks: [
        {
          chunk: 0,
          images: 4,
          attempts: 2,
          reason: expect.stringContaining('expected a folder, got nothing'),
        },
      ],
    });
    expect(notes.filter((note) => note.includes('tried again later'))).toHaveLength(1);
    expect(notes.filter((note) => note.includes('given up'))).toHaveLength(1);
    renameSync(join(folder, 'away'), input);
    expect(await fleet.retry(batch)).toEqual({ batch, images: 0, chunks: 1 });
    await until('the end', async () => (await fleet.batch(batch)).state === 'done');
    expect((await fleet.status()).jobs).toEqual({ waiting: 0, active: 0, delayed: 0, dead: 0 });
    await expectTranslated(input, out, names);
  });

  test('a batch that is cancelled stops; submitted again, it goes on', async () => {
    const { fleet, input, out, work } = await startFleet();
    const names = await makeImages(input, 30);
    const submit = () => fleet.submit({ bundle: tinyBundle, inputs: [input], out, chunk: 2 });
    const { batch } = await submit();
    let seen = 0;
    let cancelled: Promise<unknown> | undefined;
    await work({
      concurrency: 1,
      onImage: () => {
        seen += 1;
        if (seen === 5) cancelled = fleet.cancel(batch);
      },
    });
    await until('the cancel', () => cancelled !== undefined);
    await cancelled;
    await until('an empty queue', async () => (await fleet.status()).jobs.active === 0);
    const { state, done } = await fleet.batch(batch);
    expect(state).toBe('cancelled');
    expect(done).toBeLessThan(30);
    expect((await fleet.status()).jobs).toMatchObject({ waiting: 0, delayed: 0 });
    expect((await submit()).batch).toBe(batch);
    expect(await ended(fleet, batch)).toMatchObject({ state: 'done', done: 30 });
    await expectTranslated(input, out, names);
  });

  test('several inputs go side by side, and outputs of one name are told apart', async () => {
    const { fleet, folder, out, work } = await startFleet();
    const [cats, dogs] = [join(folder, 'cats'), join(folder, 'dogs')];
    await makeImages(cats, 1);
    await makeImages(dogs, 1);
    const picture = sharp(join(cats, '0.png'));
    await picture.clone().jpeg().toFile(join(cats, '0.jpg'));
    await picture.clone().webp().toFile(join(folder, 'single.webp'));
    const { batch } = await fleet.submit({
      bundle: tinyBundle,
      inputs: [cats, dogs, join(folder, 'single.webp')],
      out,
      options: { format: 'webp', quality: 80 },
    });
    await work();
    expect(await ended(fleet, batch)).toMatchObject({ state: 'done', done: 4 });
    expect(filesIn(out)).toEqual(['cats/0.png.webp', 'cats/0.webp', 'dogs/0.webp', 'single.webp']);
    for (const name of filesIn(out)) expect((await sharp(join(out, name)).metadata()).format).toBe('webp');
  });

  test('with a root, folders are found below it wherever it is; nothing outside is opened', async () => {
    const { fleet, folder, input, out, work, redis } = await startFleet();
    await makeImages(input, 2);
    const outside = await startFleet();
    await expect(
      fleet.submit({ bundle: tinyBundle, inputs: [outside.folder], out, root: folder }),
    ).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('which all workers share') });
    const { batch } = await fleet.submit({ bundle: tinyBundle, inputs: [input], out, root: folder });
    const elsewhere = join(outside.folder, 'mounted');
    renameSync(folder, elsewhere);
    await work({ root: elsewhere });
    expect(await ended(fleet, batch)).toMatchObject({ state: 'done', done: 2 });
    expect(filesIn(join(elsewhere, 'out'))).toEqual(['0.png', '1.png']);

    // What somebody else writes into the queue leads nowhere else.
    const key = `cyclegan-fleet:translate:batch:${batch}`;
    const record = JSON.parse((await redis.hget(key, 'record')) ?? '');
    for (const place of ['file:///etc/', 'shared:in/../../']) {
      await redis.hset(key, 'record', JSON.stringify({ ...record, inputs: [{ place, under: '' }] }));
      const before = statSync(elsewhere).mtimeMs;
      await redis.del(`${key}:chunks`, `${key}:done`);
      await redis.hset(key, 'done', 0);
      await fleet.submit({
        bundle: tinyBundle,
        inputs: [join(elsewhere, 'in')],
        out: join(elsewhere, 'out'),
        root: elsewhere,
        attempts: 1,
      });
      await until('a refusal', async () => (await fleet.failures(batch)).chunks.length === 1);
      expect((await fleet.failures(batch)).chunks[0]?.reason).toMatch(
        /expected (s3|the name of a file below)/,
      );
      await fleet.cancel(batch);
      expect(statSync(elsewhere).mtimeMs).toBe(before);
    }
    expect(existsSync(join(elsewhere, 'in', '0.png'))).toBe(true);
  });

  test('an output that would replace inputs is refused, and so are wrong options', async () => {
    const { fleet, folder, input } = await startFleet();
    await makeImages(input, 1);
    const submit = (more: object) =>
      fleet.submit({ bundle: tinyBundle, inputs: [input], out: input, ...more });
    await expect(submit({})).rejects.toMatchObject({ code: 'output' });
    await expect(submit({ inputs: [input, join(folder, 'in', '0.png')], out: folder })).rejects.toMatchObject(
      {
        code: 'output',
      },
    );
    await expect(submit({ out: join(folder, 'x'), inputs: [join(folder, 'none')] })).rejects.toMatchObject({
      code: 'input',
    });
    await expect(submit({ out: join(folder, 'x'), chunk: 0 })).rejects.toMatchObject({ code: 'usage' });
    await expect(submit({ out: join(folder, 'x'), options: { quality: 101 } })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('quality'),
    });
    await expect(fleet.batch('nothing')).rejects.toMatchObject({ code: 'input' });
    expect((await fleet.status()).batches).toEqual([]);
  });
});
