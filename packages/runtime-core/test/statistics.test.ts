/** Statistics of parts taken together, and smoothed over frames: arithmetic that no model is needed for. */
import { createSmoothing, createStatisticsPool, statisticsDistance } from '@cyclegan/runtime-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** Of channels of values: the means, then the biased variances. */
function statisticsOf(channels: readonly (readonly number[])[]): Float32Array {
  const means = channels.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
  const variances = channels.map(
    (values, i) => values.reduce((sum, value) => sum + (value - (means[i] ?? 0)) ** 2, 0) / values.length,
  );
  return Float32Array.from([...means, ...variances]);
}

describe('a pool', () => {
  it('gives the statistics of the whole, however it was cut', () => {
    const value = fc.double({ min: -50, max: 50, noNaN: true });
    const part = fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
        const pool = createStatisticsPool();
        const columns = (pairs: [number, number][]) => [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
        for (const pairs of parts) pool.add(statisticsOf(columns(pairs)), pairs.length);
        const whole = statisticsOf(columns(parts.flat()));
        const off = pool.result()?.map((got, i) => Math.abs(got - (whole[i] ?? 0))) ?? [Number.NaN];
        expect(Math.max(...off)).toBeLessThan(1e-3);
      }),
      { seed: 20170330, numRuns: 200 },
    );
  });

  it('loses nothing where the means are far from zero and near each other', () => {
    const pool = createStatisticsPool();
    for (const mean of [4096, 4097]) pool.add(Float32Array.of(mean, 0.25), 10);
    expect(Array.from(pool.result() ?? [])).toEqual([4096.5, 0.5]);
  });

  it('is empty at first', () => expect(createStatisticsPool().result()).toBeNull());
});

describe('smoothing', () => {
  const frame = (mean: number, variance = 1) => Float32Array.of(mean, variance);

  it('normalises by an exponential mean of what it saw', () => {
    const smoothing = createSmoothing({ strength: 0.75 });
    expect(smoothing.next(frame(1))).toEqual({ statistics: frame(1), cut: false });
    const { statistics, cut } = smoothing.next(frame(1.08, 1.04));
    expect(cut).toBe(false);
    expect(statistics[0]).toBeCloseTo(1.02, 6);
    expect(statistics[1]).toBeCloseTo(1.01, 6);
  });

  it('ends at a cut, once, and begins anew', () => {
    const smoothing = createSmoothing({ strength: 0.9 });
    for (const mean of [0, 0.01, 0]) expect(smoothing.next(frame(mean)).cut).toBe(false);
    expect(smoothing.next(frame(3))).toEqual({ statistics: frame(3), cut: true });
    const { statistics, cut } = smoothing.next(frame(3.1));
    expect(cut).toBe(false);
    expect(statistics[0]).toBeCloseTo(3.01, 6);
  });

  it('smooths a light that flashes: steps that come again and again are no cuts', () => {
    const smoothing = createSmoothing({ strength: 0.9 });
    const cuts = Array.from({ length: 40 }, (_, i) => smoothing.next(frame(i % 4 < 2 ? 0 : 0.5)).cut);
    expect(cuts.lastIndexOf(true)).toBeLessThanOrEqual(2);
    const tones = Array.from(
      { length: 8 },
      (_, i) => smoothing.next(frame(i % 4 < 2 ? 0 : 0.5)).statistics[0] ?? 0,
    );
    expect(Math.max(...tones) - Math.min(...tones)).toBeLessThan(0.1);
  });

  it('of strength 0 leaves every frame to itself', () => {
    const smoothing = createSmoothing({ strength: 0 });
    for (const mean of [0, 0.2, 50]) expect(smoothing.next(frame(mean)).statistics).toEqual(frame(mean));
  });

  it.each([-0.1, 1, Number.NaN])('refuses a strength of %d', (strength) => {
    expect(() => createSmoothing({ strength })).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('tells frames apart whichever comes first, and lets no single channel decide', () => {
    const [one, other] = [Float32Array.of(0, 1, 1, 2), Float32Array.of(0.5, 1, 1, 3)];
    expect(statisticsDistance(one, one)).toBeCloseTo(0, 9);
    expect(statisticsDistance(one, other)).toBeCloseTo(statisticsDistance(other, one), 9);
    const channels = 16;
    const far = Float32Array.from({ length: 2 * channels }, (_, i) => (i === 0 ? 1e6 : i < channels ? 0 : 1));
    const near = far.slice();
    near[0] = 0;
    expect(statisticsDistance(far, near)).toBeCloseTo(4 / channels, 6);
  });
});
