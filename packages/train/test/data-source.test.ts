// Batches: what is in them, and that they depend on the seed and the step alone.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  createDataSource,
  type DataSourceOptions,
  loadTestImage,
  openImageFolder,
} from '../dist/data/index.js';
import { gradientFolder, temporaryFolder, writeImage } from './temp-folder.js';

const root = temporaryFolder();
const pathA = await gradientFolder(join(root, 'a'), 5, 10);
const pathB = await gradientFolder(join(root, 'b'), 8, 100);
const a = await openImageFolder({ path: pathA, domain: 'A' });
const b = await openImageFolder({ path: pathB, domain: 'B' });

function source(options: Partial<DataSourceOptions> = {}) {
  return createDataSource({ a, b, size: 32, loadSize: 64, batch: 1, seed: 7, ...options });
}

/** Value 0-255 of channel `c` at a place of item `item` of a batch. */
function at(
  images: Float32Array,
  c: number,
  row: number,
  column: number,
  { item = 0, size = 32 }: { item?: number; size?: number } = {},
): number {
  return Math.round(((images[((item * 3 + c) * size + row) * size + column] ?? Number.NaN) + 1) * 127.5);
}

/** Crop and flip of an image, read back from the gradients in it. */
function augmentation(images: Float32Array) {
  const flip = at(images, 0, 0, 1) < at(images, 0, 0, 0);
  return { left: at(images, 0, 0, flip ? 31 : 0) / 2, top: at(images, 1, 0, 0) / 2, flip };
}

async function steps(from: ReturnType<typeof source>, count: number) {
  const batches = [];
  for (let step = 0; step < count; step++) batches.push(await from.batch(step));
  return batches;
}

describe('createDataSource', () => {
  it('gives NCHW batches on [-1, 1] whose values are those of the files', async () => {
    const { a: imagesA, b: imagesB, files } = await source({ batch: 3 }).batch(0);
    expect(imagesA).toHaveLength(3 * 3 * 32 * 32);
    expect(imagesB).toHaveLength(3 * 3 * 32 * 32);
    for (let item = 0; item < 3; item++) {
      expect(at(imagesA, 2, 5, 5, { item })).toBe(10 + a.files.indexOf(files.a[item] ?? ''));
      expect(at(imagesB, 2, 5, 5, { item })).toBe(100 + b.files.indexOf(files.b[item] ?? ''));
    }
    expect(Math.min(...imagesA)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...imagesB)).toBeLessThanOrEqual(1);
  });

  it('gives a step the same batch whatever was asked for before', async () => {
    const inOrder = await steps(source(), 18);
    expect(await source().batch(17)).toEqual(inOrder[17]);
    const without = source({ prefetch: 0, cacheBytes: 0 });
    expect(await without.batch(17)).toEqual(inOrder[17]);
    expect(await without.batch(3)).toEqual(inOrder[3]);
    expect(inOrder[3]).not.toEqual(inOrder[4]);
  });

  it('answers steps that are asked for at once, and again', async () => {
    const from = source();
    const [first, second, again] = await Promise.all([from.batch(0), from.batch(1), from.batch(0)]);
    expect(again).toEqual(first);
    expect(second).toEqual(await source().batch(1));
    expect(again?.a).not.toBe(first?.a);
  });

  it('draws otherwise with another seed', async () => {
    const files = async (seed: number) => (await steps(source({ seed }), 16)).map((batch) => batch.files);
    expect(await files(8)).not.toEqual(await files(7));
  });

  it('shows each image of the larger domain once an epoch, the smaller by index, B at random', async () => {
    const from = source();
    expect([from.epochLength, from.stepsPerEpoch]).toEqual([8, 8]);
    const batches = await steps(from, 64);
    const epochs = Array.from({ length: 8 }, (_, epoch) => batches.slice(epoch * 8, epoch * 8 + 8));
    const orders = epochs.map((epoch) => epoch.map((batch) => batch.files.a[0]));
    for (const order of orders) {
      const times = a.files.map((file) => order.filter((other) => other === file).length);
      expect(times).toEqual([2, 2, 2, 1, 1]);
    }
    expect(new Set(orders.map(String)).size).toBe(8);
    const pairs = new Set(batches.map((batch) => `${batch.files.a} ${batch.files.b}`));
    expect(pairs.size).toBeGreaterThan(20);
    expect(new Set(batches.map((batch) => batch.files.b[0])).size).toBe(8);
  });

  it('fills the last batch of an epoch up from its first images', async () => {
    const from = source({ batch: 3 });
    expect(from.stepsPerEpoch).toBe(3);
    const names = (await steps(from, 3)).flatMap((batch) => batch.files.a);
    expect(names[8]).toBe(names[0]);
  });

  it('crops at random places and flips half of the images, A and B apart', async () => {
    const drawn = (await steps(source(), 64)).map((batch) => ({
      a: augmentation(batch.a),
      b: augmentation(batch.b),
    }));
    for (const domain of ['a', 'b'] as const) {
      const crops = drawn.map((step) => step[domain]);
      const flips = crops.filter((crop) => crop.flip).length;
      expect(flips).toBeGreaterThan(16);
      expect(flips).toBeLessThan(48);
      expect(new Set(crops.map((crop) => crop.left)).size).toBeGreaterThan(15);
      expect(new Set(crops.map((crop) => crop.top)).size).toBeGreaterThan(15);
      expect(Math.max(...crops.map((crop) => crop.left))).toBeLessThanOrEqual(32);
    }
    const agreeing = drawn.filter((step) => step.a.flip === step.b.flip).length;
    expect(agreeing).toBeGreaterThan(16);
    expect(agreeing).toBeLessThan(48);
    const upright = await steps(source({ flip: false }), 16);
    expect(upright.some((batch) => augmentation(batch.a).flip)).toBe(false);
  });

  it('replaces a file that fails on the way by the next readable one, and says so once', async () => {
    const path = await gradientFolder(join(root, 'failing'), 4, 0);
    const failing = await openImageFolder({ path, domain: 'A' });
    rmSync(join(path, '01.png'));
    writeFileSync(join(path, '02.png'), 'overwritten');
    const warnings: string[] = [];
    const options = { a: failing, b: failing, onWarning: (message: string) => warnings.push(message) };
    const batches = await steps(source(options), 16);
    const seen = new Set(batches.flatMap((batch) => [...batch.files.a, ...batch.files.b]));
    expect([...seen].sort()).toEqual(['00.png', '03.png']);
    const said = (name: string) => warnings.filter((warning) => warning.includes(name)).length;
    expect([said('01.png'), said('02.png')]).toEqual([2, 2]);
    expect(await steps(source(options), 16)).toEqual(batches);
  });

  it('says so when a folder has gone', async () => {
    const path = await gradientFolder(join(root, 'gone'), 2, 0);
    const gone = await openImageFolder({ path, domain: 'B' });
    rmSync(path, { recursive: true });
    await expect(source({ b: gone }).batch(0)).rejects.toMatchObject({
      code: 'input',
      message: expect.stringMatching(/folder B, .*got none of 2 any more/),
    });
  });

  it('refuses sizes that cannot be meant', () => {
    const usage = (options: Partial<DataSourceOptions>, expected: RegExp) =>
      expect(() => source(options)).toThrow(
        expect.objectContaining({ code: 'usage', message: expect.stringMatching(expected) }),
      );
    usage({ size: 65 }, /load size: expected a whole number from the size, 65/);
    usage({ size: 0 }, /size: expected/);
    usage({ batch: 0 }, /batch: expected/);
    usage({ seed: 0.5 }, /seed: expected/);
  });

  it('gives nothing after dispose', async () => {
    const from = source();
    await from.batch(0);
    from.dispose();
    await expect(from.batch(1)).rejects.toThrow(/dispose/);
  });
});

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
    return [0, 1, 2].map((channel) => at(pixels, channel, 8, 8, { size: 16 }));
  };

  it('brings every kind of file to three 8-bit channels on white', async () => {
    expect(await colour('rgb.png', red.clone())).toEqual([255, 0, 0]);
    expect(await colour('deep.png', red.clone().toColourspace('rgb16'))).toEqual([255, 0, 0]);
    expect(await colour('palette.png', red.clone().png({ palette: true }))).toEqual([255, 0, 0]);
    expect(await colour('clear.png', red4.clone())).toEqual([255, 255, 255]);
    expect(await colour('clear.webp', red4.clone())).toEqual([255, 255, 255]);
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
    expect([at(pixels, 0, 2, 2, { size: 16 }), at(pixels, 0, 2, 13, { size: 16 })]).toEqual([0, 0]);
    expect([at(pixels, 0, 13, 2, { size: 16 }), at(pixels, 0, 13, 13, { size: 16 })]).toEqual([255, 255]);
  });

  it('names the file that cannot be read', async () => {
    await expect(loadTestImage(join(root, 'none.png'), 16)).rejects.toMatchObject({
      code: 'input',
      message: expect.stringMatching(/none\.png/),
    });
  });
});
