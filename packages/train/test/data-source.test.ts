// Batches: what is in them, and that they depend on the seed and the step alone.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDataSource, type DataSourceOptions, openImageSet } from '../dist/data/index.js';
import { at, augmentation } from './pixels.js';
import { gradient, gradientFolder, temporaryFolder } from './temp-folder.js';

const root = temporaryFolder();
const pathA = await gradientFolder(join(root, 'a'), 5, 10);
const pathB = await gradientFolder(join(root, 'b'), 8, 100);
const a = await openImageSet({ path: pathA, domain: 'A' });
const b = await openImageSet({ path: pathB, domain: 'B' });
const pixel = await gradient(16, 0).png().toBuffer();

function source(options: Partial<DataSourceOptions> = {}) {
  return createDataSource({ a, b, height: 32, width: 32, loadSize: 64, batch: 1, seed: 7, ...options });
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

  it('decodes as many steps ahead as asked, and each once', async () => {
    const reads = async (prefetch: number) => {
      let count = 0;
      const counting = {
        ...a,
        read: (index: number) => {
          count++;
          return a.read(index);
        },
      };
      const from = source({ a: counting, prefetch, cacheBytes: 0 });
      const after = [];
      for (let step = 0; step < 3; step++) {
        await from.batch(step);
        after.push(count);
      }
      return after;
    };
    expect(await reads(6)).toEqual([7, 8, 9]);
    expect(await reads(0)).toEqual([1, 2, 3]);
  });

  it('draws what version 0.1 drew, so that its runs go on as they would have', async () => {
    const from = source();
    const drawn = async (step: number) => {
      const { a: imagesA, b: imagesB, files } = await from.batch(step);
      const image = (images: Float32Array) => Object.values(augmentation(images));
      return [files.a[0], ...image(imagesA), files.b[0], ...image(imagesB)];
    };
    expect(await drawn(0)).toEqual(['03.png', 19, 18, true, '03.png', 20, 5, true]);
    expect(await drawn(1)).toEqual(['02.png', 0, 7, true, '04.png', 24, 7, false]);
    expect(await drawn(8)).toEqual(['04.png', 17, 14, false, '00.png', 0, 25, true]);
    expect(await drawn(1000)).toEqual(['02.png', 13, 30, true, '07.png', 8, 19, true]);
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
    const failing = await openImageSet({ path, domain: 'A' });
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
    const gone = await openImageSet({ path, domain: 'B' });
    rmSync(path, { recursive: true });
    await expect(source({ b: gone }).batch(0)).rejects.toMatchObject({
      code: 'input',
      message: expect.stringMatching(/folder B, .*got none of 2 any more/),
    });
  });

  it('stops at a folder whose files have all gone, without trying each of many', async () => {
    const path = join(root, 'unmounted');
    mkdirSync(path);
    for (let i = 0; i < 150; i++) writeFileSync(join(path, `${1000 + i}.png`), pixel);
    const empty = await openImageSet({ path, domain: 'A' });
    for (const file of empty.files) rmSync(join(path, file));
    const warnings: string[] = [];
    const options = { a: empty, prefetch: 0, onWarning: (message: string) => warnings.push(message) };
    await expect(source(options).batch(0)).rejects.toMatchObject({
      code: 'input',
      message: expect.stringMatching(/got none of the 100 from 1\d+\.png on\. Bring/),
    });
    expect(warnings).toHaveLength(100);
  });

  it('refuses sizes that cannot be meant', () => {
    const usage = (options: Partial<DataSourceOptions>, expected: RegExp) =>
      expect(() => source(options)).toThrow(
        expect.objectContaining({ code: 'usage', message: expect.stringMatching(expected) }),
      );
    usage({ width: 65 }, /load size: expected a whole number from the size, 65/);
    usage({ height: 0 }, /height: expected/);
    usage({ width: 8_193 }, /width: expected/);
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
