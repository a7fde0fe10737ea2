/**
 * Convolutions, and what pads and enlarges for them. Padding is a node of its own before a `valid` convolution: not
 * every backend has gradients for explicit pads.
 */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import type { Tf } from './load.js';
import type { Operator, OperatorContext } from './operator-context.js';

const noPads = [0, 0, 0, 0] as const;

/** Strides and pads [top, left, bottom, right]; dilations and groups are met nowhere here. */
function geometry({ ints }: OperatorContext) {
  const [vertical = 1, horizontal = 1] = ints('strides', [1, 1]);
  const [top = 0, left = 0, bottom = 0, right = 0] = ints('pads', noPads);
  return { strides: [vertical, horizontal] as [number, number], top, left, bottom, right };
}

function withBias(c: OperatorContext, y: Tensor): Tensor {
  return c.count > 2 ? c.tf.add(y, c.held(2)) : y;
}

export const Conv: Operator = (c) => {
  const { strides, top, left, bottom, right } = geometry(c);
  const x = c.held(0) as Tensor4D;
  const padded = top + left + bottom + right === 0 ? x : pad(c.tf, x, [top, bottom], [left, right]);
  return withBias(c, c.tf.conv2d(padded, c.kernel(1), strides, 'valid'));
};

function pad(tf: Tf, x: Tensor4D, rows: [number, number], columns: [number, number]): Tensor4D {
  return tf.pad(x, [[0, 0], rows, columns, [0, 0]]);
}

/** Computed whole, without pads, and then cut. */
export const ConvTranspose: Operator = (c) => {
  const { strides, top, left } = geometry(c);
  const [batch = 1, channels = 1, height = 1, width = 1] = c.shape;
  const x = c.held(0) as Tensor4D;
  const weights = c.kernel(1);
  const whole = (axis: 0 | 1, pads: number, wanted: number) => {
    const covered = ((x.shape[axis + 1] ?? 1) - 1) * strides[axis] + (weights.shape[axis] ?? 1);
    return Math.max(covered, pads + wanted);
  };
  const size = [batch, whole(0, top, height), whole(1, left, width), channels] as const;
  const y = c.tf.conv2dTranspose(x, weights, [...size], strides, 'valid');
  return withBias(c, c.tf.slice(y, [0, top, left, 0], [batch, height, width, channels]));
};

/** Reflection, from slices, since mirrorPad has no gradient. */
export const Pad: Operator = (c) => {
  const { mode } = c.node.attributes;
  const pads = c.numbers(1) ?? [];
  if (mode !== 'reflect' || pads[0] || pads[1]) {
    throw new Error(`internal: engine tfjs pads rows and columns by reflection alone, got ${mode} [${pads}]`);
  }
  const [, , top = 0, left = 0, , , bottom = 0, right = 0] = pads;
  return reflect(c.tf, reflect(c.tf, c.held(0), 1, top, bottom), 2, left, right);
};

function reflect(tf: Tf, x: Tensor, axis: number, before: number, after: number): Tensor {
  const size = x.shape[axis] ?? 1;
  const mirrored = (start: number, count: number) => {
    const begin = x.shape.map((_, i) => (i === axis ? start : 0));
    const extent = x.shape.map((all, i) => (i === axis ? count : all));
    return count > 0 ? [tf.reverse(tf.slice(x, begin, extent), axis)] : [];
  };
  const parts = [...mirrored(1, before), x, ...mirrored(size - 1 - after, after)];
  return parts.length > 1 ? tf.concat(parts, axis) : x;
}

/**
 * By nearest neighbours, each pixel as one block of repetitions: the cpu backend's gradient of resizeNearestNeighbor
 * mixes up the samples of a batch (tfjs 4.22).
 */
export const Resize: Operator = (c) => {
  const { mode, coordinate_transformation_mode: coordinates, nearest_mode: nearest } = c.node.attributes;
  if (mode !== 'nearest' || coordinates !== 'asymmetric' || nearest !== 'floor') {
    throw new Error(`internal: engine tfjs resizes by nearest, asymmetric, floor alone, got ${mode}`);
  }
  const x = c.held(0);
  const times = (axis: 1 | 2) => (c.shape[axis + 1] ?? 1) / (x.shape[axis] ?? 1);
  return repeated(c.tf, repeated(c.tf, x, 1, times(1)), 2, times(2));
};

/** Each slice along an axis as often as said, one copy after the other. */
function repeated(tf: Tf, x: Tensor, axis: number, times: number): Tensor {
  const inner = x.shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const slices = tf.reshape(x, [-1, 1, inner]);
  const copies = tf.concat(new Array<Tensor>(times).fill(slices), 1);
  return tf.reshape(
    copies,
    x.shape.map((size, i) => (i === axis ? size * times : size)),
  );
}
