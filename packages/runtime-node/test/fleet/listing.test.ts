/** Names of outputs, of places and of references, without any Redis. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStorages } from '@cyclegan/runtime-node/fleet';
import { expect, test } from 'vitest';
import { chunkJob } from '../../dist/fleet/jobs.js';
import { createOutputNames } from '../../dist/fleet/listing.js';
import { placeBelow, placeOf } from '../../dist/fleet/storage/index.js';
import { temporaryFolder } from '../support.ts';

const outputs = (names: readonly string[], format: 'keep' | 'webp' | 'jpg' = 'keep') => {
  const name = createOutputNames(format);
  return names.map((each) => name(each) ?? each);
};

test('an output has the name of its input, and the extension of its format', () => {
  expect(outputs(['a.JPEG', 'b/c.png', 'd.bmp'])).toEqual(['a.JPEG', 'b/c.png', 'd.png']);
  expect(outputs(['a.JPEG', 'b/c.webp'], 'webp')).toEqual(['a.webp', 'b/c.webp']);
});

test('no two outputs share a name, whatever the inputs are called', () => {
  expect(outputs(['a.jpg', 'a.png', 'a.png.webp', 'a.webp'], 'webp')).toEqual([
    'a.webp',
    'a.png.webp',
    'a.png.webp.webp',
    'a.webp.webp',
  ]);
  // Seeded names of few letters, which meet each other often, in the order of a listing.
  let state = 7;
  const random = (below: number) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  for (let round = 0; round < 300; round += 1) {
    const pieces = ['a', 'b', '-', '1'];
    const endings = ['.jpg', '.png', '.webp', '.gif', '.bmp'];
    const name = () =>
      Array.from({ length: 1 + random(3) }, () => pieces[random(4)]).join('') +
      Array.from({ length: 1 + random(3) }, () => endings[random(5)]).join('');
    const names = [...new Set(Array.from({ length: 40 }, name))].sort();
    for (const format of ['keep', 'webp', 'jpg'] as const) {
      const made = outputs(names, format);
      expect(new Set(made).size, names.join(' ')).toBe(names.length);
    }
  }
});

test('places: folders, folders below a shared one, buckets', async () => {
  expect(placeOf('/mnt/photos')).toBe('file:///mnt/photos/');
  expect(placeOf('/mnt/share/a b/', { root: '/mnt/share' })).toBe('shared:a b/');
  expect(placeOf('/mnt/share', { root: '/mnt/share' })).toBe('shared:');
  expect(placeOf('s3://bucket/photos')).toBe('s3://bucket/photos/');
  expect(() => placeOf('/mnt/shared', { root: '/mnt/share' })).toThrow(/below \/mnt\/share/);
  expect(placeBelow('file:///mnt/out/', 'cats')).toBe('file:///mnt/out/cats/');
  expect(placeBelow('s3://bucket/out/', 'cats')).toBe('s3://bucket/out/cats/');
  expect(placeBelow('shared:', 'cats')).toBe('shared:cats/');
  for (const place of ['s3://', 's3://B/x', 'http://x/', 'relative', 'shared:x']) {
    await expect(openStorages().open(place), place).rejects.toThrow(/expected s3:\/\/bucket\/prefix/);
  }
});

test('names lead nowhere else, and what is no file is not waited for', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'secret.png'), 'x');
  mkdirSync(join(folder, 'in', 'folder.png'), { recursive: true });
  symlinkSync(join(folder, 'nowhere'), join(folder, 'in', 'broken.png'));
  const storage = await openStorages().open(placeOf(join(folder, 'in')));
  for (const name of [
    '../secret.png',
    '/etc/passwd',
    'a//b.png',
    './a.png',
    'a/../../secret.png',
    'x\0.png',
    '',
  ]) {
    await expect(storage.read(name), name).rejects.toMatchObject({ code: 'input' });
    await expect(storage.write(name, new Uint8Array(1), '', { image: 'x', number: 1 })).rejects.toMatchObject(
      {
        code: 'input',
      },
    );
  }
  await expect(storage.read('folder.png')).rejects.toMatchObject({ code: 'input' });
  await expect(storage.read('broken.png')).rejects.toMatchObject({ code: 'input' });
  expect(await storage.has('none.png')).toBe(false);
  const gone = await openStorages().open(placeOf(join(folder, 'unmounted')));
  await expect(gone.read('a.png')).rejects.toMatchObject({ code: 'unavailable' });
  await expect(gone.write('a.png', new Uint8Array(1), '', { image: 'x', number: 1 })).rejects.toMatchObject({
    code: 'unavailable',
  });
});

test('what a killed worker left beside an output goes with the next attempt', async () => {
  const folder = temporaryFolder();
  const storage = await openStorages().open(placeOf(folder));
  for (const number of [1, 2]) writeFileSync(join(folder, `.cyclegan-b-7-${number}.draft`), 'half');
  writeFileSync(join(folder, '.cyclegan-b-8-1.draft'), "another's");
  await storage.tidy('a.png', { image: 'b-7', number: 3 });
  await storage.write('a.png', new Uint8Array([1]), 'image/png', { image: 'b-7', number: 3 });
  const found: string[] = [];
  for (const name of ['.cyclegan-b-7-1.draft', '.cyclegan-b-7-2.draft', '.cyclegan-b-8-1.draft', 'a.png']) {
    if (await storage.has(name)) found.push(name);
  }
  expect(found).toEqual(['.cyclegan-b-8-1.draft', 'a.png']);
});

test('the id of a job follows from batch, chunk and occasion', () => {
  const chunk = { batch: 'b', chunk: 3, input: 0, images: [] };
  expect(chunkJob(chunk).opts.jobId).toBe('b-3');
  expect(chunkJob(chunk, {}, 'x').opts.jobId).toBe(chunkJob(chunk, {}, 'x').opts.jobId);
  expect(chunkJob(chunk, {}, 'x').opts.jobId).not.toBe(chunkJob(chunk, {}, 'y').opts.jobId);
});
