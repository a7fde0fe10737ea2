// How images are brought to a batch in each mode: sizes, crops, pairs, channels, 16 bits.
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createDataSource, type DataSourceOptions, openImageSet } from '../dist/data/index.js';
import { at, augmentation } from './pixels.js';
import { gradient, gradientFolder, temporaryFolder, writeImage } from './temp-folder.js';

const root = temporaryFolder();

/** Two pictures 100 wide and 40 high; blue 50 and 51. */
const wide = join(root, 'wide');
for (const index of [0, 1]) await writeImage(join(wide, `${index}.png`), gradient(100, 50 + index, 40));
const a = await openImageSet({ path: wide, domain: 'A' });
const b = await openImageSet({ path: await gradientFolder(join(root, 'b'), 5, 0), domain: 'B' });

function source(options: Partial<DataSourceOptions>) {
  return createDataSource({ a, b: a, height: 16, width: 24, loadSize: 0, batch: 1, seed: 1, ...options });
}

async function batches(options: Partial<DataSourceOptions>, count: number) {
  const from = source(options);
  return Promise.all(Array.from({ length: count }, (_, step) => from.batch(step)));
}

/** How many source pixels lie between two of the batch, to the right and downwards. */
function scales(images: Float32Array, shape: { height: number; width: number }) {
  const { height, width } = shape;
  const across = (at(images, 0, 8, width - 3, shape) - at(images, 0, 8, 2, shape)) / (width - 5) / 2;
  const down = (at(images, 1, height - 3, 8, shape) - at(images, 1, 2, 8, shape)) / (height - 5) / 2;
  return { across: Math.abs(across), down };
}

describe('preprocess', () => {
  it('crop takes each place equally often, from images of any size, and does not swap the sides', async () => {
    const shape = { height: 36, width: 97 };
    const drawn = (await batches({ preprocess: 'crop', ...shape }, 400)).map(({ a: images }) =>
      augmentation(images, shape),
    );
    const times = (value: (crop: (typeof drawn)[0]) => unknown) => {
      const counts = new Map<unknown, number>();
      for (const crop of drawn) counts.set(value(crop), (counts.get(value(crop)) ?? 0) + 1);
      return [...counts].sort(([left], [right]) => Number(left) - Number(right));
    };
    const lefts = times(({ left }) => left);
    const tops = times(({ top }) => top);
    expect(lefts.map(([left]) => left)).toEqual([0, 1, 2, 3]);
    expect(tops.map(([top]) => top)).toEqual([0, 1, 2, 3, 4]);
    // Three standard deviations around 100, 80 and 200 of 400.
    for (const [, count] of lefts) expect(Math.abs(count - 100)).toBeLessThan(26);
    for (const [, count] of tops) expect(Math.abs(count - 80)).toBeLessThan(24);
    expect(Math.abs(drawn.filter(({ flip }) => flip).length - 200)).toBeLessThan(30);
    expect(times(({ left, top, flip }) => `${left} ${top} ${flip}`)).toHaveLength(40);
  });

  it('crop keeps the scale, and enlarges an image that the crop does not fit in', async () => {
    const fits = { height: 16, width: 24 };
    const [own] = await batches({ preprocess: 'crop', ...fits, flip: false }, 1);
    expect(scales(own?.a ?? new Float32Array(), fits)).toEqual({ across: 1, down: 1 });
    const larger = { height: 80, width: 24 };
    const [grown] = await batches({ preprocess: 'crop', ...larger, flip: false }, 1);
    const scale = scales(grown?.a ?? new Float32Array(), larger);
    expect(scale.across).toBeCloseTo(0.5, 1);
    expect(scale.down).toBeCloseTo(0.5, 1);
  });

  it.each([
    // 100 × 40 comes to 50 × 50, 50 × 20, 75 × 30 and is cropped.
    { preprocess: 'resize_and_crop', loadSize: 50, height: 20, across: 2, down: 0.8 },
    { preprocess: 'scale_width_and_crop', loadSize: 50, height: 20, across: 2, down: 2 },
    { preprocess: 'scale_shortside_and_crop', loadSize: 30, height: 20, across: 4 / 3, down: 4 / 3 },
    // The crop is higher than the image would be, which is then stretched, as in the reference.
    { preprocess: 'scale_width_and_crop', loadSize: 50, height: 30, across: 2, down: 4 / 3 },
    // Neither crops: the whole image is in the batch.
    { preprocess: 'scale_width', loadSize: 50, height: 20, width: 50, across: 2, down: 2 },
    { preprocess: 'none', loadSize: 0, height: 40, width: 100, across: 1, down: 1 },
  ] as const)('$preprocess to $loadSize', async ({ across, down, ...options }) => {
    const shape = { width: 24, ...options };
    const [batch] = await batches({ ...shape, flip: false }, 1);
    const scale = scales(batch?.a ?? new Float32Array(), shape);
    expect(scale.across).toBeCloseTo(across, 1);
    expect(scale.down).toBeCloseTo(down, 1);
  });

  it('needs a load size that the crop fits in, where there is one', () => {
    const usage = (options: Partial<DataSourceOptions>, least: number) =>
      expect(() => source(options)).toThrow(
        expect.objectContaining({
          code: 'usage',
          message: expect.stringContaining(`from the size, ${least},`),
        }),
      );
    usage({ preprocess: 'scale_width_and_crop', height: 40, width: 24, loadSize: 23 }, 24);
    usage({ preprocess: 'scale_shortside_and_crop', height: 40, width: 24, loadSize: 39 }, 40);
  });
});

describe('pairing', () => {
  it('serial takes both in order, without chance', async () => {
    const drawn = await batches({ b, height: 16, width: 16, preprocess: 'crop', pairing: 'serial' }, 10);
    const epoch = ['0.png', '1.png', '0.png', '1.png', '0.png'];
    expect(drawn.map(({ files }) => files.a[0])).toEqual([...epoch, ...epoch]);
    expect(drawn.map(({ files }) => files.b[0])).toEqual([...b.files, ...b.files]);
  });

  it('serial says that pairs have moved when files were left out', async () => {
    const warnings: string[] = [];
    source({
      b: { ...b, skipped: 2 },
      pairing: 'serial',
      loadSize: 24,
      onWarning: (said) => warnings.push(said),
    });
    expect(warnings).toEqual([expect.stringMatching(/serial pairs: 2 files were left out/)]);
  });
});

describe('channels', () => {
  it('one channel is the luma of the colours, each domain for itself', async () => {
    const options = { height: 40, width: 100, preprocess: 'none', flip: false } as const;
    const [colour] = await batches({ ...options, pairing: 'serial' }, 1);
    const [grey] = await batches({ ...options, pairing: 'serial', channels: { a: 1, b: 3 } }, 1);
    expect(grey?.a).toHaveLength(40 * 100);
    expect(grey?.b).toEqual(colour?.b);
    for (const place of [0, 57, 3999]) {
      const [red = 0, green = 0, blue = 0] = [0, 1, 2].map((c) => colour?.a[c * 4000 + place]);
      expect(grey?.a[place]).toBeCloseTo(0.299 * red + 0.587 * green + 0.114 * blue, 6);
    }
  });
});

describe('16 bits', () => {
  /** Values that all become the same in 8 bits. */
  const values = Uint16Array.from({ length: 16 * 16 * 3 }, (_, index) => 30_000 + (index % 200));
  const deep = sharp(values, { raw: { width: 16, height: 16, channels: 3 } }).toColourspace('rgb16');
  const expected = (value: number) => value / 32_767.5 - 1;

  it.each([
    ['png', deep.clone().png()],
    ['tif', deep.clone().tiff({ compression: 'lzw' })],
  ])('are read as such from %s', async (kind, image) => {
    const path = join(root, `deep-${kind}`);
    for (const name of ['a', 'b']) await writeImage(join(path, `${name}.${kind}`), image);
    const set = await openImageSet({ path, domain: 'A' });
    const options = { a: set, b: set, preprocess: 'crop', height: 16, width: 16, flip: false } as const;
    const [batch] = await batches(options, 1);
    for (const pixel of [0, 1, 17, 255]) {
      for (const channel of [0, 1, 2]) {
        const value = values[3 * pixel + channel] ?? 0;
        expect(batch?.a[channel * 256 + pixel]).toBeCloseTo(expected(value), 6);
      }
    }
    expect(new Set(batch?.a).size).toBe(200);
  });

  it('are read as such from grey images, also beside 8-bit ones', async () => {
    const path = join(root, 'deep-grey');
    const grey = Uint16Array.from({ length: 256 }, (_, index) => 500 + index);
    const image = sharp(grey, { raw: { width: 16, height: 16, channels: 1 } });
    await writeImage(join(path, 'a.png'), image.toColourspace('grey16'));
    await writeImage(join(path, 'b.png'), gradient(16, 7));
    const set = await openImageSet({ path, domain: 'A' });
    const options = { a: set, b: set, preprocess: 'crop', height: 16, width: 16, flip: false } as const;
    const [deepOne, shallow] = await batches({ ...options, pairing: 'serial', channels: { a: 1, b: 1 } }, 2);
    expect(deepOne?.a[200]).toBeCloseTo(expected(700), 6);
    expect(shallow?.a[1]).toBeCloseTo((0.299 * 2 + 0.114 * 7) / 127.5 - 1, 6);
  });
});
