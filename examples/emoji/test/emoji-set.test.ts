// The drawn data set: split without leaks, in pairs for testing, in two styles on white.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { commonNames, emojiPairs, loadIconSet, renderIcon } from '../dist/icon-sets.js';
import { renderEmojiSet } from '../dist/index.js';
import { baseName, splitNames } from '../dist/split.js';

const root = mkdtempSync(join(tmpdir(), 'cyclegan-emoji-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const out = join(root, 'set');
const progress: number[] = [];
const set = await renderEmojiSet({
  pair: 'colour-ink',
  out,
  size: 24,
  onProgress: ({ done, total }) => progress.push(done / total),
});
const names = (folder: keyof typeof set.folders) => readdirSync(set.folders[folder]).sort();

/** Mean of the colourfulness (largest minus smallest channel) over a folder's first pictures, 0-255. */
async function colourfulness(folder: string): Promise<number> {
  let sum = 0;
  let count = 0;
  for (const name of readdirSync(folder).slice(0, 60)) {
    const pixels = await sharp(join(folder, name)).raw().toBuffer();
    for (let at = 0; at < pixels.length; at += 3) {
      const [r = 0, g = 0, b = 0] = pixels.subarray(at, at + 3);
      sum += Math.max(r, g, b) - Math.min(r, g, b);
      count++;
    }
  }
  return sum / count;
}

describe('baseName', () => {
  it('is the same for all variants of one emoji', () => {
    const same = (...names: string[]) => expect(new Set(names.map(baseName)).size).toBe(1);
    same(
      'ok-hand',
      'ok-hand-light',
      'ok-hand-medium-light',
      'ok-hand-medium',
      'ok-hand-medium-dark',
      'ok-hand-dark',
    );
    same('woman-running', 'man-running', 'person-running-facing-right-dark', 'man-running-facing-right');
    same('pregnant-woman', 'pregnant-man-medium-light');
    expect(baseName('black-medium-square')).toBe('black-medium-square');
    expect(baseName('snowman')).toBe('snowman');
    expect(baseName('man')).toBe('man');
  });
});

describe('splitNames', () => {
  it.each(['colour-ink', 'flat-3d'] as const)(
    'keeps each base of %s in one part, at 45 : 45 : 10',
    async (pair) => {
      const sets = [await loadIconSet(emojiPairs[pair].a), await loadIconSet(emojiPairs[pair].b)] as const;
      const all = commonNames(...sets);
      const { trainA, trainB, test } = splitNames(all);
      const parts = [trainA, trainB, test];
      expect(parts.flat().sort()).toEqual([...all].sort());
      const bases = parts.map((part) => new Set(part.map(baseName)));
      const distinct = new Set(all.map(baseName)).size;
      expect(bases.reduce((sum, part) => sum + part.size, 0)).toBe(distinct);
      for (const [at, share] of [0.45, 0.45, 0.1].entries()) {
        expect(Math.abs((bases[at]?.size ?? 0) / distinct - share)).toBeLessThan(0.03);
        expect(Math.abs((parts[at]?.length ?? 0) / all.length - share)).toBeLessThan(0.04);
      }
    },
  );

  it('does not depend on the order or on the other names', () => {
    const some = ['cat', 'dog', 'ok-hand', 'ok-hand-dark', 'zebra'];
    expect(splitNames([...some].reverse())).toEqual(splitNames(some));
    const { trainA, trainB, test } = splitNames(['dog']);
    const again = splitNames(some);
    expect([again.trainA, again.trainB, again.test].map((part) => part.includes('dog'))).toEqual(
      [trainA, trainB, test].map((part) => part.length === 1),
    );
  });
});

describe('renderEmojiSet', () => {
  it('draws four folders whose only common names are the test pairs', () => {
    expect(names('testA')).toEqual(names('testB'));
    const trained = new Set([...names('trainA'), ...names('trainB')]);
    expect(trained.size).toBe(names('trainA').length + names('trainB').length);
    expect(names('testA').filter((name) => trained.has(name))).toEqual([]);
    for (const folder of ['trainA', 'trainB', 'testA', 'testB'] as const) {
      expect(set.counts[folder]).toBe(names(folder).length);
    }
    expect(set.counts.trainA).toBeGreaterThan(600);
    expect(set.counts.testA).toBeGreaterThan(100);
    expect(readdirSync(root)).toEqual(['set']);
    expect(progress.at(-1)).toBe(1);
  });

  it('draws colour against ink', async () => {
    expect(await colourfulness(set.folders.testA)).toBeGreaterThan(25);
    expect(await colourfulness(set.folders.testB)).toBeLessThan(0.01);
    expect(await colourfulness(set.folders.trainA)).toBeGreaterThan(25);
    expect(await colourfulness(set.folders.trainB)).toBeLessThan(0.01);
  });

  it('draws on white, in the size asked for, without alpha', async () => {
    for (const folder of [set.folders.testA, set.folders.testB]) {
      let white = 0;
      for (const name of readdirSync(folder)) {
        const image = sharp(join(folder, name));
        const { width, height, channels, format } = await image.metadata();
        expect([width, height, channels, format]).toEqual([24, 24, 3, 'png']);
        const corner = await image.extract({ left: 0, top: 0, width: 1, height: 1 }).raw().toBuffer();
        if (corner.every((value) => value > 250)) white++;
      }
      expect(white / readdirSync(folder).length).toBeGreaterThan(0.9);
    }
  });

  it('keeps a set that fits, replaces one that does not, and spares what is not its own', async () => {
    const picture = join(set.folders.testA, names('testA')[0] ?? '');
    const before = statSync(picture).mtimeMs;
    expect(await renderEmojiSet({ pair: 'colour-ink', out, size: 24 })).toEqual(set);
    expect(statSync(picture).mtimeMs).toBe(before);
    await renderEmojiSet({ pair: 'colour-ink', out, size: 16 });
    expect((await sharp(picture).metadata()).width).toBe(16);

    const foreign = join(root, 'foreign');
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'thesis.txt'), 'precious');
    const refused = renderEmojiSet({ pair: 'colour-ink', out: foreign, size: 16 });
    await expect(refused).rejects.toMatchObject({
      code: 'output',
      message: expect.stringMatching(/other files/),
    });
    expect(readdirSync(foreign)).toEqual(['thesis.txt']);
  });

  it('stops on request and leaves nothing half drawn', async () => {
    const stopping = new AbortController();
    const stopped = renderEmojiSet({
      pair: 'colour-ink',
      out: join(root, 'stopped'),
      size: 16,
      signal: stopping.signal,
      onProgress: () => stopping.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
    expect(readdirSync(root).filter((name) => name.startsWith('stopped'))).toEqual([]);
  });

  it('refuses a size that cannot be meant, and a place that cannot be written', async () => {
    const tiny = renderEmojiSet({ pair: 'colour-ink', out: join(root, 'tiny'), size: 2.5 });
    await expect(tiny).rejects.toMatchObject({ code: 'usage' });
    writeFileSync(join(root, 'file'), '');
    const blocked = renderEmojiSet({ pair: 'colour-ink', out: join(root, 'file', 'set'), size: 16 });
    await expect(blocked).rejects.toMatchObject({ code: 'output' });
    expect(existsSync(join(root, 'tiny'))).toBe(false);
  });

  it('names the command that adds a missing icon set', async () => {
    const missing = loadIconSet({
      label: 'none',
      package: '@iconify-json/not-installed-here',
      size: '99 MB',
    });
    await expect(missing).rejects.toMatchObject({
      code: 'input',
      message: expect.stringMatching(/`npm install @iconify-json\/not-installed-here` \(99 MB\)/),
    });
  });
});

describe('renderIcon', () => {
  it('fits an icon that is not square into the square', async () => {
    const ink = await loadIconSet(emojiPairs['colour-ink'].b);
    expect(ink.icons['keycap-5']?.height).toBe(33);
    const { data, info } = await sharp(await renderIcon(ink, 'keycap-5', 33))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([33, 33]);
    expect(Math.min(...data)).toBeLessThan(30);
  });
});
