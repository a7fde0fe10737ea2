/** Going on: what an earlier run did is passed over, and nothing else; the ledger stands what kills do to it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createTranslator,
  type NodeTranslator,
  previewFiles,
  type TranslateFilesOptions,
  translateFiles,
} from '@cyclegan/runtime-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ledgerPath } from '../dist/files/ledger.js';
import { filesIn, imagesIn, noise, tinyBundle } from './support.ts';

let translator: NodeTranslator;
let other: NodeTranslator;
beforeAll(async () => {
  translator = await createTranslator(tinyBundle, { device: 'cpu' });
  other = await createTranslator(tinyBundle, { device: 'cpu', direction: 'BtoA' });
});
afterAll(() => Promise.all([translator?.dispose(), other?.dispose()]));

type Options = Partial<TranslateFilesOptions>;

/** The names that are translated again, after the preview has said how many are not. */
async function redone(options: Omit<Options, 'out'> & { inputs: readonly string[]; out: string }) {
  const names: string[] = [];
  const all = { translator, resume: true, ...options };
  const { done } = await previewFiles(all);
  const { skipped } = await translateFiles({
    ...all,
    onProgress({ outcome, output = '' }) {
      if (outcome === 'translated') names.push(output.slice(options.out.length + 1));
    },
  });
  expect(skipped).toBe(done);
  return names.sort();
}

async function done(...names: string[]) {
  const { from, out } = await imagesIn(...names);
  expect(await redone({ inputs: [from], out })).toEqual(names);
  return { from, out, inputs: [from], ledger: ledgerPath(out) };
}

it('does nothing twice, whatever the files are called or when they were written', async () => {
  const { from, inputs, out } = await done('a.png', 'deep/b.jpg');
  expect(await redone({ inputs, out })).toEqual([]);
  utimesSync(join(from, 'a.png'), 1, 1);
  expect(await redone({ inputs, out })).toEqual([]);
  expect(await redone({ inputs, out, resume: false })).toEqual(['a.png', 'deep/b.jpg']);
});

it('does again what would come out otherwise', async () => {
  const { from, inputs, out } = await done('a.png', 'b.jpg');
  await noise(20, 12).toFile(join(from, 'a.png'));
  expect(await redone({ inputs, out })).toEqual(['a.png']);
  const changes: Omit<Options, 'inputs' | 'out'>[] = [
    { translator: other },
    { translator: other, quality: 50 },
    { translator: other, quality: 50, metadata: 'keep' },
    { translator: other, quality: 50, size: { width: 16, height: 16 } },
  ];
  for (const change of changes) {
    expect(await redone({ inputs, out, ...change })).toEqual(['a.png', 'b.jpg']);
    expect(await redone({ inputs, out, ...change })).toEqual([]);
  }
  const tiled = await createTranslator(tinyBundle, { device: 'cpu', tile: 16 });
  expect(await redone({ inputs, out, translator: tiled })).toEqual(['a.png', 'b.jpg']);
  await tiled.dispose();
});

it('does again what is gone, cut or has failed', async () => {
  const { from, inputs, out, ledger } = await done('a.png', 'b.png', 'c.png', 'd.png');
  rmSync(join(out, 'a.png'));
  truncateSync(join(out, 'b.png'), 20);
  writeFileSync(join(from, 'c.png'), 'no image');
  const { failed } = await translateFiles({ translator, inputs: [join(from, 'c.png')], out });
  expect(failed).toBe(1);
  expect(readFileSync(ledger, 'utf8')).toMatch(/"name":"c\.png".*"error":".*c\.png/);
  await noise(20, 12).toFile(join(from, 'c.png'));
  expect(await redone({ inputs, out })).toEqual(['a.png', 'b.png', 'c.png']);
});

it('a ledger that was cut or written into costs its broken lines and no more', async () => {
  const { inputs, out, ledger } = await done('a.png', 'b.png', 'c.png');
  const [first = '', second = '', third = ''] = readFileSync(ledger, 'utf8').trimEnd().split('\n');
  const { name: cut } = JSON.parse(third);
  writeFileSync(ledger, `${first}\n\u0000{]\nnull\n7\n{"name":1}\n${second}\n${third.slice(0, -20)}`);
  expect(await redone({ inputs, out })).toEqual([cut]);
  expect(await redone({ inputs, out })).toEqual([]);
  appendFileSync(ledger, '{"name":"a.png","key":"of something else","bytes":1}\n');
  expect(await redone({ inputs, out })).toEqual(['a.png']);
  expect(filesIn(out)).toEqual(['a.png', 'b.png', 'c.png']);
});

it('videos are taken with the images, told by frames, and known again', async ({ skip }) => {
  skip(spawnSync('ffmpeg', ['-version']).status !== 0, 'ffmpeg is missing');
  const { from, out } = await imagesIn('a.png');
  const source = ['-f', 'lavfi', '-i', 'testsrc=size=32x24:rate=5:duration=1'];
  execFileSync('ffmpeg', ['-loglevel', 'error', ...source, join(from, 'clip.mp4')]);
  const frames: number[] = [];
  await translateFiles({
    translator,
    inputs: [from],
    out,
    onProgress({ file, part }) {
      if (file.endsWith('clip.mp4') && part) frames.push(part.done);
    },
  });
  expect(frames).toEqual([1, 2, 3, 4, 5]);
  expect(filesIn(out)).toEqual(['a.png', 'clip.mp4']);
  expect(await redone({ inputs: [from], out })).toEqual([]);
});
