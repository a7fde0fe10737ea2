/** One image in its two forms: the tensor that graphs take and the planes that runtimes take. Copies nothing. */
import type { Tensor } from '@cyclegan/model';
import type { Planes } from '@cyclegan/runtime-core';

export function tensorOf({ width, height, channels, data }: Planes): Tensor {
  return { shape: [1, channels, height, width], data };
}

/** @param tensor [1, C, H, W] */
export function planesOf({ shape, data }: Tensor): Planes {
  const [, channels = 0, height = 0, width = 0] = shape;
  return { width, height, channels, data };
}
