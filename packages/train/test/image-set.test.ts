// Which files a folder gives, in which order, and what is said of those it does not.
import { createHash } from 'node:crypto';
import { cpSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import {
  CHECK_UP_TO,
  compareFingerprints,
  type OpenImageSetOptions,
  openImageSet,
} from '../dist/data/index.js';
import { gradient, gradientFolder, temporaryFolder, writeImage } from './temp-folder.js';

const root = temporaryFolder();

async function open(path: string, options: Partial<OpenImageSetOptions> = {}) {
  const warnings: string[] = [];
  const set = await openImageSet({
    path,
    domain: 'A',
    ...options,
    onWarning: (message) => warnings.push(message),
  });
  return { set, warnings };
}

/** A PNG header that promises a picture of 30,000 × 30,000 pixels, with a handful of bytes behind it. */
function bomb(): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(30_000, 0);
  header.writeUInt32BE(30_000, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const parts = [
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(1000))),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([signature, ...parts]);
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

describe('openImageSet', () => {
  it('lists all the way down, in byte order, and passes over what is no image or hidden', async () => {
    const path = join(root, 'nested');
    const names = [
      'b.png',
      'a/z.jpg',
      'a.PNG',
      'Z.webp',
      'ä.tif',
      'deep/er/x.jpeg',
      '.hidden/h.png',
      '._b.png',
    ];
    for (const name of names) await writeImage(join(path, name), gradient(16, 0));
    writeFileSync(join(path, 'notes.txt'), 'not an image, and not named like one');
    const { set, warnings } = await open(path);
    expect(set.files).toEqual(['Z.webp', 'a.PNG', 'a/z.jpg', 'b.png', 'deep/er/x.jpeg', 'ä.tif']);
    expect(warnings).toEqual([]);
    expect(set.skipped).toBe(0);
    expect(set.checked).toBe(true);
  });

  it('warns of each unusable file by name, skips and counts it', async () => {
    const path = await gradientFolder(join(root, 'faulty'), 2, 0);
    const noise = sharp({
      create: {
        width: 200,
        height: 200,
        channels: 3,
        background: '#888',
        noise: { type: 'gaussian', mean: 128, sigma: 40 },
      },
    });
    const jpeg = await noise.jpeg().toBuffer();
    writeFileSync(join(path, 'short.jpg'), jpeg.subarray(0, Math.floor(jpeg.length * 0.9)));
    writeFileSync(join(path, 'text.jpg'), 'a text file with the wrong name');
    writeFileSync(
      join(path, 'drawing.png'),
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    );
    writeFileSync(join(path, 'bomb.png'), bomb());
    writeFileSync(join(path, 'old.bmp'), 'BM');
    await writeImage(join(path, 'dot.png'), gradient(1, 0));
    const floats = gradient(16, 0).toColourspace('scrgb').tiff({ compression: 'none' });
    await writeImage(join(path, 'float.tif'), floats);
    const { set, warnings } = await open(path);
    expect(set.files).toEqual(['00.png', '01.png']);
    expect(set.skipped).toBe(7);
    expect(warnings).toHaveLength(7);
    const of = (name: string) => warnings.find((warning) => warning.includes(` ${name} `));
    expect(of('short.jpg')).toMatch(/folder A: short\.jpg is damaged or cut short .*; skipped\.$/);
    expect(of('text.jpg')).toMatch(/not an image/);
    expect(of('drawing.png')).toMatch(/SVG/);
    expect(of('bomb.png')).toMatch(/30000×30000 pixels, more than the 100 million/);
    expect(of('old.bmp')).toMatch(/convert it to PNG/);
    expect(of('float.tif')).toMatch(/holds values of type float, not whole numbers of 8 or 16 bits/);
    expect(of('dot.png')).toMatch(/1×1 pixels, less than 8/);
  });

  it('has a fingerprint that tells other files from files that changed', async () => {
    const path = await gradientFolder(join(root, 'two'), 2, 0);
    const print = async (folder: string) => (await open(folder)).set.fingerprint;
    const two = await print(path);
    const moved = join(root, 'moved');
    cpSync(path, moved, { recursive: true });
    expect(compareFingerprints(two, await print(moved))).toBe('same');
    await writeImage(join(moved, '01.png'), gradient(32, 0));
    expect(compareFingerprints(two, await print(moved))).toBe('changed');
    await writeImage(join(moved, '02.png'), gradient(32, 0));
    expect(compareFingerprints(two, await print(moved))).toBe('other');
    // Version 0.1 kept that of the names alone.
    const [names = ''] = two.split('-');
    expect(names).toBe(createHash('sha256').update('00.png\x0001.png').digest('hex'));
    expect(compareFingerprints(names, two)).toBe('same');
    expect(compareFingerprints(names, await print(moved))).toBe('other');
  });

  it('takes the first so many by name, and looks at no others', async () => {
    const path = await gradientFolder(join(root, 'limited'), 4, 0);
    writeFileSync(join(path, '03.png'), 'not looked at');
    const { set, warnings } = await open(path, { maxImages: 3 });
    expect(set.files).toEqual(['00.png', '01.png', '02.png']);
    expect(warnings).toEqual([]);
    await expect(open(path, { maxImages: 1 })).rejects.toMatchObject({ code: 'input' });
    expect((await open(path, { maxImages: 1, atLeast: 1 })).set.files).toEqual(['00.png']);
  });

  it('follows links to folders once, and out of circles', async () => {
    const path = await gradientFolder(join(root, 'linked'), 1, 0);
    const elsewhere = await gradientFolder(join(root, 'elsewhere'), 2, 0);
    const inner = await gradientFolder(join(path, 'inner'), 1, 0);
    symlinkSync(elsewhere, join(path, 'link-b'));
    symlinkSync(elsewhere, join(path, 'link-a'));
    symlinkSync(inner, join(path, 'a-link-to-what-is-here'));
    symlinkSync(path, join(elsewhere, 'back'));
    symlinkSync(join(elsewhere, '00.png'), join(path, 'file.png'));
    symlinkSync(join(root, 'nowhere'), join(path, 'nowhere.png'));
    const { set, warnings } = await open(path);
    expect(set.files).toEqual(['00.png', 'file.png', 'inner/00.png', 'link-a/00.png', 'link-a/01.png']);
    expect(warnings).toEqual([expect.stringMatching(/nowhere\.png is not there/)]);
    const { set: aliased } = await open(join(path, 'link-b'));
    expect(aliased.files.slice(0, 2)).toEqual(['00.png', '01.png']);
  });

  it('lists many files without reading them', async () => {
    const path = join(root, 'many');
    mkdirSync(path);
    const count = 2 * CHECK_UP_TO;
    writeFileSync(join(path, '0.jpg'), '');
    for (let i = 1; i < count; i++) linkSync(join(path, '0.jpg'), join(path, `${i}.jpg`));
    const { set, warnings } = await open(path);
    expect(set.files).toHaveLength(count);
    expect(set.files.slice(0, 3)).toEqual(['0.jpg', '1.jpg', '10.jpg']);
    expect([set.checked, set.skipped, warnings]).toEqual([false, 0, []]);
  });

  it('says in one sentence what is wrong with the whole folder', async () => {
    const empty = join(root, 'empty');
    mkdirSync(empty);
    const one = await gradientFolder(join(root, 'one'), 1, 0);
    writeFileSync(join(one, 'text.png'), 'text');
    const file = join(one, '00.png');
    const missing = join(root, 'missing');
    const message = (path: string, expected: RegExp) =>
      expect(open(path)).rejects.toMatchObject({ code: 'input', message: expect.stringMatching(expected) });
    await message(missing, /^\[train\] folder A, .*missing: expected a folder .*, got nothing there\. .*\.$/);
    await message(file, /expected a folder, got a file/);
    await message(empty, /expected images .*, got none/);
    await message(one, /expected at least two readable images, got 1 \(1 skipped; text\.png is not an image/);
  });

  it('reports how far it is when checking takes long, to the end', async () => {
    const path = await gradientFolder(join(root, 'slow'), 4, 0);
    let clock = 0;
    const now = vi.spyOn(Date, 'now').mockImplementation(() => (clock += 1500));
    const reports: { done: number; total: number }[] = [];
    await openImageSet({ path, domain: 'A', onProgress: (progress) => reports.push(progress) });
    now.mockRestore();
    expect(reports[0]?.done).toBe(2);
    expect(reports.at(-1)).toEqual({ done: 4, total: 4 });
  });

  it('stops on request', async () => {
    const path = await gradientFolder(join(root, 'stopped'), 2, 0);
    await expect(open(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
  });
});
