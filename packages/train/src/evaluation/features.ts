/** Images as points: what a feature model says of each, row by row, and the statistics that distances are made of. */
import type { Matrix } from './matrix.js';

/** Features of a set of images, [count, dimensions]. */
export interface Features {
  readonly count: number;
  readonly dimensions: number;
  readonly data: Float32Array;
}

/** Rows `from` to `to` as float64; all without them. */
export function rowsOf({ count, dimensions, data }: Features, from = 0, to = count): Matrix {
  return {
    rows: to - from,
    columns: dimensions,
    data: Float64Array.from(data.subarray(from * dimensions, to * dimensions)),
  };
}

/** Chosen rows, in the order given, as float64. */
export function pickRows({ dimensions, data }: Features, indices: ArrayLike<number>): Matrix {
  const picked = new Float64Array(indices.length * dimensions);
  for (let row = 0; row < indices.length; row++) {
    const from = (indices[row] ?? 0) * dimensions;
    picked.set(data.subarray(from, from + dimensions), row * dimensions);
  }
  return { rows: indices.length, columns: dimensions, data: picked };
}

/** Parts of a set, joined in their order. */
export function joinFeatures(parts: readonly Features[]): Features {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const dimensions = parts[0]?.dimensions ?? 0;
  const data = new Float32Array(count * dimensions);
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { count, dimensions, data };
}
