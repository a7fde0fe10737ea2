/** Images as graphs take them and as runtimes take them, and their axes in another order. */
import type { Tensor } from '@cyclegan/model';
import type { Planes } from '@cyclegan/runtime-core';

/** Copies nothing. */
export function tensorOf({ width, height, channels, data }: Planes): Tensor {
  return { shape: [1, channels, height, width], data };
}

/** Copies nothing. @param tensor [1, C, H, W] */
export function planesOf({ shape, data }: Tensor): Planes {
  const [, channels = 0, height = 0, width = 0] = shape;
  return { width, height, channels, data };
}

/** [N, C, H, W] → [N, H, W, C], in memory of its own. */
export function toChannelsLast(image: Tensor): Tensor {
  return transposed(image, [0, 2, 3, 1]);
}

/** [N, H, W, C] → [N, C, H, W], in memory of its own. */
export function toChannelsFirst(image: Tensor): Tensor {
  return transposed(image, [0, 3, 1, 2]);
}

type Axis = 0 | 1 | 2 | 3;

function transposed({ shape, data }: Tensor, order: readonly [Axis, Axis, Axis, Axis]): Tensor {
  const stride = (axis: Axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const [a, b, c, d] = [stride(order[0]), stride(order[1]), stride(order[2]), stride(order[3])];
  const sizes = order.map((axis) => shape[axis] ?? 1);
  const [n = 1, p = 1, q = 1, r = 1] = sizes;
  const moved = new Float32Array(data.length);
  let to = 0;
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < p; j += 1) {
      for (let k = 0; k < q; k += 1) {
        for (let l = 0; l < r; l += 1, to += 1) moved[to] = data[i * a + j * b + k * c + l * d] ?? 0;
      }
    }
  }
  return { shape: sizes, data: moved };
}
