/**
 * Where TensorFlow.js wants the channels: last. Values of four axes are held as [N, H, W, C] and weights as
 * [kh, kw, C, K]; all others as the graph has them.
 */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import type { Tf } from './load.js';

const toHeld = [0, 2, 3, 1];
const fromHeld = [0, 3, 1, 2];
const toKernel = [2, 3, 1, 0];
const fromKernel = [3, 2, 0, 1];

function turned(tf: Tf, x: Tensor, perm: readonly number[]): Tensor {
  return x.rank === 4 ? tf.transpose(x, [...perm]) : x;
}

/** [N, C, H, W] → [N, H, W, C]; other ranks stay. */
export const hold = (tf: Tf, x: Tensor) => turned(tf, x, toHeld);
/** [N, H, W, C] → [N, C, H, W]; other ranks stay. */
export const unhold = (tf: Tf, x: Tensor) => turned(tf, x, fromHeld);
/** A Conv's [K, C, kh, kw] or a ConvTranspose's [C, K, kh, kw] → [kh, kw, C, K] or [kh, kw, K, C]. */
export const holdKernel = (tf: Tf, x: Tensor) => turned(tf, x, toKernel) as Tensor4D;
/** The way back. */
export const unholdKernel = (tf: Tf, x: Tensor) => turned(tf, x, fromKernel);

/** A shape of the graph as it is held. */
export function heldShape(shape: readonly number[]): number[] {
  return shape.length === 4 ? toHeld.map((axis) => shape[axis] ?? 1) : [...shape];
}

/** An axis of the graph, counted from either end, where it is held. */
export function heldAxis(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  return rank === 4 ? toHeld.indexOf(positive) : positive;
}
