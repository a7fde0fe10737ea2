/**
 * Where an image has edges, and how well two images agree in that. Takes no notice of colour, brightness or contrast;
 * not a detector that draws lines.
 */
import type { ImagePair } from './metrics.js';

/** One step of 8 bits on [−1, 1]: edges that vary less than this are those of a flat image, rounding and no structure. */
const FLAT = 1 / 127.5;

/**
 * Pearson's correlation of the strengths of both images' edges over all inner pixels. Two flat images agree (1); a
 * flat one and one with edges have nothing in common (0).
 * @param pair sides of at least 3 pixels
 */
export function edgeCorrelation({ image, reference, channels, height, width }: ImagePair): number {
  const x = edgeStrength(image, channels, height, width);
  const y = edgeStrength(reference, channels, height, width);
  const [meanX, meanY] = [mean(x), mean(y)];
  let [varianceX, varianceY, covariance] = [0, 0, 0];
  for (let at = 0; at < x.length; at++) {
    const dx = (x[at] ?? 0) - meanX;
    const dy = (y[at] ?? 0) - meanY;
    varianceX += dx * dx;
    varianceY += dy * dy;
    covariance += dx * dy;
  }
  const least = FLAT ** 2 * x.length;
  if (varianceX < least || varianceY < least) return varianceX < least && varianceY < least ? 1 : 0;
  return covariance / Math.sqrt(varianceX * varianceY);
}

/**
 * Length of the gradient by Sobel's 3 × 3 filters, over all channels together, so that an edge between two colours
 * counts as much as one between light and dark.
 * @returns [height − 2, width − 2]: places where the filter fits
 */
function edgeStrength(planes: Float32Array, channels: number, height: number, width: number): Float64Array {
  const inner = new Float64Array((height - 2) * (width - 2));
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0, to = 0; row < height - 2; row++) {
      for (let column = 0; column < width - 2; column++, to++) {
        const at = (channel * height + row) * width + column;
        const value = (down: number, right: number) => planes[at + down * width + right] ?? 0;
        const across =
          value(0, 2) - value(0, 0) + 2 * (value(1, 2) - value(1, 0)) + value(2, 2) - value(2, 0);
        const down = value(2, 0) - value(0, 0) + 2 * (value(2, 1) - value(0, 1)) + value(2, 2) - value(0, 2);
        inner[to] = (inner[to] ?? 0) + across * across + down * down;
      }
    }
  }
  return inner.map(Math.sqrt);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
