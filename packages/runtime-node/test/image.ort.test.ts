/** Image files to pixels: orientation, colour spaces, depths, and everything that must be refused. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { readPixels } from '@cyclegan/runtime-node';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { type Gamut, inGamut, profilePath } from './image-files.ts';
import { noise, plain, temporaryFolder } from './support.ts';

const first = (data: ArrayLike<number>, count: number) => Array.from({ length: count }, (_, i) => data[i]);

describe('readPixels', () => {
  it('turns by EXIF orientation', async () => {
    const left = plain(10, 12, { r: 255, g: 0, b: 0 });
    const image = plain(20, 12, { r: 0, g: 0, b: 255 })
      .composite([{ input: await left.png().toBuffer(), left: 0, top: 0 }])
      .removeAlpha()
      .withMetadata({ orientation: 6 });
    const pixels = await readPixels(await image.png().toBuffer());
    expect([pixels.width, pixels.height]).toEqual([12, 20]);
    expect(first(pixels.data, 3)).toEqual([255, 0, 0]);
    expect(Array.from(pixels.data.slice(-3))).toEqual([0, 0, 255]);
  });

  it.each<[string, (image: Sharp) => Sharp, number[], number]>([
    ['PNG', (image) => image.png(), [200, 100, 50], 0],
    ['WebP', (image) => image.webp({ lossless: true }), [200, 100, 50], 0],
    ['JPEG', (image) => image.jpeg({ quality: 100 }), [200, 100, 50], 2],
    ['progressive JPEG', (image) => image.jpeg({ quality: 100, progressive: true }), [200, 100, 50], 2],
    ['grey JPEG', (image) => image.toColourspace('b-w').jpeg({ quality: 100 }), [128, 128, 128], 4],
    ['interlaced PNG', (image) => image.png({ progressive: true }), [200, 100, 50], 0],
    ['AVIF', (image) => image.avif({ lossless: true }), [200, 100, 50], 1],
    ['10-bit AVIF', (image) => image.avif({ quality: 100, bitdepth: 10 }), [200, 100, 50], 2],
    ['TIFF with LZW', (image) => image.tiff({ compression: 'lzw' }), [200, 100, 50], 0],
    ['TIFF with JPEG', (image) => image.tiff({ compression: 'jpeg', quality: 100 }), [200, 100, 50], 2],
    ['TIFF in tiles', (image) => image.tiff({ tile: true, compression: 'deflate' }), [200, 100, 50], 0],
    ['BigTIFF', (image) => image.tiff({ bigtiff: true, compression: 'none' }), [200, 100, 50], 0],
    ['float TIFF', (image) => image.toColourspace('scrgb').tiff({ predictor: 'float' }), [200, 100, 50], 0],
    ['Lab TIFF', (image) => image.toColourspace('lab').tiff({ compression: 'none' }), [200, 100, 50], 2],
    ['CMYK TIFF', (image) => image.toColourspace('cmyk').tiff({ compression: 'none' }), [200, 100, 50], 32],
    ['1-bit TIFF', (image) => image.toColourspace('b-w').tiff({ bitdepth: 1 }), [255, 255, 255], 0],
    ['a palette', (image) => image.png({ palette: true }), [200, 100, 50], 0],
    ['16 bits', (image) => image.toColourspace('rgb16').png(), [200, 100, 50], 0],
    ['16-bit TIFF', (image) => image.toColourspace('rgb16').tiff(), [200, 100, 50], 0],
    ['a Display P3 profile', (image) => image.withIccProfile('p3').png(), [200, 100, 50], 2],
    ['grey', (image) => image.toColourspace('b-w').png(), [128, 128, 128], 4],
    ['16-bit grey', (image) => image.toColourspace('grey16').png(), [128, 128, 128], 4],
    ['CMYK', (image) => image.toColourspace('cmyk').jpeg({ quality: 100 }), [200, 100, 50], 32],
  ])('reads %s as 8-bit sRGB', async (_, write, expected, tolerance) => {
    const pixels = await readPixels(await write(plain(9, 8)).toBuffer());
    expect([pixels.width, pixels.height, pixels.channels]).toEqual([9, 8, 3]);
    for (const [i, value] of first(pixels.data, 3).entries()) {
      expect(Math.abs((value ?? 0) - (expected[i] ?? 0))).toBeLessThanOrEqual(tolerance);
    }
  });

  it.each<[Gamut, boolean]>([
    ['p3', false],
    ['p3', true],
    ['adobe', false],
    ['adobe', true],
  ])('brings colours from the profile %s to sRGB (16 bits: %s)', async (gamut, wide) => {
    const colour = [200, 100, 50] as const;
    const [r, g, b] = colour;
    const space = wide ? 'rgb16' : 'srgb';
    const image = plain(9, 8, { r, g, b })
      .toColourspace(space)
      .withIccProfile(await profilePath(gamut));
    const png = await image.png().toBuffer();
    const stored = await sharp(png, { ignoreIcc: true }).toColourspace('srgb').raw().toBuffer();
    // What the file holds, by arithmetic of our own, is far from what is to be read.
    for (const [i, value] of inGamut(colour, gamut).entries()) expect(stored[i]).toBeCloseTo(value, -0.5);
    expect(Math.abs((stored[0] ?? 0) - r)).toBeGreaterThan(8);
    const { data } = await readPixels(png);
    for (const [i, value] of colour.entries())
      expect(Math.abs((data[i] ?? 0) - value)).toBeLessThanOrEqual(2);
  });

  it('reads the first page of a TIFF with more', async () => {
    const pages = await Promise.all(
      [plain(12, 9), plain(12, 9, { r: 0, g: 0, b: 0 })].map((page) => page.png().toBuffer()),
    );
    const tiff = await sharp(pages, { join: { animated: true } })
      .tiff({ compression: 'lzw' })
      .toBuffer();
    expect((await sharp(tiff).metadata()).pages).toBe(2);
    const pixels = await readPixels(tiff);
    expect([pixels.width, pixels.height, ...first(pixels.data, 3)]).toEqual([12, 9, 200, 100, 50]);
  });

  it('keeps alpha, and colours that it hides', async () => {
    const data = Uint8Array.from({ length: 8 * 8 * 4 }, (_, i) => (i * 37) % 256);
    const png = await sharp(data, { raw: { width: 8, height: 8, channels: 4 } })
      .png()
      .toBuffer();
    const pixels = await readPixels(png);
    expect(pixels.channels).toBe(4);
    expect(Array.from(pixels.data)).toEqual(Array.from(data));
  });

  it('takes paths, bytes and pipelines, and leaves a pipeline usable', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.png');
    await plain(12, 9).toFile(path);
    const pipeline = sharp(path).resize(30, 20);
    const fromPath = await readPixels(path);
    const fromBytes = await readPixels(new Uint8Array(await sharp(path).toBuffer()));
    const fromPipeline = await readPixels(pipeline);
    expect(fromBytes).toEqual(fromPath);
    expect([fromPipeline.width, fromPipeline.height]).toEqual([30, 20]);
    expect((await pipeline.png().toBuffer({ resolveWithObject: true })).info.width).toBe(30);
  });
});

/** A PNG that says it is 30,000 x 30,000 and ends after its header: decoding it would fail otherwise. */
function bomb(): Buffer {
  const header = Buffer.from('IHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0', 'latin1');
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(header));
  const signature = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\r', 'latin1');
  const data = Buffer.from('\0\0\x10\0IDAT', 'latin1');
  return Buffer.concat([signature, header, check, data]);
}

describe('an image that is refused', () => {
  it.each<[string, () => Buffer | Promise<Buffer>, string]>([
    ['a bomb', bomb, 'at most 100 megapixels, got 30000x30000'],
    ['1x1', () => plain(1, 1).png().toBuffer(), 'at least 8 px and at most 100 megapixels, got 1x1'],
    ['text', () => Buffer.from('not an image\n'), 'unsupported image format'],
    ['nothing', () => Buffer.alloc(0), 'expected a whole image file'],
    ['half a JPEG', async () => half(await noise(99, 99).jpeg().toBuffer()), 'expected a whole image file'],
    ['half a PNG', async () => half(await noise(99, 99).png().toBuffer()), 'expected a whole image file'],
    ['half a WebP', async () => half(await noise(99, 99).webp().toBuffer()), 'expected a whole image file'],
    ['half an AVIF', async () => half(await noise(99, 99).avif().toBuffer()), 'expected a whole image file'],
    ['half a TIFF', async () => half(await noise(99, 99).tiff().toBuffer()), 'expected a whole image file'],
    ['half a GIF', async () => half(await noise(99, 99).gif().toBuffer()), 'expected a whole image file'],
    [
      'SVG',
      () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>'),
      'unsupported',
    ],
    ['PDF', () => Buffer.from('%PDF-1.7\n'), 'unsupported image format'],
    ['five channels', () => fiveChannels(), '5 channels'],
  ])('%s: one sentence with the file’s name', async (_, make, message) => {
    const path = join(temporaryFolder(), 'photo.jpg');
    writeFileSync(path, await make());
    const refusal: unknown = await readPixels(path).catch((error) => error);
    expect(refusal).toMatchObject({ name: 'CycleganError', code: 'input' });
    expect(String(refusal)).toContain(`[image] ${path}: `);
    expect(String(refusal)).toContain(message);
    expect(String(refusal)).not.toContain('\n');
  });

  it('a pipe, which nobody may ever write to', async ({ skip }) => {
    skip(process.platform === 'win32', 'needs mkfifo');
    const path = join(temporaryFolder(), 'pipe.jpg');
    execFileSync('mkfifo', [path]);
    await expect(readPixels(path)).rejects.toMatchObject({
      code: 'input',
      message: expect.stringContaining(path),
    });
  });

  it('HEIC, where libvips lacks its codec', async ({ skip }) => {
    const path = fileURLToPath(new URL('fixtures/one-colour.heic', import.meta.url));
    const readable = await sharp(path)
      .toBuffer()
      .then(
        () => true,
        () => false,
      );
    skip(readable, 'this libvips decodes HEVC');
    await expect(readPixels(path)).rejects.toMatchObject({
      code: 'input',
      message: expect.not.stringContaining('\n'),
    });
  });

  it.each(['missing.jpg', 'folder.jpg'])('%s', async (name) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'folder.jpg'));
    await expect(readPixels(join(folder, name))).rejects.toMatchObject({
      code: 'input',
      message: expect.stringContaining(name),
    });
  });
});

/** RGB, alpha, and one more of which nobody knows what it is. */
function fiveChannels(): Promise<Buffer> {
  const raw = { width: 9, height: 8, channels: 1 } as const;
  const more = [Buffer.alloc(72, 200), Buffer.alloc(72, 99)];
  return plain(9, 8).joinChannel(more, { raw }).tiff({ compression: 'deflate' }).toBuffer();
}

function half(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length / 2);
}
