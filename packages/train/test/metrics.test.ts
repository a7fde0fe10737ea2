// L1, PSNR and SSIM against values known by hand and against scikit-image's.
import { describe, expect, it } from 'vitest';
import { l1, measurePair, psnr, ssim } from '../dist/evaluation/index.js';

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
    // skimage 0.26: structural_similarity(data_range=2, gaussian_weights=True, sigma=1.5,
    // use_sample_covariance=False), peak_signal_noise_ratio(data_range=2), mean of |a - b|.
    const { l1, psnr, ssim } = measurePair(pair(image, other));
    expect(ssim).toBeCloseTo(0.5705216782089869, 5);
    expect(psnr).toBeCloseTo(16.56937573527746, 4);
    expect(l1).toBeCloseTo(0.2634266355252195, 6);
    expect(
      measurePair(
        pair(
          image,
          image.map((value) => -value),
        ),
      ).ssim,
    ).toBeCloseTo(0.9332778480259725, 5);
  });

  it('are perfect for equal images, and the same both ways round', () => {
    expect(measurePair(pair(image, image))).toEqual({ l1: 0, psnr: Infinity, ssim: 1 });
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
    expect(ssim(pair(white, grey))).toBeCloseTo(c1 / (1 + c1), 9);
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
