// Whole images for looking and measuring: every kind of file, resized and nothing else.
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { loadImage, loadImages, loadTestImage, openImageSet } from '../dist/data/index.js';
import { at } from './pixels.js';
import { gradient, gradientFolder, temporaryFolder, writeImage } from './temp-folder.js';

const root = temporaryFolder();
const shape = { height: 16, width: 16 };

describe('loadTestImage', () => {
  const red = sharp({ create: { width: 40, height: 20, channels: 3, background: '#ff0000' } });
  const red4 = sharp({
    create: { width: 40, height: 20, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } },
  });
  const colour = async (name: string, image: Sharp) => {
    const path = join(root, 'kinds', name);
    await writeImage(path, image);
    const pixels = await loadTestImage(path, 16);
    expect(pixels).toHaveLength(3 * 16 * 16);
    return [0, 1, 2].map((channel) => at(pixels, channel, 8, 8, shape));
  };

  it('brings every kind of file to three channels on white', async () => {
    expect(await colour('rgb.png', red.clone())).toEqual([255, 0, 0]);
    expect(await colour('rgb.tiff', red.clone().tiff({ compression: 'deflate' }))).toEqual([255, 0, 0]);
    expect(await colour('deep.png', red.clone().toColourspace('rgb16'))).toEqual([255, 0, 0]);
    expect(await colour('palette.png', red.clone().png({ palette: true }))).toEqual([255, 0, 0]);
    expect(await colour('clear.png', red4.clone())).toEqual([255, 255, 255]);
    expect(await colour('clear.webp', red4.clone())).toEqual([255, 255, 255]);
    // sharp's white is 255 · 256 in 16 bits.
    const clear = await colour('deep-clear.png', red4.clone().toColourspace('rgb16'));
    for (const value of clear) expect(value).toBeGreaterThanOrEqual(254);
    const [grey, ...others] = await colour('grey.png', red.clone().greyscale());
    expect(others).toEqual([grey, grey]);
    const [r = 0, g = 255] = await colour('cmyk.jpg', red.clone().toColourspace('cmyk'));
    expect(r - g).toBeGreaterThan(150);
  });

  it('turns a picture upright', async () => {
    const halves = Buffer.alloc(32 * 16 * 3);
    for (let pixel = 0; pixel < 32 * 16; pixel++)
      halves.fill(pixel % 32 < 16 ? 0 : 255, 3 * pixel, 3 * pixel + 3);
    const path = join(root, 'kinds', 'turned.png');
    const image = sharp(halves, { raw: { width: 32, height: 16, channels: 3 } });
    await writeImage(path, image.withMetadata({ orientation: 6 }));
    const pixels = await loadTestImage(path, 16);
    expect([at(pixels, 0, 2, 2, shape), at(pixels, 0, 2, 13, shape)]).toEqual([0, 0]);
    expect([at(pixels, 0, 13, 2, shape), at(pixels, 0, 13, 13, shape)]).toEqual([255, 255]);
  });

  it('names the file that cannot be read', async () => {
    await expect(loadTestImage(join(root, 'none.png'), 16)).rejects.toMatchObject({
      code: 'input',
      message: expect.stringMatching(/none\.png, which is not there any more/),
    });
  });
});

describe('loadImages', async () => {
  const path = await gradientFolder(join(root, 'set'), 7, 10);
  const set = await openImageSet({ path, domain: 'A' });

  it('takes some, spread over the set, whole and in the shape asked for', async () => {
    const { images, files } = await loadImages(set, { height: 64, width: 32, channels: 3, count: 3 });
    expect(files).toEqual(['00.png', '02.png', '04.png']);
    expect(images).toHaveLength(3 * 3 * 64 * 32);
    const place = { item: 1, height: 64, width: 32 };
    expect(at(images, 2, 9, 9, place)).toBe(12);
    expect(at(images, 1, 40, 9, place)).toBe(80);
    // Half as wide: neighbours are four grey levels apart, and the right edge is that of the picture.
    expect(at(images, 0, 9, 20, place) - at(images, 0, 9, 19, place)).toBe(4);
    expect(at(images, 0, 9, 31, place)).toBeGreaterThan(122);
  });

  it('takes all by default, and one by its index', async () => {
    const size = { height: 8, width: 8, channels: 1 } as const;
    const { images, files } = await loadImages(set, size);
    expect(files).toEqual(set.files);
    expect(await loadImage(set, 6, size)).toEqual(images.slice(6 * 64));
  });

  it('enlarges by bicubic interpolation, half a pixel to the right and down', async () => {
    const path = join(root, 'ramp');
    await writeImage(join(path, 'a.png'), gradient(16, 0));
    const ramp = await openImageSet({ path, domain: 'A', atLeast: 1 });
    const size = { height: 40, width: 24 };
    const image = await loadImage(ramp, 0, { ...size, channels: 3 });
    for (let x = 4; x < 20; x++) {
      expect(Math.abs(at(image, 0, 9, x, size) - 2 * ((x * 16) / 24 - 0.5))).toBeLessThanOrEqual(1);
    }
    for (let y = 6; y < 34; y++) {
      expect(Math.abs(at(image, 1, y, 9, size) - 2 * ((y * 16) / 40 - 0.5))).toBeLessThanOrEqual(1);
    }
  });

  it('refuses more than memory should hold', async () => {
    await expect(loadImages(set, { height: 16_384, width: 8_192, channels: 3 })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/expected at most 1 images of 8192×16384 at once, got 7/),
    });
  });

  it('reads upright what a header says lies on its side', async () => {
    const lying = join(root, 'lying');
    await writeImage(join(lying, 'a.jpg'), gradient(48, 0, 24).jpeg().withMetadata({ orientation: 6 }));
    const one = await openImageSet({ path: lying, domain: 'A', atLeast: 1 });
    expect(await one.header(0)).toEqual({ height: 48, width: 24, deep: false });
  });
});
