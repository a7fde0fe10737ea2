// FID, KID and MiFID where their values are known, and the linear algebra below them.
import { describe, expect, it } from 'vitest';
import {
  drawSubsets,
  type Features,
  frechetDistance,
  kernelDistance,
  memorizationDistance,
  memorizationInformed,
} from '../dist/evaluation/index.js';
import { product, semidefiniteCholesky, singularValues, transpose } from '../dist/evaluation/matrix.js';
import { setDistances, tooFew } from '../dist/evaluation/set-distances.js';

function features(count: number, dimensions: number, of: (row: number, column: number) => number): Features {
  const data = Float32Array.from({ length: count * dimensions }, (_, at) =>
    of(Math.floor(at / dimensions), at % dimensions),
  );
  return { count, dimensions, data };
}
/** Pseudo-random, around 0. */
const noise = (seed: number) => (row: number, column: number) =>
  Math.sin(seed + 97.3 * row * row + 13.7 * column * (row + 1));

const matrix = (rows: number, columns: number, values: readonly number[]) => ({
  rows,
  columns,
  data: Float64Array.from(values),
});

describe('matrices', () => {
  it('multiply in double precision', async () => {
    const { rows, columns, data } = await product(matrix(1, 2, [1, 1e-12]), matrix(2, 2, [1, 2, 1, 3]));
    expect([rows, columns]).toEqual([1, 2]);
    expect([...data]).toEqual([1 + 1e-12, 2 + 3e-12]);
  });

  it('have a Cholesky factor also where they are singular', async () => {
    const half = matrix(3, 2, [1, 0, 2, 0, 3, 4]);
    const square = await product(half, transpose(half));
    const lower = semidefiniteCholesky(square);
    expect(lower.data[1 * 3 + 1]).toBe(0);
    const again = await product(lower, transpose(lower));
    for (const [at, value] of square.data.entries()) expect(again.data[at]).toBeCloseTo(value, 12);
  });

  it('have singular values, whichever side is longer', async () => {
    const wide = matrix(2, 3, [3, 0, 0, 0, 0, -2]);
    for (const each of [wide, transpose(wide)]) {
      const values = await singularValues(each);
      expect([...values].sort().reverse()).toEqual([expect.closeTo(3, 12), expect.closeTo(2, 12)]);
    }
  });

  it('stop on request', async () => {
    const abort = new AbortController();
    const large = matrix(
      700,
      700,
      Array.from({ length: 490_000 }, (_, at) => Math.sin(at * at)),
    );
    const values = singularValues(large, abort.signal);
    abort.abort();
    await expect(values).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('FID', () => {
  it.each([
    ['more images than features', 40, 6],
    ['fewer images than features', 7, 30],
  ])('is 0 for equal sets, and the squared shift for a shifted one: %s', async (_, count, dimensions) => {
    const x = features(count, dimensions, noise(1));
    expect(await frechetDistance(x, x)).toBeCloseTo(0, 6);
    const shifted = features(
      count,
      dimensions,
      (row, column) => noise(1)(row, column) + (column === 2 ? 3 : 0),
    );
    expect(await frechetDistance(x, shifted)).toBeCloseTo(9, 4);
  });

  it('is the sum of (σ₁ − σ₂)² where features vary apart from each other', async () => {
    // Two points a feature, all others at 0: variances 2a²/(n − 1), no covariance.
    const sets = [1, 3].map((scale) =>
      features(8, 4, (row, column) => (row >> 1 === column ? (row % 2 ? scale : -scale) : 0)),
    );
    const [x, y] = sets as [Features, Features];
    expect(await frechetDistance(x, y)).toBeCloseTo((4 * 2 * (3 - 1) ** 2) / 7, 5);
  });

  it('is the same both ways round, and with dead features', async () => {
    const alive = (seed: number) => (row: number, column: number) =>
      column < 3 ? noise(seed)(row, column) : 0;
    const [x, y] = [features(30, 5, alive(1)), features(12, 5, alive(2))];
    const distance = await frechetDistance(x, y);
    expect(await frechetDistance(y, x)).toBeCloseTo(distance, 9);
    const narrow = (set: Features) =>
      features(set.count, 3, (row, column) => set.data[row * 5 + column] ?? 0);
    expect(distance).toBeCloseTo(await frechetDistance(narrow(x), narrow(y)), 9);
  });

  it('is not a number for networks that have diverged, and ends', async () => {
    const x = features(5, 3, () => Number.NaN);
    expect(await frechetDistance(x, features(5, 3, noise(1)))).toBeNaN();
  });
});

describe('KID', () => {
  it('is the unbiased estimate, by hand', async () => {
    // One feature: k(a, b) = (ab + 1)³.
    const x = features(2, 1, (row) => row + 1);
    const y = features(2, 1, () => 0);
    const { mean, deviation } = await kernelDistance({ x, y });
    expect(mean).toBeCloseTo(3 ** 3 + 1 - 2, 9);
    expect(deviation).toBeUndefined();
  });

  it('is about 0 for two halves of one set, and grows with what sets them apart', async () => {
    const half = (from: number, by = 0) =>
      features(60, 8, (row, column) => noise(1)(row + from, column) + by);
    const of = async (y: Features) =>
      (await kernelDistance({ x: half(0), y, subsets: 10, subsetSize: 30 })).mean;
    expect(Math.abs(await of(half(60)))).toBeLessThan(0.05);
    expect(await of(half(60, 1))).toBeGreaterThan(0.5);
  });

  it('draws its subsets by the seed, without repeats, and as many and as large as asked for', () => {
    const draw = (seed: number) => drawSubsets({ counts: [50, 20], subsets: 3, subsetSize: 12, seed });
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(draw(1)).toHaveLength(3);
    for (const [x, y] of draw(1)) {
      expect([new Set(x).size, new Set(y).size]).toEqual([12, 12]);
      expect(Math.max(...y)).toBeLessThan(20);
    }
    expect(drawSubsets({ counts: [50, 20], subsets: 3 })[0]?.[0]).toHaveLength(20);
    expect(drawSubsets({ counts: [20, 20] })).toHaveLength(1);
  });
});

describe('MiFID', () => {
  const real = features(
    3,
    2,
    (row, column) =>
      [
        [1, 0],
        [0, 2],
        [-3, 0],
      ][row]?.[column] ?? 0,
  );

  it('measures the angle to the closest real image, sign and length aside', async () => {
    expect(await memorizationDistance(real, real)).toBeCloseTo(0, 12);
    const between = features(
      2,
      2,
      (row, column) =>
        [
          [5, 5],
          [0, 0],
        ][row]?.[column] ?? 0,
    );
    expect(await memorizationDistance(between, real)).toBeCloseTo(1 - Math.SQRT1_2, 7);
  });

  it('divides FID below the threshold only', () => {
    expect(memorizationInformed(50, 0.05)).toBeCloseTo(1000, 6);
    expect(memorizationInformed(50, 0.2)).toBeCloseTo(50, 6);
    expect(memorizationInformed(50, 0.2, 0.3)).toBeCloseTo(250, 6);
  });

  it('comes with the others, by the threshold given', async () => {
    const options = { generated: features(20, 4, noise(1)), real: features(20, 4, noise(2)) };
    const usual = await setDistances(options);
    expect(usual.mifid).toBeCloseTo(usual.fid / (usual.memorization < 0.1 ? usual.memorization : 1), 6);
    const strict = await setDistances({ ...options, threshold: 1 });
    expect(strict.mifid).toBeCloseTo(usual.fid / usual.memorization, 6);
    const lax = await setDistances({ ...options, threshold: 0 });
    expect(lax.mifid).toBeCloseTo(usual.fid, 6);
  });
});

it('few images are called few', () => {
  expect(tooFew(1, 50, 16)).toMatch(/left out.*at least 2 images of each set, got 1/);
  expect(tooFew(30, 5000, 2048)).toMatch(/FID of 30 images in 2048 dimensions is biased upwards/);
  expect(tooFew(2048, 5000, 2048)).toBeUndefined();
});
