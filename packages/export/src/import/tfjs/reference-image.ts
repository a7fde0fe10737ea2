/** An image on its way into a source model in tfjs and back. */
import type { Tensor } from '@cyclegan/model';
import type * as tfCore from '@tensorflow/tfjs-core';
import type { ImageForm } from './image-interface.js';
import type { Layout } from './kernels.js';

/** @param image [N, C, H, W] @returns what the model takes, to be freed by the caller's `tidy` */
export function toSource(
  core: typeof tfCore,
  { shape, data }: Tensor,
  { shape: sizes, layout, dtype }: ImageForm,
): tfCore.Tensor {
  const image = core.tensor(data, [...shape], 'float32');
  const laid = layout === 'NHWC' ? core.transpose(image, [0, 2, 3, 1]) : image;
  const one = sizes.length === 3 ? core.squeeze(laid, [0]) : laid;
  return dtype === 'float32' ? one : core.cast(one, dtype === 'bool' ? 'bool' : 'int32');
}

/** @returns [N, C, H, W] */
export function fromSource(core: typeof tfCore, made: tfCore.Tensor, layout: Layout): tfCore.Tensor {
  const image = made.rank === 3 ? core.expandDims(made, 0) : made;
  return core.cast(layout === 'NHWC' ? core.transpose(image, [0, 3, 1, 2]) : image, 'float32');
}
