/**
 * How far an image is from the one it should be: L1, PSNR, SSIM, structure. For pairs with a known answer only; not
 * for sets without one. SSIM is own code because the npm packages for it are approximate or no longer kept.
 */
import { CycleganError, SSIM_WINDOW, structuralSimilarity } from '@cyclegan/runtime-core';
import { edgeCorrelation } from './edges.js';

/** From black to white on [−1, 1]. */
const RANGE = 2;

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
  /** Correlation of edges, −1 to 1: 1 where both images have their edges in the same places, whatever the colours. */
  structure: number;
}

/**
 * All four measures of one pair.
 * @throws CycleganError `input` for images of different sizes or below 11 pixels a side
 */
export function measurePair(pair: ImagePair): PairMetrics {
  return { l1: l1(pair), psnr: psnr(pair), ssim: ssim(pair), structure: structure(pair) };
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
 * K1 0.01, K2 0.03, over the places where the window lies inside the image; the mean over places and channels, of
 * intensities from 0, as images have them in every published number. The same as scikit-image's on `x + 1` with
 * `gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=2`.
 */
export function ssim(pair: ImagePair): number {
  checkSizes(pair, SSIM_WINDOW);
  return meanOverPlanes(pair, (x, y) => structuralSimilarity(x, y, pair));
}

/**
 * Correlation of the edges of both images: what stays when colours, brightness and contrast are taken away. Blind to
 * a translation that turns colours around, and strict about where things are: a shift by a few pixels loses it.
 */
export function structure(pair: ImagePair): number {
  checkSizes(pair, 3);
  return edgeCorrelation(pair);
}

function meanOverPlanes(
  { image, reference, channels, height, width }: ImagePair,
  of: (x: Float32Array, y: Float32Array) => number,
): number {
  const area = height * width;
  let sum = 0;
  for (let at = 0; at < channels * area; at += area) {
    sum += of(image.subarray(at, at + area), reference.subarray(at, at + area));
  }
  return sum / channels;
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
      `[train] metrics: expected images of at least ${least} pixels a side, got ${width}×${height}. Measure larger ones.`,
    );
  }
}
