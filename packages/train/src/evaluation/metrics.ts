/**
 * How far an image is from the one it should be: L1, PSNR, SSIM. For pairs with a known answer only; not for
 * sets without one. SSIM is own code because the npm packages for it are approximate or no longer kept.
 */
import { CycleganError } from '@cyclegan/runtime-core';

/** From black to white on [−1, 1]. */
const RANGE = 2;
const WINDOW = 11;
const SIGMA = 1.5;
const C1 = (0.01 * RANGE) ** 2;
const C2 = (0.03 * RANGE) ** 2;

export interface ImagePair {
  /** Planes one after the other, [channels, height, width] on [−1, 1]. */
  image: Float32Array;
  /** What it is measured against; same shape. */
  reference: Float32Array;
  channels: number;
  height: number;
  width: number;
}

export interface PairMetrics {
  /** Mean absolute difference on [−1, 1]: 0 for equal images, 2 for black against white. */
  l1: number;
  /** Peak signal-to-noise ratio in dB; Infinity for equal images. */
  psnr: number;
  /** Structural similarity, at most 1, which equal images have. */
  ssim: number;
}

/**
 * All three measures of one pair.
 * @throws CycleganError `input` for images of different sizes or below 11 pixels a side
 */
export function measurePair(pair: ImagePair): PairMetrics {
  return { l1: l1(pair), psnr: psnr(pair), ssim: ssim(pair) };
}

/** Mean absolute difference, on [−1, 1]. */
export function l1(pair: ImagePair): number {
  checkSizes(pair, 1);
  return meanOver(pair, Math.abs);
}

/** 10·log₁₀(peak² / mean squared error), where the peak is from black to white. */
export function psnr(pair: ImagePair): number {
  checkSizes(pair, 1);
  return 10 * Math.log10(RANGE ** 2 / meanOver(pair, (difference) => difference ** 2));
}

/**
 * Structural similarity as in Wang et al. 2004 (IEEE TIP 13, 600-612): an 11 × 11 Gaussian window with σ 1.5,
 * K1 0.01, K2 0.03, over the places where the window lies inside the image; the mean over places and channels.
 */
export function ssim(pair: ImagePair): number {
  checkSizes(pair, WINDOW);
  const { image, reference, channels, height, width } = pair;
  const area = height * width;
  let total = 0;
  for (let channel = 0; channel < channels; channel++) {
    const x = image.subarray(channel * area, (channel + 1) * area);
    const y = reference.subarray(channel * area, (channel + 1) * area);
    const local = (value: (at: number) => number) => windowMeans(value, height, width);
    const meanX = local((at) => x[at] ?? 0);
    const meanY = local((at) => y[at] ?? 0);
    const meanXX = local((at) => (x[at] ?? 0) ** 2);
    const meanYY = local((at) => (y[at] ?? 0) ** 2);
    const meanXY = local((at) => (x[at] ?? 0) * (y[at] ?? 0));
    let sum = 0;
    for (let at = 0; at < meanX.length; at++) {
      const mx = meanX[at] ?? 0;
      const my = meanY[at] ?? 0;
      const varianceX = (meanXX[at] ?? 0) - mx * mx;
      const varianceY = (meanYY[at] ?? 0) - my * my;
      const covariance = (meanXY[at] ?? 0) - mx * my;
      sum +=
        ((2 * mx * my + C1) * (2 * covariance + C2)) /
        ((mx * mx + my * my + C1) * (varianceX + varianceY + C2));
    }
    total += sum / meanX.length;
  }
  return total / channels;
}

const taps = Array.from({ length: WINDOW }, (_, tap) => Math.exp(-((tap - 5) ** 2) / (2 * SIGMA ** 2)));
const tapSum = taps.reduce((sum, tap) => sum + tap);

/** Gaussian means of `value` at each place where the window fits: rows first, then columns. */
function windowMeans(value: (at: number) => number, height: number, width: number): Float64Array {
  const innerWidth = width - WINDOW + 1;
  const innerHeight = height - WINDOW + 1;
  const rows = new Float64Array(height * innerWidth);
  for (let at = 0; at < rows.length; at++) {
    const start = Math.floor(at / innerWidth) * width + (at % innerWidth);
    let sum = 0;
    for (const [tap, weight] of taps.entries()) sum += weight * value(start + tap);
    rows[at] = sum / tapSum;
  }
  const means = new Float64Array(innerHeight * innerWidth);
  for (let at = 0; at < means.length; at++) {
    let sum = 0;
    for (const [tap, weight] of taps.entries()) sum += weight * (rows[at + tap * innerWidth] ?? 0);
    means[at] = sum / tapSum;
  }
  return means;
}

function meanOver({ image, reference }: ImagePair, of: (difference: number) => number): number {
  let sum = 0;
  for (let at = 0; at < image.length; at++) sum += of((image[at] ?? 0) - (reference[at] ?? 0));
  return sum / image.length;
}

function checkSizes({ image, reference, channels, height, width }: ImagePair, least: number): void {
  const length = channels * height * width;
  if (image.length !== length || reference.length !== length || length === 0) {
    throw new CycleganError(
      'input',
      `[train] metrics: expected two images of ${channels}×${height}×${width} values, got ${image.length} and ${reference.length}. Bring both to one size.`,
    );
  }
  if (Math.min(height, width) < least) {
    throw new CycleganError(
      'input',
      `[train] SSIM: expected images of at least ${least} pixels a side, got ${width}×${height}. Measure larger ones.`,
    );
  }
}
