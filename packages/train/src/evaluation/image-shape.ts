/** Batches of images as flat arrays: how long they are, and one image of them. */

/** Of every image of a batch [N, channels, height, width]. */
export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Values of one image. */
export function imageElements({ channels, height, width }: ImageShape): number {
  return channels * height * width;
}

/** Images of a batch. */
export function imageCount(images: Float32Array, shape: ImageShape): number {
  return images.length / imageElements(shape);
}

/** Images `at` to `at + count`, as far as there are any: a view. */
export function imageAt(images: Float32Array, shape: ImageShape, at: number, count = 1): Float32Array {
  const elements = imageElements(shape);
  return images.subarray(at * elements, (at + count) * elements);
}
