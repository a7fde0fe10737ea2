// What is in a batch of pictures made by temp-folder.ts, read back from their gradients.

/** Value 0-255 of channel `c` at a place of item `item` of a batch. */
export function at(
  images: Float32Array,
  c: number,
  row: number,
  column: number,
  { item = 0, height = 32, width = 32, channels = 3 } = {},
): number {
  const place = ((item * channels + c) * height + row) * width + column;
  return Math.round(((images[place] ?? Number.NaN) + 1) * 127.5);
}

/** Crop and flip of an image. */
export function augmentation(images: Float32Array, shape: { height?: number; width?: number } = {}) {
  const flip = at(images, 0, 0, 1, shape) < at(images, 0, 0, 0, shape);
  const leftmost = flip ? (shape.width ?? 32) - 1 : 0;
  return { left: at(images, 0, 0, leftmost, shape) / 2, top: at(images, 1, 0, 0, shape) / 2, flip };
}
