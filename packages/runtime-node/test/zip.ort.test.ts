/** ZIPs of translations, read by a program that is not ours. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTranslator, type NodeTranslator, translateFiles } from '@cyclegan/runtime-node';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createZip } from '../dist/files/zip-file.js';
import { imagesIn, noise, temporaryFolder, tinyBundle } from './support.ts';

const python = spawnSync('python3', ['--version']).status === 0;
const test = it.skipIf(!python);
if (!python) console.warn('zip.ort.test.ts: skipped, python3 with its zipfile is missing');

let translator: NodeTranslator;
beforeAll(async () => {
  translator = await createTranslator(tinyBundle, { device: 'cpu' });
});
afterAll(() => translator?.dispose());

interface Listing {
  bad: string | null;
  count: number;
  entries: { name: string; stored: boolean; bytes: number }[];
}

/** Python's zipfile also checks every byte; with `to`, it unpacks. */
function unzip(path: string, to = ''): Listing {
  const script = `
import json, sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
if sys.argv[2]: z.extractall(sys.argv[2])
entries = [{'name': i.filename, 'stored': i.compress_type == 0, 'bytes': i.file_size} for i in z.infolist()]
print(json.dumps({'bad': z.testzip(), 'count': len(entries), 'entries': entries[:50]}))`;
  return JSON.parse(execFileSync('python3', ['-c', script, path, to], { encoding: 'utf8' }));
}

test('JPEGs of 256 x 256, flat and stored; others go on past what fails', async () => {
  const { root, from } = await imagesIn('a.png', 'deep/a.webp', 'b.jpg');
  writeFileSync(join(from, 'broken.png'), 'no image');
  writeFileSync(join(from, 'clip.mp4'), 'no image either');
  const zip = join(root, 'images.zip');
  const result = await translateFiles({ translator, inputs: [from], zip });
  expect(result).toMatchObject({ translated: 3, failed: 2 });
  const { bad, entries } = unzip(zip, root);
  expect(bad).toBeNull();
  expect(entries.map(({ name }) => name).sort()).toEqual(['a-2.jpg', 'a.jpg', 'b.jpg']);
  for (const { name, stored } of entries) {
    expect(stored).toBe(true);
    expect(await sharp(join(root, name)).metadata()).toMatchObject({
      format: 'jpeg',
      width: 256,
      height: 256,
    });
  }
  expect(readdirSync(root).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('another format and size on request, and what is there is replaced', async () => {
  const { root, from } = await imagesIn('a.png');
  const zip = join(root, 'sub', 'images.zip');
  const size = { width: 16, height: 24 };
  for (let run = 0; run < 2; run += 1)
    await translateFiles({ translator, inputs: [from], zip, format: 'png', size });
  expect(unzip(zip, root).entries.map(({ name }) => name)).toEqual(['a.png']);
  expect(await sharp(join(root, 'a.png')).metadata()).toMatchObject({ format: 'png', ...size });
});

it('is whole or not there', async () => {
  const { root, from } = await imagesIn('a.png', 'b.png', 'c.png');
  const zip = join(root, 'images.zip');
  writeFileSync(zip, 'the one before');
  const stop = new AbortController();
  const run = translateFiles({
    translator,
    inputs: [from],
    zip,
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  await expect(run).rejects.toMatchObject({ code: 'aborted' });
  expect(readFileSync(zip, 'utf8')).toBe('the one before');
  expect(readdirSync(root).sort()).toEqual(['images.zip', 'in']);
});

it('is refused where it cannot be, before any work', async () => {
  const { root, from } = await imagesIn('a.png');
  const taken = join(root, 'taken');
  mkdirSync(taken);
  const seen: unknown[] = [];
  for (const zip of [taken, join(from, 'a.png', 'x.zip')]) {
    const run = translateFiles({ translator, inputs: [from], zip, onProgress: (event) => seen.push(event) });
    await expect(run).rejects.toMatchObject({ code: 'output' });
  }
  expect(seen).toEqual([]);
  expect(existsSync(taken)).toBe(true);
});

test('more entries than the old format can count, and memory of one at a time', async () => {
  const path = join(temporaryFolder(), 'many.zip');
  const zip = createZip(path);
  const jpeg = await noise(8, 8).jpeg().toBuffer();
  const count = 66_000;
  for (let i = 0; i < count; i += 8) {
    await Promise.all(Array.from({ length: 8 }, (_, k) => zip.add(`${i + k}.jpg`, Buffer.from(jpeg))));
  }
  await zip.close();
  expect(unzip(path)).toMatchObject({ bad: null, count });
});
