/**
 * From decoded pixels to what a network reads: crop, flip, scale to [−1, 1], planes instead of pixels, colour or
 * grey. Decides nothing: which crop and whether to flip is the caller's.
 */
import type { Size } from './geometry.js';

/** How many planes a network reads of an image: 3, or 1 for grey. */
export type Channels = 1 | 3;

/** Decoded pixels, RGB interleaved, rows from the top. */
export interface Picture extends Size {
  /** height · width · 3 values; 16 bits a value where the file has as many. */
  pixels: Uint8Array | Uint16Array;
}

export interface Crop {
  /** Left and top edge of the crop in the decoded picture, pixels. */
  left: number;
  top: number;
  /** Mirror left and right, after the crop. */
  flip: boolean;
}

/** The luma weights of ITU-R BT.601, by which the reference (Pillow) makes grey. */
const luma = [0.299, 0.587, 0.114] as const;

/**
 * Writes one image of a batch: (x / largest − 0.5) / 0.5 of each value in the crop, or with one channel of its luma.
 * The largest value is 255, or 65,535 in a picture of 16 bits.
 * @param target NCHW batch, [N, channels, height, width]; the image goes to place `item`
 */
export function writeCrop(options: {
  picture: Picture;
  crop: Crop;
  size: Size;
  channels: Channels;
  target: Float32Array;
  item: number;
}): void {
  const { picture, crop, size, channels, target, item } = options;
  const { pixels } = picture;
  const { height, width } = size;
  const half = pixels instanceof Uint16Array ? 32_767.5 : 127.5;
  const plane = height * width;
  const start = item * channels * plane;
  for (let row = 0; row < height; row++) {
    const from = (crop.top + row) * picture.width + crop.left;
    for (let column = 0; column < width; column++) {
      const source = 3 * (from + (crop.flip ? width - 1 - column : column));
      const to = start + row * width + column;
      const red = pixels[source] ?? 0;
      const green = pixels[source + 1] ?? 0;
      const blue = pixels[source + 2] ?? 0;
      if (channels === 1) {
        target[to] = (luma[0] * red + luma[1] * green + luma[2] * blue) / half - 1;
      } else {
        target[to] = red / half - 1;
        target[to + plane] = green / half - 1;
        target[to + 2 * plane] = blue / half - 1;
      }
    }
  }
}
