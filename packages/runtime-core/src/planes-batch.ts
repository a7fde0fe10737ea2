/** Planes of one size as the values of one tensor, [N, C, H, W], and back. Knows no ONNX Runtime. */
import type { Planes } from './pixels.js';

/**
 * @param batch not empty, all of one size
 * @returns of a single one its own values, without a copy
 */
export function stackPlanes(batch: readonly Planes[]): { data: Float32Array; dims: number[] } {
  const [first] = batch;
  if (!first) throw new Error('internal: a batch of nothing');
  const { width, height, channels } = first;
  const dims = [batch.length, channels, height, width];
  if (batch.length === 1) return { data: first.data, dims };
  const data = new Float32Array(batch.length * first.data.length);
  for (const [i, planes] of batch.entries()) data.set(planes.data, i * first.data.length);
  return { data, dims };
}

/**
 * @param tensor as a session gave it
 * @returns views of the tensor's values; undefined where it is no float32 [count, C, H, W]
 */
export function splitPlanes(
  tensor: { readonly dims: readonly number[]; readonly data: unknown } | undefined,
  count: number,
): Planes[] | undefined {
  const [found, channels, height, width, ...more] = tensor?.dims ?? [];
  const data = tensor?.data;
  if (!(data instanceof Float32Array) || found !== count || more.length > 0) return undefined;
  if (!channels || !height || !width) return undefined;
  const size = data.length / count;
  return Array.from({ length: count }, (_, i) => ({
    width,
    height,
    channels,
    data: count === 1 ? data : data.subarray(i * size, (i + 1) * size),
  }));
}
