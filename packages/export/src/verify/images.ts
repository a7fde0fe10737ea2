/** The images that models are compared on. */
import type { Tensor } from '@cyclegan/model';
import { paddedSide } from '@cyclegan/runtime-core';
import { tensorOf } from '../ort/planes.js';
import { type ImageShape, type PictureSource, readImages } from '../pictures/pictures.js';
import { testPlanes } from '../pictures/test-picture.js';

/** Longest side of a user's picture: large enough for its content, small enough to be run many times. */
const SIDE = 256;

/**
 * Wide, square, tall. No smaller: in the smallest image that a model takes, InstanceNormalization divides by the
 * deviation of four pixels, which magnifies rounding a hundredfold and says nothing of the model.
 */
const sizes = [
  [40, 28],
  [16, 16],
  [36, 64],
] as const;

/**
 * @param pictures small synthetic ones where there is no folder
 * @returns [1, C, H, W] each, on [-1, 1], of sizes that the model takes
 * @throws CycleganError `input` for a file that is no image
 */
export async function imagesFor(model: ImageShape, pictures: PictureSource): Promise<Tensor[]> {
  if (pictures.folder === null) {
    return sizes.map(([width, height], seed) =>
      tensorOf(testPlanes(model.inputChannels, paddedSide(width, model), paddedSide(height, model), seed)),
    );
  }
  const images: Tensor[] = [];
  for await (const image of readImages(pictures, model, SIDE)) images.push(image);
  return images;
}
