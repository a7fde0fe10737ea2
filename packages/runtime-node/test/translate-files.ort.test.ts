/** Files and folders through a translator: what is written where, what is refused, what is left behind. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createTranslator,
  type FilesProgress,
  type NodeTranslator,
  type TranslateFilesOptions,
  translateFiles,
} from '@cyclegan/runtime-node';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imagesIn as images, filesIn as list, noise, plain, tinyBundle } from './support.ts';

let translator: NodeTranslator;
beforeAll(async () => {
  translator = await createTranslator(tinyBundle, { device: 'cpu' });
});
afterAll(() => translator?.dispose());

const translate = (options: Omit<TranslateFilesOptions, 'translator'>) =>
  translateFiles({ translator, ...options });

it('writes above its input folder too', async () => {
  const { root, from } = await images('a.png');
  const { failed } = await translate({ inputs: [from], out: root, format: 'webp' });
  expect(failed).toBe(0);
  expect(existsSync(join(root, 'a.webp'))).toBe(true);
});

describe('where translations go', () => {
  it('keeps the folders, the names and the formats', async () => {
    const names = ['a.jpg', 'b.PNG', 'c.webp', 'deep/er/d.jpeg', 'e.tiff'];
    const { from, out } = await images(...names);
    writeFileSync(join(from, 'notes.txt'), 'no image');
    await sharp(join(from, 'a.jpg')).avif().toFile(join(from, 'f.avif'));
    const seen: FilesProgress[] = [];
    const result = await translate({ inputs: [from], out, onProgress: (progress) => seen.push(progress) });
    expect(result).toMatchObject({ translated: 6, skipped: 0, failed: 0, failures: [] });
    expect(list(out)).toEqual(['a.jpg', 'b.PNG', 'c.webp', 'deep/er/d.jpeg', 'e.tiff', 'f.avif']);
    expect(seen.map(({ file, output }) => [file, output])).toContainEqual([
      join(from, 'e.tiff'),
      join(out, 'e.tiff'),
    ]);
    const formats = await Promise.all(list(out).map(async (name) => sharp(join(out, name)).metadata()));
    expect(formats.map(({ format }) => format)).toEqual(['jpeg', 'png', 'webp', 'jpeg', 'tiff', 'heif']);
    for (const { width, height } of formats) expect([width, height]).toEqual([20, 12]);
  });

  it.each([
    ['png', 'png'],
    ['jpg', 'jpeg'],
    ['webp', 'webp'],
  ] as const)('writes %s on request, and tells equal names apart', async (format, written) => {
    const { root, from, out } = await images('x.jpg', 'x.png', 'sub/x.webp');
    await noise(9, 9).toFile(join(root, 'X.png'));
    const inputs = [from, join(root, 'X.png'), join(from, 'x.jpg')];
    const { translated } = await translate({ inputs, out, format });
    expect(translated).toBe(4);
    expect(list(out)).toEqual([`X-3.${format}`, `sub/x.${format}`, `x-2.${format}`, `x.${format}`]);
    expect((await sharp(join(out, `x-2.${format}`)).metadata()).format).toBe(written);
  });

  it('writes what the translator gives, and alpha on white where JPEG has none', async () => {
    const { from, out } = await images();
    const path = join(from, 'clear.png');
    await sharp({
      create: { width: 16, height: 16, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0 } },
    }).toFile(path);
    await translate({ inputs: [path], out });
    const direct = await (await translator.translate(path)).png().toBuffer();
    expect(readFileSync(join(out, 'clear.png')).equals(direct)).toBe(true);
    await translate({ inputs: [path], out, format: 'jpg' });
    const [red] = await sharp(join(out, 'clear.jpg')).raw().toBuffer();
    expect(red).toBe(255);
  });

  it('does not take its own results for inputs', async () => {
    const { from } = await images('a.png');
    const out = join(from, 'translated');
    await translate({ inputs: [from], out });
    await translate({ inputs: [from], out });
    expect(list(from)).toEqual(['a.png', 'translated/a.png']);
  });

  it('reports each file once, and tiles of large ones in between', async () => {
    const { from, out } = await images('a.png', 'b.png');
    const own = await createTranslator(tinyBundle, { device: 'cpu', tile: 8 });
    const seen: FilesProgress[] = [];
    await translateFiles({
      translator: own,
      inputs: [from],
      out,
      concurrency: 1,
      onProgress: (progress) => seen.push(progress),
    });
    await own.dispose();
    const notes = seen.flatMap((progress) => progress.notes ?? []);
    // Once for each of the two, which the bundle has no pair for.
    expect(notes).toEqual(Array(2).fill(expect.stringContaining('Export it with --tiles.')));
    const finished = seen.filter(({ outcome }) => outcome !== undefined);
    expect(finished.map(({ done, total, file, outcome }) => [done, total, file, outcome])).toEqual([
      [1, 2, join(from, 'a.png'), 'translated'],
      [2, 2, join(from, 'b.png'), 'translated'],
    ]);
    expect(seen.filter(({ part }) => part).length).toBeGreaterThan(4);
  });
});

describe('what fails', () => {
  it('is named, and the others go on', async () => {
    const { from, out } = await images('a.png', 'z.png');
    writeFileSync(join(from, 'text.jpg'), 'no image');
    const jpeg = await noise(80, 80).jpeg().toBuffer();
    writeFileSync(join(from, 'short.jpg'), jpeg.subarray(0, jpeg.length / 2));
    await plain(1, 1).toFile(join(from, 'dot.png'));
    symlinkSync('nowhere', join(from, 'link.png'));
    const seen: FilesProgress[] = [];
    const { translated, failed, failures } = await translate({
      inputs: [from],
      out,
      onProgress: (progress) => seen.push(progress),
    });
    expect({ translated, failed }).toEqual({ translated: 2, failed: 4 });
    expect(failures.map(({ file }) => file).sort()).toEqual(
      ['dot.png', 'link.png', 'short.jpg', 'text.jpg'].map((name) => join(from, name)),
    );
    for (const { file, error } of failures) {
      expect(error).toMatchObject({ code: 'input', message: expect.stringContaining(file) });
    }
    expect(seen.filter(({ error }) => error).length).toBe(4);
    expect(list(out)).toEqual(['a.png', 'z.png']);
  });

  it('leaves nothing half written when a place is taken', async () => {
    const { from, out } = await images('a.png', 'b.png');
    mkdirSync(join(out, 'a.png'), { recursive: true });
    const { translated, failures } = await translate({ inputs: [from], out });
    expect(translated).toBe(1);
    expect(failures).toMatchObject([{ file: join(from, 'a.png'), error: { code: 'output' } }]);
    expect(list(out)).toEqual(['b.png']);
  });

  it('ends the run when the disk is full', async ({ skip }) => {
    skip(!existsSync('/dev/full'), 'needs /dev/full');
    const { from, out } = await images(...Array.from({ length: 20 }, (_, i) => `${i}.png`));
    mkdirSync(join(out, '.cyclegan'), { recursive: true });
    symlinkSync('/dev/full', join(out, '.cyclegan', 'translations.jsonl'));
    await expect(translate({ inputs: [from], out, concurrency: 2 })).rejects.toMatchObject({
      code: 'output',
      message: expect.stringContaining('ENOSPC'),
    });
    expect(list(out).length).toBeLessThan(5);
  });

  it('stops on request, and what is there is whole', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `${i}.png`);
    const { from, out } = await images(...names);
    const controller = new AbortController();
    const call = translate({
      inputs: [from],
      out,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(call).rejects.toMatchObject({ code: 'aborted' });
    const written = list(out);
    expect(written.length).toBeGreaterThan(0);
    expect(written.length).toBeLessThan(names.length);
    for (const name of written) expect((await sharp(join(out, name)).stats()).channels.length).toBe(3);
  });
});

describe('what is refused before any work', () => {
  it('a place for results that is a file, or below one', async () => {
    const { root, from } = await images('a.png');
    const file = join(root, 'file');
    writeFileSync(file, 'in the way');
    for (const out of [file, join(file, 'below')]) {
      await expect(translate({ inputs: [from], out })).rejects.toMatchObject({
        code: 'output',
        message: expect.stringContaining(out),
      });
    }
    expect(readFileSync(file, 'utf8')).toBe('in the way');
  });

  it('a folder that must not be written', async ({ skip }) => {
    skip(process.getuid?.() === 0, 'root may write anywhere');
    const { out, from } = await images('a.png');
    mkdirSync(out, { mode: 0o500 });
    await expect(translate({ inputs: [from], out })).rejects.toMatchObject({ code: 'output' });
  });

  it('a place where an input would be replaced', async () => {
    const { from } = await images('a.png');
    const before = readFileSync(join(from, 'a.png'));
    await expect(translate({ inputs: [from], out: from })).rejects.toMatchObject({
      code: 'output',
      message: expect.stringContaining('one of the inputs'),
    });
    expect(readFileSync(join(from, 'a.png'))).toEqual(before);
    await translate({ inputs: [from], out: from, format: 'webp' });
    expect(list(from)).toEqual(['a.png', 'a.webp']);
  });

  it('a place where nothing can be made', async () => {
    const { from } = await images('a.png');
    await expect(translate({ inputs: [from], out: '/proc/x/y' })).rejects.toMatchObject({ code: 'output' });
  });

  it('a path that is missing, and a folder without images', async () => {
    const { root, from, out } = await images();
    for (const input of [join(root, 'nowhere'), from]) {
      await expect(translate({ inputs: [input], out })).rejects.toMatchObject({
        code: 'input',
        message: expect.stringContaining(input),
      });
    }
    expect(existsSync(out)).toBe(false);
  });

  it.each([
    ...[{ quality: 0 }, { quality: 101 }, { smoothing: 1 }, { background: 'no colour' }],
    ...[{ concurrency: 0 }, { concurrency: 1.5 }, { zip: 'a.zip' }, { out: undefined }],
    { out: undefined, zip: 'a.zip', resume: true },
  ])('%o', async (wrong) => {
    const { from, out } = await images('a.png', 'b.png');
    await expect(translate({ inputs: [from], out, ...wrong })).rejects.toMatchObject({ code: 'usage' });
    expect(existsSync(out) ? list(out) : []).toEqual([]);
  });
});
