/**
 * Pixels (uint8, interleaved, as image files and canvases have them) to planes (float32 NCHW on [-1, 1], as
 * the models take them) and back. Plain arithmetic, the same in Node and in the browser; decodes no files.
 */
import type { Alpha } from './alpha.js';
import { CycleganError } from './errors.js';
import type { ModelEntry } from './manifest.js';

/** Interleaved rows from the top, `channels` bytes a pixel: grey, grey + alpha, RGB or RGBA; not premultiplied. */
export interface Pixels {
  width: number;
  height: number;
  channels: 1 | 2 | 3 | 4;
  data: Uint8Array | Uint8ClampedArray;
}

/** What a translation gives: RGB, or RGBA where the input had alpha, in memory of its own that may be transferred. */
export interface TranslatedPixels extends Pixels {
  channels: 3 | 4;
  data: Uint8Array<ArrayBuffer>;
}

/** One image as [1, channels, height, width], values on [-1, 1]. */
export interface Planes {
  width: number;
  height: number;
  channels: number;
  data: Float32Array;
}

/** A rectangle in pixels; it may reach past the right and bottom edge, into the padding. */
export interface Region {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The shortest side that is taken: below it there is nothing to translate. */
export const MIN_SIDE = 8;
/** The most pixels that are taken: 100 megapixels, 400 MB as RGBA. */
export const MAX_PIXELS = 100_000_000;

/**
 * Refuses images that are too small or too large; to be called before an image is decoded.
 * @param what the file or the kind of image, for the message
 * @throws CycleganError `input`
 */
export function assertImageSize(what: string, { width, height }: { width: number; height: number }): void {
  const fits = width >= MIN_SIDE && height >= MIN_SIDE && width * height <= MAX_PIXELS;
  if (!fits) {
    throw new CycleganError(
      'input',
      `[image] ${what}: expected sides of at least ${MIN_SIDE} px and at most ${MAX_PIXELS / 1e6} megapixels, got ${width}x${height}. Scale the image first.`,
    );
  }
}

/** The side that the model runs at: at least its `minSize`, and a multiple of its `sizeMultiple`. */
export function paddedSide(side: number, model: Pick<ModelEntry, 'minSize' | 'sizeMultiple'>): number {
  return Math.ceil(Math.max(side, model.minSize) / model.sizeMultiple) * model.sizeMultiple;
}

const toFloat = Float32Array.from({ length: 256 }, (_, value) => value / 127.5 - 1);

/** A model's value as a byte: `clamp(round((y + 1) * 127.5))`, halves up. */
export function toByte(value: number): number {
  return Math.min(255, Math.max(0, Math.round((value + 1) * 127.5)));
}

/**
 * Where each coordinate of `start … start + length` comes from on an axis of `side` pixels: past the far edge by
 * reflection, and by repeating the near edge where the image is too short to be reflected that far.
 */
export function mirroredIndices(start: number, length: number, side: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => {
    const at = start + i;
    return at < side ? at : Math.max(0, 2 * (side - 1) - at);
  });
}

/**
 * Cuts a region out of an image, padding included, as a model's input. Alpha is left out; grey is spread over
 * three planes, and colour becomes grey by ITU-R 601 luma, rounded to a byte as Pillow does for the reference.
 * @param channels the model's input channels
 * @param region default: the whole image, unpadded
 */
export function toPlanes(pixels: Pixels, channels: 1 | 3, region?: Region): Planes {
  const { width, height, left, top } = region ?? { ...pixels, left: 0, top: 0 };
  const { data } = pixels;
  const columns = mirroredIndices(left, width, pixels.width).map((x) => x * pixels.channels);
  const rows = mirroredIndices(top, height, pixels.height);
  const size = width * height;
  const out = new Float32Array(channels * size);
  const coloured = pixels.channels >= 3;
  let to = 0;
  for (const row of rows) {
    const line = row * pixels.width * pixels.channels;
    for (const column of columns) {
      const at = line + column;
      const r = data[at] ?? 0;
      const g = coloured ? (data[at + 1] ?? 0) : r;
      const b = coloured ? (data[at + 2] ?? 0) : r;
      if (channels === 3) {
        out[to] = toFloat[r] ?? 0;
        out[to + size] = toFloat[g] ?? 0;
        out[to + 2 * size] = toFloat[b] ?? 0;
      } else {
        out[to] = toFloat[coloured ? (19595 * r + 38470 * g + 7471 * b + 32768) >> 16 : r] ?? 0;
      }
      to += 1;
    }
  }
  return { width, height, channels, data: out };
}

/**
 * Output pixels of the input's size, colours still black.
 * @param alpha `keep`: RGBA where the input has alpha, which is already in place; `flatten`: RGB
 */
export function createOutput(input: Pixels, alpha: Alpha = 'keep'): TranslatedPixels {
  const { width, height, data } = input;
  const kept = alpha === 'keep' && (input.channels === 2 || input.channels === 4);
  const channels = kept ? 4 : 3;
  const out = new Uint8Array(width * height * channels);
  if (kept) {
    for (let from = input.channels - 1, to = 3; to < out.length; from += input.channels, to += 4) {
      out[to] = data[from] ?? 0;
    }
  }
  return { width, height, channels, data: out };
}

/**
 * Writes the first `rows` rows of planes into an image from its row `top` on; what lies past the image's right and
 * bottom edge is cropped, and a single plane is spread over all three colours.
 */
export function writeRows(
  output: TranslatedPixels,
  planes: Planes,
  { top, rows }: { top: number; rows: number },
): void {
  const size = planes.width * planes.height;
  const [green, blue] = planes.channels === 3 ? [size, 2 * size] : [0, 0];
  const { data } = planes;
  for (let row = 0; row < Math.min(rows, output.height - top); row += 1) {
    let from = row * planes.width;
    let to = (top + row) * output.width * output.channels;
    for (let x = 0; x < output.width; x += 1) {
      output.data[to] = toByte(data[from] ?? 0);
      output.data[to + 1] = toByte(data[from + green] ?? 0);
      output.data[to + 2] = toByte(data[from + blue] ?? 0);
      from += 1;
      to += output.channels;
    }
  }
}
