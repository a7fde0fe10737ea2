/** Pixels to planes and back: values, padding, greys, alpha, refusals. */
import {
  assertImageSize,
  createOutput,
  MAX_PIXELS,
  type Pixels,
  paddedSide,
  toByte,
  toPlanes,
  writeRows,
} from '@cyclegan/runtime-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const seeded = { seed: 20170330, numRuns: 60 };

/** Any image of the channels given, up to 40 px a side. */
function images(...channels: Pixels['channels'][]): fc.Arbitrary<Pixels> {
  return fc
    .record({
      width: fc.integer({ min: 8, max: 40 }),
      height: fc.integer({ min: 8, max: 40 }),
      channels: fc.constantFrom(...channels),
    })
    .chain(({ width, height, channels: count }) => {
      const length = width * height * count;
      return fc
        .uint8Array({ minLength: length, maxLength: length })
        .map((data) => ({ width, height, channels: count, data }));
    });
}

describe('values', () => {
  it('brings every byte back, and maps black and white to -1 and 1', () => {
    const data = Uint8Array.from({ length: 256 }, (_, i) => i);
    const planes = toPlanes({ width: 16, height: 16, channels: 1, data }, 1);
    expect([planes.data[0], planes.data[255]]).toEqual([-1, 1]);
    expect(Array.from(planes.data, toByte)).toEqual(Array.from(data));
  });

  it.each([
    [-1.5, 0],
    [1.5, 255],
    [0, 128],
    [0.51 / 127.5 - 1, 1],
    [0.49 / 127.5 - 1, 0],
  ])('clamps and rounds %d to %d', (value, byte) => expect(toByte(value)).toBe(byte));

  it('lays planes out as NCHW', () => {
    const data = new Uint8Array(8 * 8 * 3);
    data.set([255, 0, 0], 3);
    data.set([0, 255, 0], 3 * 8);
    const planes = toPlanes({ width: 8, height: 8, channels: 3, data }, 3);
    expect(planes).toMatchObject({ width: 8, height: 8, channels: 3 });
    const white = [...planes.data.entries()].filter(([, value]) => value === 1).map(([i]) => i);
    expect(white).toEqual([1, 64 + 8]);
  });

  it('spreads grey over three planes and weighs colours into one', () => {
    const grey = { width: 8, height: 8, channels: 2, data: new Uint8Array(128).fill(100) } as const;
    const spread = toPlanes(grey, 3);
    expect(spread.data.every((value) => toByte(value) === 100)).toBe(true);
    const data = new Uint8Array(8 * 8 * 3);
    data.set([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30]);
    const luma = toPlanes({ width: 8, height: 8, channels: 3, data }, 1);
    // Pillow: Image.convert("L") of the same colours.
    expect(Array.from(luma.data.slice(0, 4), toByte)).toEqual([76, 150, 29, 18]);
  });
});

describe('padding and cropping', () => {
  it('reflects to the right and below, then repeats the edge where that is impossible', () => {
    const data = Uint8Array.from({ length: 8 * 8 }, (_, i) => i % 8);
    const region = { left: 0, top: 0, width: 20, height: 8 };
    const planes = toPlanes({ width: 8, height: 8, channels: 1, data }, 1, region);
    const row = Array.from(planes.data.slice(0, 20), toByte);
    expect(row).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0]);
  });

  it('are each other’s inverse for any image and any size multiple', () => {
    fc.assert(
      fc.property(images(3, 4), fc.constantFrom(1, 4, 32), (pixels, sizeMultiple) => {
        const model = { sizeMultiple, minSize: 16 };
        const width = paddedSide(pixels.width, model);
        const height = paddedSide(pixels.height, model);
        const planes = toPlanes(pixels, 3, { left: 0, top: 0, width, height });
        const output = createOutput(pixels);
        writeRows(output, planes, { top: 0, rows: height });
        expect(output).toEqual(pixels);
      }),
      seeded,
    );
  });

  it('read a region as they read it in the whole', () => {
    fc.assert(
      fc.property(images(1, 2, 3, 4), fc.nat(7), fc.nat(7), (pixels, left, top) => {
        const whole = toPlanes(pixels, 3);
        const region = toPlanes(pixels, 3, { left, top, width: 4, height: 3 });
        const expected = region.data.map((value, i) => {
          const [plane, y, x] = [Math.floor(i / 12), Math.floor((i % 12) / 4), i % 4];
          if (left + x >= pixels.width || top + y >= pixels.height) return value;
          const at = plane * pixels.width * pixels.height + (top + y) * pixels.width + left + x;
          return whole.data[at] ?? Number.NaN;
        });
        expect(region.data).toEqual(expected);
      }),
      seeded,
    );
  });

  it.each([
    [8, 8],
    [9, 12],
    [64, 64],
    [3, 8],
  ])('pad a side of %i to %i', (side, padded) => {
    expect(paddedSide(side, { sizeMultiple: 4, minSize: 8 })).toBe(padded);
  });
});

describe('size limits', () => {
  it.each([
    [1, 1],
    [7, 100],
    [30_000, 30_000],
    [MAX_PIXELS / 8 + 1, 8],
    [Number.NaN, 10],
  ])('refuse %dx%d, and name what and how large', (width, height) => {
    const refuse = () => assertImageSize('cat.png', { width, height });
    expect(refuse).toThrow(expect.objectContaining({ name: 'CycleganError', code: 'input' }));
    expect(refuse).toThrow(
      `cat.png: expected sides of at least 8 px and at most 100 megapixels, got ${width}x${height}`,
    );
  });

  it.each([
    [8, 8],
    [MAX_PIXELS / 8, 8],
  ])('allow %dx%d', (width, height) => assertImageSize('cat.png', { width, height }));
});
