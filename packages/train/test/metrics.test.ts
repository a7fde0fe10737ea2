// L1, PSNR, SSIM and structure against values known by hand and against scikit-image's.
import { describe, expect, it } from 'vitest';
import { l1, measurePair, psnr, ssim, structure } from '../dist/evaluation/index.js';

/** A [3, 17, 23] image from a function of channel, row and column. */
function waves(of: (c: number, y: number, x: number) => number) {
  const [channels, height, width] = [3, 17, 23];
  return Float32Array.from({ length: channels * height * width }, (_, at) =>
    of(Math.floor(at / (height * width)), Math.floor(at / width) % height, at % width),
  );
}

const image = waves((c, y, x) => Math.sin(0.3 * x + 0.7 * y + c));
const other = waves(
  (c, y, x) => 0.8 * Math.sin(0.3 * x + 0.7 * y + c + 0.4) + 0.1 * Math.cos(1.9 * x - 0.5 * y),
);
const pair = (image: Float32Array, reference: Float32Array) => ({
  image,
  reference,
  channels: 3,
  height: 17,
  width: 23,
});

describe('metrics of an image against its answer', () => {
  it('agree with scikit-image', () => {
    // skimage 0.26: structural_similarity of x + 1 (data_range=2, gaussian_weights=True, sigma=1.5,
    // use_sample_covariance=False), peak_signal_noise_ratio(data_range=2), mean of |a - b|.
    const { l1, psnr, ssim } = measurePair(pair(image, other));
    expect(ssim).toBeCloseTo(0.8734027328516659, 5);
    expect(psnr).toBeCloseTo(16.56937573527746, 4);
    expect(l1).toBeCloseTo(0.2634266355252195, 6);
    expect(
      measurePair(
        pair(
          image,
          image.map((value) => -value),
        ),
      ).ssim,
    ).toBeCloseTo(-0.7663816814785336, 5);
  });

  it('are perfect for equal images, and the same both ways round', () => {
    expect(measurePair(pair(image, image))).toEqual({
      l1: 0,
      psnr: Infinity,
      ssim: 1,
      structure: expect.closeTo(1, 12),
    });
    expect(ssim(pair(other, image))).toBeCloseTo(ssim(pair(image, other)), 12);
  });

  it('have the known values for flat images', () => {
    const black = waves(() => -1);
    const white = waves(() => 1);
    const grey = waves(() => 0);
    expect(l1(pair(black, white))).toBe(2);
    expect(psnr(pair(black, white))).toBeCloseTo(0, 12);
    expect(psnr(pair(black, grey))).toBeCloseTo(20 * Math.log10(2), 12);
    const c1 = 0.02 ** 2;
    expect(ssim(pair(white, grey))).toBeCloseTo((4 + c1) / (5 + c1), 9);
  });

  it('fall as noise grows', () => {
    const noisy = (amount: number) =>
      measurePair(
        pair(
          waves((c, y, x) => Math.sin(0.3 * x + 0.7 * y + c) + amount * Math.sin(97 * x * y + c)),
          image,
        ),
      );
    const [little, much] = [noisy(0.05), noisy(0.4)];
    expect(little.l1).toBeLessThan(much.l1);
    expect(little.psnr).toBeGreaterThan(much.psnr);
    expect(little.ssim).toBeGreaterThan(much.ssim);
  });

  it('refuse images of different or too small sizes in one sentence', () => {
    expect(() => l1(pair(image, image.subarray(1)))).toThrow(/expected two images of 3×17×23 values/);
    const small = new Float32Array(10 * 10);
    const square = { image: small, reference: small, channels: 1, height: 10, width: 10 };
    expect(() => ssim(square)).toThrow(/at least 11 pixels a side, got 10×10/);
    expect(l1(square)).toBe(0);
  });
});

describe('structure', () => {
  /** A bright disc on a dark ground, `shift` pixels to the right. */
  const disc = (shift: number, inside: readonly number[], outside: readonly number[]) =>
    waves((c, y, x) => (Math.hypot(y - 8, x - 9 - shift) < 5 ? inside[c] : outside[c]) ?? 0);
  const bright = disc(0, [0.9, 0.9, 0.9], [-0.9, -0.9, -0.9]);

  it('takes no notice of brightness, contrast and colours turned around', () => {
    for (const other of [
      bright.map((value) => 0.3 * value + 0.4),
      bright.map((value) => -value),
      disc(0, [0.2, -0.8, 0.1], [-0.5, 0.6, 0.9]),
    ]) {
      expect(structure(pair(other, bright))).toBeCloseTo(1, 5);
    }
    expect(
      ssim(
        pair(
          bright.map((value) => -value),
          bright,
        ),
      ),
    ).toBeLessThan(0.2);
  });

  it('sees edges between colours of one luminance', () => {
    const colours = disc(0, [0.5, -0.5, 0], [-0.5, 0.5, 0]);
    expect(structure(pair(colours, bright))).toBeCloseTo(1, 5);
  });

  it('falls as things move apart, and is about 0 for what has nothing in common', () => {
    const [near, far] = [1, 6].map((shift) => structure(pair(disc(shift, [1, 1, 1], [-1, -1, -1]), bright)));
    expect(near).toBeLessThan(0.8);
    expect(far).toBeLessThan(near ?? 0);
    const noise = waves((c, y, x) => Math.sin(1234.5 * (c + 3 * y + 51 * x) ** 2));
    expect(Math.abs(structure(pair(noise, bright)))).toBeLessThan(0.2);
  });

  it('holds flat images equal to each other and unlike any other', () => {
    const flat = waves((c) => c / 3);
    const rounded = waves((c, y, x) => c / 3 + ((x + y) % 7 === 0 ? 0.001 : 0));
    expect(structure(pair(flat, rounded))).toBe(1);
    expect(structure(pair(flat, bright))).toBe(0);
    expect(structure(pair(bright, flat))).toBe(0);
  });
});
