/** Where tiles lie, and that their weights blend: arithmetic that no model is needed for. */
import { AUTO_MEMORY, type Axis, assertTile, planTiles, runBytes, type Tile } from '@cyclegan/runtime-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const model = { sizeMultiple: 4, minSize: 8, memory: null };
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
          const { x } = planTiles({ width: length, height: 8 }, { sizeMultiple, minSize: 8 }, { tile });
          expect(x.side).toBeGreaterThanOrEqual(length);
          for (const number of [x.side, x.size, ...x.starts]) expect(number % sizeMultiple).toBe(0);
          expect(x.starts[0]).toBe(0);
          expect((x.starts.at(-1) ?? 0) + x.size).toBe(x.side);
          const cores = x.cores.map(({ from, to }, i) => [
            (x.starts[i] ?? 0) + from,
            (x.starts[i] ?? 0) + to,
          ]);
          // End to end, so that every pixel counts once.
          expect(cores.flat()).toEqual([0, ...cores.slice(1).flatMap(([from]) => [from, from]), x.side]);
          expect(Math.max(...weightSums(x).map((sum) => Math.abs(sum - 1)))).toBeLessThan(1e-6);
        },
      ),
      seeded,
    );
  });

  it('weighs a tile by nothing but 1 where it is alone', () => {
    const { x } = planTiles({ width: 64, height: 8 }, model, { tile: 64 });
    expect(x.starts).toEqual([0]);
    expect(x.weights[0]?.every((weight) => weight === 1)).toBe(true);
  });

  it('lets neighbours overlap even where a model’s multiple is all that was asked for', () => {
    for (const sizeMultiple of [1, 4, 256]) {
      const { x } = planTiles(
        { width: 1500, height: 8 },
        { sizeMultiple, minSize: sizeMultiple },
        { tile: sizeMultiple },
      );
      expect(x.starts.length).toBeGreaterThan(2);
      for (const [i, start] of x.starts.slice(1).entries()) {
        expect(start).toBeLessThan((x.starts[i] ?? 0) + x.size);
      }
    }
  });

  it('fades over the overlap and never steps', () => {
    const { x } = planTiles({ width: 1000, height: 8 }, model, { tile: 128 });
    expect(x.starts.length).toBeGreaterThan(5);
    for (const weights of x.weights) {
      for (let i = 1; i < weights.length; i += 1) {
        expect(Math.abs((weights[i] ?? 0) - (weights[i - 1] ?? 0))).toBeLessThan(0.06);
      }
    }
  });
});

describe('the tile option', () => {
  const sizes = (tile: Tile | undefined, width: number, height: number, memory?: number) => {
    const { x, y } = planTiles({ width, height }, model, { tile, memory });
    return [x.size, y.size];
  };
  const mebibytes = (count: number) => count * 2 ** 20;

  it('auto keeps images whole up to the budget, and takes the largest tiles that fit above it', () => {
    const enough = runBytes(1024 * 1024, model);
    expect(sizes('auto', 1024, 1024, enough)).toEqual([1024, 1024]);
    const [side = 0] = sizes(undefined, 1028, 1024, enough);
    expect(side).toBeLessThan(1024);
    // The pair for tiles is two sessions.
    expect(2 * runBytes(side ** 2, model)).toBeLessThan(enough);
    // As few as fit, and no larger than so many need be.
    expect(sizes('auto', 4096, 4096, 4 * enough)).toEqual([872, 872]);
    expect(sizes('auto', 1024, 1024)).toEqual([1024, 1024]);
    expect(runBytes(1024 * 1024, model)).toBeLessThan(AUTO_MEMORY);
  });

  it('a hungrier model gets smaller tiles from the same budget', () => {
    const side = (bytesPerPixel: number) =>
      planTiles(
        { width: 4096, height: 4096 },
        { ...model, memory: { bytesPerPixel } },
        { memory: mebibytes(512) },
      ).x.size;
    expect(side(50)).toBeGreaterThan(side(500));
    expect(side(500)).toBeGreaterThanOrEqual(128);
  });

  it('refuses a budget that no tile fits in, and says how much it takes', () => {
    expect(() => sizes('auto', 4096, 4096, mebibytes(8))).toThrow(
      /^\[translate\] memory: expected at least \d+ MiB for this model and image, got 8 MiB\. Allow more/,
    );
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
