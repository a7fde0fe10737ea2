/**
 * From decoded pixels to what a network reads: crop, flip, scale to [−1, 1], planes instead of pixels. Decides
 * nothing: which crop and whether to flip is the caller's.
 */

export interface Crop {
  /** Left and top edge of the crop in the decoded square, pixels. */
  left: number;
  top: number;
  /** Mirror left and right, after the crop. */
  flip: boolean;
}

/**
 * Writes one image of a batch: (x / 255 − 0.5) / 0.5 of each value in the crop.
 * @param pixels side · side · 3 bytes, RGB interleaved
 * @param target NCHW batch, [N, 3, size, size]; the image goes to place `item`
 */
export function writeCrop(options: {
  pixels: Uint8Array;
  side: number;
  crop: Crop;
  size: number;
  target: Float32Array;
  item: number;
}): void {
  const { pixels, side, crop, size, target, item } = options;
  const plane = size * size;
  const start = item * 3 * plane;
  for (let row = 0; row < size; row++) {
    const from = (crop.top + row) * side + crop.left;
    for (let column = 0; column < size; column++) {
      const source = 3 * (from + (crop.flip ? size - 1 - column : column));
      const to = start + row * size + column;
      target[to] = (pixels[source] ?? 0) / 127.5 - 1;
      target[to + plane] = (pixels[source + 1] ?? 0) / 127.5 - 1;
      target[to + 2 * plane] = (pixels[source + 2] ?? 0) / 127.5 - 1;
    }
  }
}
