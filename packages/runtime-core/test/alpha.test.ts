/** Transparency before a translation: what is hidden takes its neighbours' colours, and a background shows through. */
import { bleedColours, flattenPixels, hasAlpha, type Pixels } from '@cyclegan/runtime-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** RGBA, each pixel by its place. */
function rgba(width: number, height: number, of: (x: number, y: number) => number[]): Pixels {
  const all = Array.from({ length: width * height }, (_, i) => of(i % width, Math.floor(i / width)));
  return { width, height, channels: 4, data: Uint8Array.from(all.flat()) };
}

function pixel({ width, channels, data }: Pixels, x: number, y: number): number[] {
  const at = (y * width + x) * channels;
  return Array.from(data.subarray(at, at + channels));
}

describe('bleedColours', () => {
  it('fills what is hidden from the nearest that is seen, wherever it lies', () => {
    const image = rgba(37, 21, (x) =>
      x < 3 ? [200, 40, 10, 255] : x > 33 ? [10, 90, 220, 255] : [9, 9, 9, 0],
    );
    bleedColours(image);
    for (let y = 0; y < 21; y += 1) {
      expect(pixel(image, 4, y)).toEqual([200, 40, 10, 0]);
      expect(pixel(image, 32, y)).toEqual([10, 90, 220, 0]);
      for (let x = 3; x <= 33; x += 1) {
        const [r = 0, g = 0, b = 0, alpha] = pixel(image, x, y);
        expect(alpha).toBe(0);
        expect(Math.min(r, g, b)).toBeGreaterThanOrEqual(10);
      }
    }
  });

  it('depends on no colour that is hidden, and keeps every alpha and every colour that is seen', () => {
    const place = fc.record({
      width: fc.integer({ min: 1, max: 40 }),
      height: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(place, fc.integer(), ({ width, height }, seed) => {
        let state = seed;
        const next = () => {
          state = (Math.imul(state, 1664525) + 1013904223) | 0;
          return state >>> 24;
        };
        const one = rgba(width, height, () => [next(), next(), next(), [0, 0, 31, 32, 255][next() % 5] ?? 0]);
        const other = {
          ...one,
          data: one.data.map((v, i) => (one.data[i | 3] === 0 && i % 4 < 3 ? 255 - v : v)),
        };
        const before = one.data.slice();
        bleedColours(one);
        bleedColours(other);
        const kept = (_: number, i: number) => i % 4 === 3 || (before[i | 3] ?? 0) >= 32;
        expect(one.data.filter(kept)).toEqual(before.filter(kept));
        // Where nothing at all is seen, nothing is known either: all stays.
        if (before.some((value, i) => i % 4 === 3 && value > 0)) expect(other.data).toEqual(one.data);
        else expect(one.data).toEqual(before);
      }),
      { seed: 20170330, numRuns: 100 },
    );
  });

  it('fades a faint colour into its neighbours’', () => {
    const image = rgba(16, 16, (x) => (x === 8 ? [0, 0, 0, 16] : [200, 200, 200, 255]));
    bleedColours(image);
    const [r = 0, , , alpha] = pixel(image, 8, 8);
    expect(alpha).toBe(16);
    expect(r).toBeGreaterThan(60);
    expect(r).toBeLessThan(140);
  });

  it('takes grey images', () => {
    const image: Pixels = { width: 2, height: 1, channels: 2, data: Uint8Array.of(70, 255, 3, 0) };
    bleedColours(image);
    expect(Array.from(image.data)).toEqual([70, 255, 70, 0]);
  });
});

describe('flattenPixels', () => {
  it('lays colours on a background by their alpha', () => {
    const image = rgba(3, 1, (x) => [100, 0, 255, [0, 51, 255][x] ?? 0]);
    flattenPixels(image, [200, 50, 0]);
    expect([0, 1, 2].map((x) => pixel(image, x, 0))).toEqual([
      [200, 50, 0, 255],
      [180, 40, 51, 255],
      [100, 0, 255, 255],
    ]);
    expect(hasAlpha(image)).toBe(false);
  });

  it('takes white for a background, and its luma under grey', () => {
    const white: Pixels = { width: 1, height: 1, channels: 2, data: Uint8Array.of(9, 0) };
    flattenPixels(white);
    expect(Array.from(white.data)).toEqual([255, 255]);
    const green: Pixels = { width: 1, height: 1, channels: 2, data: Uint8Array.of(9, 0) };
    flattenPixels(green, [0, 255, 0]);
    expect(Array.from(green.data)).toEqual([150, 255]);
  });
});

describe('hasAlpha', () => {
  it.each<[boolean, Pixels['channels'], number[]]>([
    [false, 1, [0]],
    [false, 2, [0, 255]],
    [true, 2, [0, 254]],
    [false, 3, [1, 2, 3]],
    [false, 4, [1, 2, 3, 255]],
    [true, 4, [1, 2, 3, 0]],
  ])('%s for %i channels %j', (expected, channels, data) => {
    expect(hasAlpha({ width: 1, height: 1, channels, data: Uint8Array.from(data) })).toBe(expected);
  });
});
