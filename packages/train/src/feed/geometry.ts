/**
 * What an image measures after the reference's preprocessing, before the crop. Arithmetic only: neither files nor
 * pixels.
 */
import type { preprocessModes } from '../config/schema.js';

/** How images are brought to the training size; the reference's names. */
export type Preprocess = (typeof preprocessModes)[number];

/** Pixels. */
export interface Size {
  height: number;
  width: number;
}

export interface Resizing {
  preprocess: Preprocess;
  /**
   * Both sides (`resize_and_crop`), the width (`scale_width…`) or the shorter side (`scale_shortside_and_crop`) that
   * an image is brought to; the others do not look at it.
   */
  loadSize: number;
  /** What the network reads: the crop, or where there is none the whole image as {@link wholeSize} gives it. */
  height: number;
  width: number;
}

/** Whether a random part of the resized image is taken; if not, images must agree in size by themselves. */
export function crops(preprocess: Preprocess): boolean {
  return preprocess !== 'none' && preprocess !== 'scale_width';
}

/**
 * The size that an image of `size` is resized to, as in the reference. An image that the crop would not fit in is
 * enlarged by the least that makes it fit; the reference fails there. (`scale_width_and_crop` stretches such an
 * image in height alone, which is what the reference does too.)
 * @returns at least `height` × `width`
 */
export function resizedSize(size: Size, { preprocess, loadSize, height, width }: Resizing): Size {
  switch (preprocess) {
    case 'resize_and_crop':
      return { height: loadSize, width: loadSize };
    case 'scale_width_and_crop':
      return {
        height: Math.floor(Math.max((loadSize * size.height) / size.width, height)),
        width: loadSize,
      };
    case 'scale_shortside_and_crop':
      return scaled(size, loadSize / Math.min(size.height, size.width));
    case 'crop':
      return scaled(size, Math.max(1, height / size.height, width / size.width));
    case 'scale_width':
    case 'none':
      return { height, width };
  }
}

/**
 * The size of an image that is not cropped: its own (`none`) or the one of width `loadSize` (`scale_width`), both
 * sides rounded to what the network can halve.
 * @param multiple that the sides must be of; at least one of it
 */
export function wholeSize(
  size: Size,
  { preprocess, loadSize, multiple }: { preprocess: Preprocess; loadSize: number; multiple: number },
): Size {
  const scale = preprocess === 'scale_width' ? loadSize / size.width : 1;
  const round = (side: number) => Math.max(1, roundHalfToEven((side * scale) / multiple)) * multiple;
  return { height: round(size.height), width: round(size.width) };
}

function scaled({ height, width }: Size, scale: number): Size {
  return { height: Math.round(height * scale), width: Math.round(width * scale) };
}

/** Rounds as Python does, and with it the reference: 2.5 to 2, 3.5 to 4. */
function roundHalfToEven(value: number): number {
  const up = Math.round(value);
  return up - value === 0.5 && up % 2 === 1 ? up - 1 : up;
}
