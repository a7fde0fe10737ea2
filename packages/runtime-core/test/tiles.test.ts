/** Where tiles lie, and that their weights blend: arithmetic that no model is needed for. */
import {
  AUTO_TILE,
  AUTO_WHOLE_PIXELS,
  type Axis,
  assertTile,
  planTiles,
  type Tile,
} from '@cyclegan/runtime-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const model = { sizeMultiple: 4, minSize: 8 };
const seeded = { seed: 20170330, numRuns: 200 };

function weightSums({ side, size, starts, weights }: Axis): number[] {
  const sums = new Array<number>(side).fill(0);
  for (const [tile, start] of starts.entries()) {
    for (let i = 0; i < size; i += 1)
      sums[start + i] = (sums[start + i] ?? 0) + (weights[tile]?.[i] ?? Number.NaN);
  }
  return sums;
}

describe('a plan', () => {
  it('covers any image with aligned tiles of one size, whose weights add up to 1 everywhere', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 8, max: 700 }),
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom(1, 2, 4, 32, 128),
        (length, tile, sizeMultiple) => {
          const { x } = planTiles({ width: length, height: 8 }, { sizeMultiple, minSize: 8 }, tile);
          expect(x.side).toBeGreaterThanOrEqual(length);
          for (const number of [x.side, x.size, ...x.starts]) expect(number % sizeMultiple).toBe(0);
          expect(x.starts[0]).toBe(0);
          expect((x.starts.at(-1) ?? 0) + x.size).toBe(x.side);
          expect(Math.max(...weightSums(x).map((sum) => Math.abs(sum - 1)))).toBeLessThan(1e-6);
        },
      ),
      seeded,
    );
  });

  it('weighs a tile by nothing but 1 where it is alone', () => {
    const { x } = planTiles({ width: 64, height: 8 }, model, 64);
    expect(x.starts).toEqual([0]);
    expect(x.weights[0]?.every((weight) => weight === 1)).toBe(true);
  });

  it('lets neighbours overlap even where a model’s multiple is all that was asked for', () => {
    for (const sizeMultiple of [1, 4, 256]) {
      const { x } = planTiles(
        { width: 1500, height: 8 },
        { sizeMultiple, minSize: sizeMultiple },
        sizeMultiple,
      );
      expect(x.starts.length).toBeGreaterThan(2);
      for (const [i, start] of x.starts.slice(1).entries()) {
        expect(start).toBeLessThan((x.starts[i] ?? 0) + x.size);
      }
    }
  });

  it('fades over the overlap and never steps', () => {
    const { x } = planTiles({ width: 1000, height: 8 }, model, 128);
    expect(x.starts.length).toBeGreaterThan(5);
    for (const weights of x.weights) {
      for (let i = 1; i < weights.length; i += 1) {
        expect(Math.abs((weights[i] ?? 0) - (weights[i - 1] ?? 0))).toBeLessThan(0.06);
      }
    }
  });
});

describe('the tile option', () => {
  const sizes = (tile: Tile | undefined, width: number, height: number) => {
    const { x, y } = planTiles({ width, height }, model, tile);
    return [x.size, y.size];
  };

  it('auto keeps images whole up to the budget, and tiles larger ones', () => {
    expect(sizes('auto', 1024, 1024)).toEqual([1024, 1024]);
    expect(sizes(undefined, 4096, AUTO_WHOLE_PIXELS / 4096)).toEqual([4096, 256]);
    expect(sizes('auto', 1025, 1024)).toEqual([AUTO_TILE, AUTO_TILE]);
  });

  it('none keeps any image whole', () => expect(sizes('none', 3001, 2000)).toEqual([3004, 2000]));

  it('a number is rounded up to what the model takes, and no larger than the image', () => {
    expect(sizes(30, 301, 22)).toEqual([32, 24]);
    expect(sizes(1, 301, 22)).toEqual([8, 8]);
  });

  it.each([0, -8, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d', (tile) => {
    expect(() => assertTile(tile)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
