/** How far two results are apart, in numbers that people know. Judges nothing. */
import { SSIM_WINDOW, structuralSimilarity } from '@cyclegan/runtime-core';

/** Over all values of all pairs together; NaN where a value is NaN. */
export interface Difference {
  /** Largest absolute difference, on [-1, 1]. */
  max: number;
  /** Mean absolute difference. */
  mean: number;
  /** 10·log₁₀(2² / mean squared error), in dB; {@link MAX_PSNR} for equal results. */
  psnr: number;
  /** Mean structural similarity of all planes; null where they are smaller than its window. */
  ssim: number | null;
}

/** Beyond it, two float32 results are as good as equal. */
export const MAX_PSNR = 150;

/** A tensor's or an image's values, and where they lie. */
export interface Values {
  /** Of images: [N, C, H, W], or [H, W] in front of interleaved channels, which have no SSIM. */
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * @param pairs on [-1, 1]
 * @throws Error when the shapes of a pair differ
 */
export function difference(pairs: Iterable<readonly [Values, Values]>): Difference {
  let max = 0;
  let sum = 0;
  let squares = 0;
  let count = 0;
  const similarities: number[] = [];
  for (const [one, other] of pairs) {
    if (one.shape.join() !== other.shape.join()) {
      throw new Error(`expected equal shapes, got [${one.shape.join(', ')}] and [${other.shape.join(', ')}]`);
    }
    for (let i = 0; i < one.data.length; i += 1) {
      const off = Math.abs((one.data[i] ?? Number.NaN) - (other.data[i] ?? Number.NaN));
      max = Math.max(max, off);
      sum += off;
      squares += off * off;
    }
    count += one.data.length;
    similarities.push(...planeSimilarities(one, other));
  }
  const { length } = similarities;
  return {
    max,
    mean: sum / count,
    psnr: Math.min(MAX_PSNR, 10 * Math.log10(4 / (squares / count))),
    ssim: length === 0 ? null : similarities.reduce((total, each) => total + each, 0) / length,
  };
}

function planeSimilarities({ shape, data }: Values, other: Values): number[] {
  const [batch = 0, channels = 0, height = 0, width = 0] = shape;
  const planes = shape.length === 4 && Math.min(height, width) >= SSIM_WINDOW ? batch * channels : 0;
  const [x, y] = [data, other.data];
  if (!(x instanceof Float32Array) || !(y instanceof Float32Array)) return [];
  const area = height * width;
  return Array.from({ length: planes }, (_, at) =>
    structuralSimilarity(x.subarray(at * area, (at + 1) * area), y.subarray(at * area, (at + 1) * area), {
      height,
      width,
    }),
  );
}
