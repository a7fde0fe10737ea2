/**
 * SSIM of one plane: local means, variances and covariance under a Gaussian window, and their formula. Checks no
 * sizes.
 */

/** From black to white on [−1, 1]. */
const RANGE = 2;
/** Edge of the window, pixels. */
export const SSIM_WINDOW = 11;
const SIGMA = 1.5;
const C1 = (0.01 * RANGE) ** 2;
const C2 = (0.03 * RANGE) ** 2;

/**
 * Mean SSIM of two planes over the places where the window fits.
 * @param x [height, width] on [−1, 1], each side at least {@link SSIM_WINDOW}; `y` likewise
 */
export function structuralSimilarity(
  x: Float32Array,
  y: Float32Array,
  { height, width }: { height: number; width: number },
): number {
  const local = (values: ArrayLike<number>) => windowMeans(values, height, width);
  const [meanX, meanY] = [local(x), local(y)];
  const [meanXX, meanYY, meanXY] = [local(product(x, x)), local(product(y, y)), local(product(x, y))];
  let sum = 0;
  for (let at = 0; at < meanX.length; at++) {
    const mx = meanX[at] ?? 0;
    const my = meanY[at] ?? 0;
    const varianceX = (meanXX[at] ?? 0) - mx * mx;
    const varianceY = (meanYY[at] ?? 0) - my * my;
    const covariance = (meanXY[at] ?? 0) - mx * my;
    // The formula is made for intensities from 0; with black at −1 an inverted image would look like itself.
    const [lightX, lightY] = [mx + 1, my + 1];
    sum +=
      ((2 * lightX * lightY + C1) * (2 * covariance + C2)) /
      ((lightX * lightX + lightY * lightY + C1) * (varianceX + varianceY + C2));
  }
  return sum / meanX.length;
}

function product(x: Float32Array, y: Float32Array): Float64Array {
  return Float64Array.from(x, (value, at) => value * (y[at] ?? 0));
}

const bell = Array.from({ length: SSIM_WINDOW }, (_, tap) =>
  Math.exp(-((tap - (SSIM_WINDOW - 1) / 2) ** 2) / (2 * SIGMA ** 2)),
);
const bellSum = bell.reduce((sum, tap) => sum + tap);
const taps = bell.map((tap) => tap / bellSum);

/** Gaussian means at each place where the window fits: along the rows first, then down the columns. */
function windowMeans(values: ArrayLike<number>, height: number, width: number): Float64Array {
  const innerWidth = width - SSIM_WINDOW + 1;
  const rows = new Float64Array(height * innerWidth);
  for (const [tap, weight] of taps.entries()) {
    for (let row = 0, to = 0; row < height; row++) {
      for (let from = row * width + tap, end = from + innerWidth; from < end; from++, to++) {
        rows[to] = (rows[to] ?? 0) + weight * (values[from] ?? 0);
      }
    }
  }
  const means = new Float64Array((height - SSIM_WINDOW + 1) * innerWidth);
  for (const [tap, weight] of taps.entries()) {
    const offset = tap * innerWidth;
    for (let to = 0; to < means.length; to++) {
      means[to] = (means[to] ?? 0) + weight * (rows[to + offset] ?? 0);
    }
  }
  return means;
}
