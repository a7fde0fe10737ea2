/**
 * Images for looking and measuring: resized, never cropped or flipped, so that every run shows the same.
 */
import { CycleganError } from '@cyclegan/runtime-core';
import { writeCrop } from './augment.js';
import { decodeSquare, readFailure } from './decode.js';

/**
 * One image, stretched to a square by bicubic interpolation.
 * @returns [1, 3, size, size] on [−1, 1], RGB; the caller's
 * @throws CycleganError `input` for a file that cannot be read
 */
export async function loadTestImage(path: string, size: number): Promise<Float32Array> {
  let pixels: Uint8Array;
  try {
    pixels = await decodeSquare(path, size);
  } catch (cause) {
    throw new CycleganError(
      'input',
      `[train] image: expected one that can be read, got ${path}, which ${readFailure(cause)}. Check the file.`,
      { cause },
    );
  }
  const target = new Float32Array(3 * size * size);
  writeCrop({ pixels, side: size, crop: { left: 0, top: 0, flip: false }, size, target, item: 0 });
  return target;
}
