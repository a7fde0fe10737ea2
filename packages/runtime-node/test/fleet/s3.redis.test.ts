/** The fleet from and to object storage: a real server, the official client. */
import { cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStorages } from '@cyclegan/runtime-node/fleet';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { hasRedis } from '../../../../test/support/redis.ts';
import { hasS3, startS3 } from '../../../../test/support/s3.ts';
import { tinyBundle } from '../support.ts';
import { ended, expectTranslated, filesIn, makeImages, startFleet, until } from './support.ts';

describe.skipIf(!hasRedis || !hasS3)('s3', () => {
  test('a batch from one bucket to another', async () => {
    const { endpoint, folder } = await startS3(['photos', 'painted']);
    const { fleet, work } = await startFleet();
    const input = join(folder, 'photos', 'holiday');
    const names = await makeImages(input, 12);
    await makeImages(join(input, 'deep'), 2);
    await makeImages(join(folder, 'photos', 'holiday-not'), 2);
    writeFileSync(join(input, 'notes.txt'), 'no image');
    writeFileSync(join(input, 'broken.jpg'), 'no picture');
    const submit = () =>
      fleet.submit({
        bundle: tinyBundle,
        inputs: ['s3://photos/holiday'],
        out: 's3://painted/new',
        chunk: 4,
        s3: { endpoint },
      });
    const submitted = await submit();
    expect(submitted).toMatchObject({ name: 'holiday', images: 15, chunks: 4, added: 4 });
    expect(await submit()).toEqual({ ...submitted, added: 0 });
    const outcomes: string[] = [];
    await work({ s3: { endpoint }, onImage: (outcome) => outcomes.push(outcome) });
    expect(await ended(fleet, submitted.batch)).toMatchObject({ state: 'failed', done: 14, failed: 1 });
    const all = [...names, join('deep', '0.png'), join('deep', '1.png')];
    await expectTranslated(input, join(folder, 'painted', 'new'), all);

    // An object that changed has another ETag: a new batch, in which only that one is computed.
    await sharp({ create: { width: 32, height: 32, channels: 3, background: 'red' } }).toFile(
      join(input, '03.png'),
    );
    rmSync(join(input, 'broken.jpg'));
    outcomes.length = 0;
    const changed = await submit();
    expect(changed.batch).not.toBe(submitted.batch);
    expect(await ended(fleet, changed.batch)).toMatchObject({ state: 'done', done: 14 });
    expect(outcomes.sort()).toEqual([...Array(13).fill('there'), 'translated']);
  });

  test('more objects than a page of a listing holds; single objects; outputs below the inputs', async () => {
    const { endpoint, folder } = await startS3(['photos']);
    const { fleet, work } = await startFleet();
    const input = join(folder, 'photos');
    await makeImages(input, 1);
    for (let i = 0; i < 1100; i += 1) writeFileSync(join(input, `x${i}.png`), '');
    mkdirSync(join(input, 'out'));
    cpSync(join(input, '0.png'), join(input, 'out', 'old.png'));
    const common = { bundle: tinyBundle, out: 's3://photos/out', s3: { endpoint } };
    const all = await fleet.submit({ ...common, inputs: ['s3://photos'], chunk: 1000 });
    expect(all).toMatchObject({ images: 1101, chunks: 2 });
    await fleet.cancel(all.batch);
    const one = await fleet.submit({ ...common, inputs: ['s3://photos/0.png'], options: { format: 'webp' } });
    await work({ s3: { endpoint } });
    expect(await ended(fleet, one.batch)).toMatchObject({ state: 'done', done: 1 });
    const written = await sharp(join(input, 'out', '0.webp')).metadata();
    expect(written).toMatchObject({ format: 'webp', width: 32 });
    await expect(fleet.submit({ ...common, inputs: ['s3://photos/none.png'] })).rejects.toMatchObject({
      code: 'input',
    });
    await expect(fleet.submit({ ...common, inputs: ['s3://photos/none'] })).rejects.toMatchObject({
      code: 'input',
    });
    await expect(
      fleet.submit({ ...common, inputs: ['s3://photos/'], out: 's3://photos' }),
    ).rejects.toMatchObject({
      code: 'output',
    });
    await expect(fleet.submit({ ...common, inputs: ['s3://nothing/x'] })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('NoSuchBucket'),
    });
  });

  test('storage that goes away is tried again; when it is back, all is done', async () => {
    const server = await startS3(['photos', 'painted']);
    const { fleet, work, notes } = await startFleet();
    const input = join(server.folder, 'photos');
    const names = await makeImages(input, 8);
    const { batch } = await fleet.submit({
      bundle: tinyBundle,
      inputs: ['s3://photos'],
      out: 's3://painted',
      chunk: 2,
      s3: { endpoint: server.endpoint },
      retryDelayMs: 100,
    });
    await server.stop();
    await work({ s3: { endpoint: server.endpoint } });
    await until('a refusal', () => notes.some((note) => note.includes('tried again later')));
    expect(notes.join('\n')).toContain('ECONNREFUSED');
    await server.start();
    expect(await ended(fleet, batch)).toMatchObject({ state: 'done', done: 8, failed: 0, dead: 0 });
    await expectTranslated(input, join(server.folder, 'painted'), names);
  });

  test('objects are read within bounds, keys lead nowhere else, wrong credentials are nobody s image', async () => {
    const { endpoint, folder } = await startS3(['photos', 'other']);
    writeFileSync(join(folder, 'photos', 'huge.tiff'), '');
    truncateSync(join(folder, 'photos', 'huge.tiff'), 513 * 2 ** 20);
    writeFileSync(join(folder, 'other', 'secret.png'), 'x');
    const storages = openStorages({ s3: { endpoint } });
    const storage = await storages.open('s3://photos/');
    await expect(storage.read('huge.tiff')).rejects.toMatchObject({
      code: 'input',
      message: expect.stringContaining('expected at most 512 MB, got 513'),
    });
    await expect(storage.read('../other/secret.png')).rejects.toMatchObject({ code: 'input' });
    expect(await storage.has('none.png')).toBe(false);
    await storage.write('a/b.png', new Uint8Array([1, 2]), 'image/png', { image: 'x', number: 1 });
    expect([...(await storage.read('a/b.png'))]).toEqual([1, 2]);
    expect(readFileSync(join(folder, 'photos', 'a', 'b.png'))).toHaveLength(2);
    storages.dispose();
    process.env['AWS_SECRET_ACCESS_KEY'] = 'wrong';
    const strangers = openStorages({ s3: { endpoint } });
    await expect((await strangers.open('s3://photos/')).read('a/b.png')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.not.stringContaining('wrong'),
    });
    strangers.dispose();
    expect(filesIn(join(folder, 'other'))).toEqual(['secret.png']);
  });
});
