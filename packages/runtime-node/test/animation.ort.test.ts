/** Animated GIF and WebP through a translator: frames, delays, loops, smoothing, and what is refused. */
import { join } from 'node:path';
import { exportBundle } from '@cyclegan/export';
import { createTranslator, type NodeTranslator, type Progress, translateImage } from '@cyclegan/runtime-node';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { makeRun } from '../../../test/support/make-bundle.ts';
import { animation } from './image-files.ts';
import { temporaryFolder, tinyBundle } from './support.ts';

let translator: NodeTranslator;
beforeAll(async () => {
  translator = await createTranslator(tinyBundle, { device: 'cpu', threads: 1 });
});
afterAll(() => translator.dispose());

const colours = [
  [200, 100, 50],
  [20, 220, 90],
  [0, 0, 0],
  [255, 255, 255],
  [90, 20, 160],
] as const;
const delay = [100, 50, 70, 20, 200];
const clip = (format: 'gif' | 'webp', alpha?: number) =>
  animation(format, { colours: [...colours], delay, loop: 3, ...(alpha !== undefined && { alpha }) });

/** Every frame as it is shown, RGBA. */
async function framesOf(file: Uint8Array): Promise<Uint8Array[]> {
  const image = sharp(file, { animated: true }).ensureAlpha();
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const bytes = (info.pageHeight ?? info.height) * info.width * 4;
  return Array.from({ length: data.length / bytes }, (_, i) => data.subarray(i * bytes, (i + 1) * bytes));
}

const mean = (pixels: Uint8Array, channel: number) =>
  pixels.reduce((sum, value, i) => sum + (i % 4 === channel ? value : 0), 0) / (pixels.length / 4);

describe('an animation', () => {
  it.each([
    ['gif', 'gif'],
    ['gif', 'webp'],
    ['webp', 'webp'],
    ['webp', 'gif'],
  ] as const)('from %s to %s: frame by frame, with its delays and loops', async (from, to) => {
    const image = await clip(from);
    const seen: Progress[] = [];
    const onProgress = (progress: Progress) => seen.push(progress);
    const result = await translateImage(translator, image, { format: to, onProgress });
    expect(result).toMatchObject({ format: to, width: 16, height: 16, frames: 5 });
    expect(await sharp(result.data).metadata()).toMatchObject({
      pages: 5,
      delay,
      loop: 3,
      width: 16,
      height: 16,
    });
    expect(seen).toEqual([1, 2, 3, 4, 5].map((done) => ({ stage: 'frame', done, total: 5 })));

    const [frames, before] = await Promise.all([framesOf(result.data), framesOf(image)]);
    for (const [i, frame] of frames.entries()) {
      const raw = { width: 16, height: 16, channels: 4 } as const;
      const alone = await translator.translate(sharp(before[i], { raw }).removeAlpha());
      const pixels = await alone.ensureAlpha().raw().toBuffer();
      // By means, for GIF dithers to 256 colours and WebP halves them.
      for (const channel of [0, 1, 2, 3]) {
        expect(Math.abs(mean(frame, channel) - mean(pixels, channel))).toBeLessThan(6);
      }
    }
  });

  it('shows its first frame where the output holds one', async () => {
    const result = await translateImage(translator, await clip('gif'), { format: 'png' });
    expect(result.frames).toBe(1);
    const first = await sharp(await clip('gif'))
      .png()
      .toBuffer();
    const still = await translateImage(translator, first);
    expect(await sharp(result.data).raw().toBuffer()).toEqual(await sharp(still.data).raw().toBuffer());
  });

  it('is written without its alpha where the translator was told so', async () => {
    const flat = await createTranslator(tinyBundle, { device: 'cpu', threads: 1, alpha: 'flatten' });
    onTestFinished(() => flat.dispose());
    const image = await clip('webp', 128);
    const [kept, gone] = await Promise.all([translator, flat].map((each) => translateImage(each, image)));
    expect(await sharp(kept?.data).metadata()).toMatchObject({ pages: 5, hasAlpha: true });
    expect(await sharp(gone?.data).metadata()).toMatchObject({ pages: 5, hasAlpha: false });
    // Frames of different colours stay different: none was written over before it was read.
    const means = (await framesOf(gone?.data ?? new Uint8Array())).map((frame) => Math.round(mean(frame, 0)));
    const whites = await translateImage(
      flat,
      await animation('webp', { colours: [...colours], delay, loop: 3, alpha: 128 }),
    );
    expect((await framesOf(whites.data)).map((frame) => Math.round(mean(frame, 0)))).toEqual(means);
    expect(new Set(means).size).toBeGreaterThan(3);
  });

  it('is scaled and cropped frame by frame', async () => {
    const result = await translateImage(translator, await clip('gif'), { size: { width: 24, height: 12 } });
    expect(result).toMatchObject({ width: 24, height: 12, frames: 5 });
    expect(await sharp(result.data).metadata()).toMatchObject({ width: 24, height: 12, pages: 5 });
  });

  it('keeps its metadata in WebP', async () => {
    const image = await sharp(await clip('gif'), { animated: true })
      .withExif({ IFD0: { Artist: 'An artist' } })
      .webp()
      .toBuffer();
    const { data } = await translateImage(translator, image, { metadata: 'keep' });
    const after = await sharp(data).metadata();
    expect(after).toMatchObject({ pages: 5, delay, loop: 3 });
    expect(after.exif?.includes('An artist')).toBe(true);
  });

  it('stops between frames', async () => {
    const stop = new AbortController();
    const seen: Progress[] = [];
    const onProgress = (progress: Progress) => {
      seen.push(progress);
      stop.abort();
    };
    const options = { signal: stop.signal, onProgress };
    await expect(translateImage(translator, await clip('gif'), options)).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(seen.length).toBeLessThan(5);
  });

  it('is refused by the pixels of all frames, and by their number', async () => {
    const image = await clip('gif');
    await expect(translateImage(translator, image, { maxPixels: 5 * 16 * 16 - 1 })).rejects.toMatchObject({
      code: 'input',
      message: expect.stringContaining('got 5 frames of 16x16'),
    });
    expect((await translateImage(translator, image, { maxPixels: 16 * 16, format: 'png' })).frames).toBe(1);
    const many = Array.from({ length: 4097 }, (_, i) => [i % 256, 0, 0] as const);
    const long = await animation('gif', { side: 8, colours: many, delay: many.map(() => 20), loop: 0 });
    await expect(translateImage(translator, long)).rejects.toMatchObject({
      code: 'input',
      message: expect.stringMatching(/at most 4096 frames, got 4097 frames of 8x8/),
    });
  });
});

describe('smoothing', () => {
  /** A still pattern in whose right third a light goes on and off. */
  const flickering = () => {
    const [side, frames] = [48, 8];
    const data = Uint8Array.from({ length: side * side * frames * 3 }, (_, i) => {
      const [x, y, frame] = [
        Math.floor(i / 3) % side,
        Math.floor(i / 3 / side) % side,
        Math.floor(i / 3 / side / side),
      ];
      return 110 + ((x >> 2) + (y >> 3)) * 4 + (x >= 32 && frame % 2 === 1 ? 8 : 0);
    });
    const raw = { width: side, height: side * frames, channels: 3, pageHeight: side } as const;
    const timing = { delay: Array.from({ length: frames }, () => 40), loop: 0 };
    return sharp(data, { raw })
      .webp({ ...timing, lossless: true })
      .toBuffer();
  };

  /** How much the left half changes from frame to frame, where nothing happens. */
  async function flicker(file: Uint8Array): Promise<number> {
    const frames = await framesOf(file);
    let sum = 0;
    for (const [i, frame] of frames.entries()) {
      const before = frames[i - 1] ?? frame;
      for (let at = 0; at < frame.length; at += 4) {
        if ((at / 4) % 48 < 24) sum += Math.abs((frame[at] ?? 0) - (before[at] ?? 0));
      }
    }
    return sum / (frames.length - 1) / (48 * 24);
  }

  it('needs the pair for tiles, and changes nothing without', async () => {
    const image = await flickering();
    const [plainly, smoothed] = await Promise.all(
      [0, 0.9].map((smoothing) => translateImage(translator, image, { smoothing })),
    );
    expect(smoothed?.data).toEqual(plainly?.data);
  });

  it('quiets the frames by those before them', async () => {
    const dir = temporaryFolder();
    const { run } = await makeRun({ run: join(dir, 'run') });
    await exportBundle({ source: run, out: join(dir, 'bundle'), direction: 'AtoB', tiles: true });
    const paired = await createTranslator(join(dir, 'bundle'), { device: 'cpu', threads: 1 });
    onTestFinished(() => paired.dispose());
    const image = await flickering();
    const [plainly, smoothed] = await Promise.all(
      [0, 0.9].map(async (smoothing) => flicker((await translateImage(paired, image, { smoothing })).data)),
    );
    expect(smoothed).toBeLessThan(0.7 * (plainly ?? 0));
  });
});
