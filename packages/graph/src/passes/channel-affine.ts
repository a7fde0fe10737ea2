/** Nodes that are an affine map of each channel, y = scale·x + shift, whatever operator says so. Changes no graph. */
import { sameShape } from '../dim.js';
import type { Node, Value } from '../graph.js';
import { Add, BatchNormalization, Div, Mul, Neg, Sub } from '../ops/index.js';
import { floatsOf } from './pass.js';

export interface ChannelAffine {
  /** [N, C, …], which the node maps to the same shape. */
  readonly x: Value;
  /** One for each channel, as shift is. */
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** The node as an affine map along axis 1, if it is one with float32 constants; undefined for others. */
export function channelAffineOf(node: Node): ChannelAffine | undefined {
  const [a, b] = node.inputs;
  const y = node.outputs[0];
  const x = a?.constant ? b : a;
  const channels = x?.shape[1];
  if (!x || !y || x.constant || typeof channels !== 'number' || x.dtype !== 'float32') return undefined;
  if (!sameShape(x.shape, y.shape)) return undefined;
  const filled = (value: number) => new Float64Array(channels).fill(value);
  const affine = (scale: Float64Array, shift: Float64Array) =>
    [...scale, ...shift].every(Number.isFinite) ? { x, scale, shift } : undefined;
  if (node.op === Neg) return affine(filled(-1), filled(0));
  if (node.op === BatchNormalization) return batchNormalization(node, channels, affine);
  const c = alongChannels(a?.constant ? a : b, x.shape.length, 1, channels);
  if (!c) return undefined;
  switch (node.op) {
    case Mul:
      return affine(c, filled(0));
    case Add:
      return affine(filled(1), c);
    case Sub:
      return a === x
        ? affine(
            filled(1),
            c.map((value) => -value),
          )
        : affine(filled(-1), c);
    case Div:
      return a === x
        ? affine(
            c.map((value) => 1 / value),
            filled(0),
          )
        : undefined;
    default:
      return undefined;
  }
}

function batchNormalization(
  node: Node,
  channels: number,
  affine: (scale: Float64Array, shift: Float64Array) => ChannelAffine | undefined,
): ChannelAffine | undefined {
  const [scale, shift, mean, variance] = node.inputs.slice(1).map(floatsOf);
  if (!scale || !shift || !mean || !variance) return undefined;
  const { epsilon = 1e-5 } = node.attributes as { epsilon?: number };
  const factors = Float64Array.from(scale, (value, i) => value / Math.sqrt((variance[i] ?? 0) + epsilon));
  if (factors.length !== channels) return undefined;
  return affine(
    factors,
    factors.map((factor, i) => (shift[i] ?? 0) - (mean[i] ?? 0) * factor),
  );
}

/**
 * A float32 constant that broadcasts to `rank` axes and changes along one of them at most, as one number for each
 * channel; undefined for others.
 */
export function alongChannels(
  value: Value | undefined,
  rank: number,
  axis: number,
  channels: number,
): Float64Array | undefined {
  const data = floatsOf(value);
  const shape = value?.constant?.shape;
  if (!data || !shape || shape.length > rank) return undefined;
  const along = axis - (rank - shape.length);
  const fits = shape.every((size, i) => size === 1 || (i === along && size === channels));
  if (!fits) return undefined;
  return data.length === 1 ? new Float64Array(channels).fill(data[0] ?? 0) : Float64Array.from(data);
}
