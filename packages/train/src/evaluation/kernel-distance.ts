/**
 * KID (Bińkowski et al. 2018, arXiv 1801.01401): the squared maximum mean discrepancy between two sets of features
 * under a cubic kernel, without bias, over random subsets. Makes no features.
 */
import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '@cyclegan/runtime-core';
import { permutation, randomAt } from '../feed/random.js';
import { type Features, pickRows } from './features.js';
import { type Matrix, product, transpose } from './matrix.js';

export interface KernelDistanceOptions {
  x: Features;
  y: Features;
  /** Default 100, as in the paper's code. */
  subsets?: number | undefined;
  /** Images of each set in a subset; default 1000, or as many as the smaller set has. */
  subsetSize?: number | undefined;
  /** Chooses the subsets; default 0. */
  seed?: number | undefined;
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface KernelDistance {
  /** Mean over the subsets; around 0, and below it half of the time, for two samples of one thing. */
  mean: number;
  /** Standard deviation over the subsets; undefined where both sets are one subset. */
  deviation: number | undefined;
}

/**
 * MMD² with k(x, y) = (x·y / dimensions + 1)³, pairs of one image with itself left out.
 * @param options both sets of at least two rows and as many columns
 * @throws CycleganError `aborted`
 */
export async function kernelDistance(options: KernelDistanceOptions): Promise<KernelDistance> {
  const { x, y, onProgress, signal } = options;
  const drawn = drawSubsets({ ...options, counts: [x.count, y.count] });
  const distances: number[] = [];
  for (const [ofX, ofY] of drawn) {
    await setImmediate();
    throwIfAborted(signal, '[train] evaluation');
    distances.push(await discrepancy(pickRows(x, ofX), pickRows(y, ofY)));
    onProgress?.({ done: distances.length, total: drawn.length });
  }
  const mean = distances.reduce((sum, value) => sum + value, 0) / distances.length;
  const variance = distances.reduce((sum, value) => sum + (value - mean) ** 2, 0) / distances.length;
  return { mean, deviation: distances.length > 1 ? Math.sqrt(variance) : undefined };
}

/**
 * The rows of each subset, drawn without repeats, for the first set and the second; a single subset where it would
 * hold both sets whole.
 */
export function drawSubsets({
  counts,
  subsets = 100,
  subsetSize = 1000,
  seed = 0,
}: Pick<KernelDistanceOptions, 'subsets' | 'subsetSize' | 'seed'> & {
  counts: readonly [number, number];
}): [Uint32Array, Uint32Array][] {
  const size = Math.min(subsetSize, ...counts);
  const whole = counts.every((count) => count === size);
  return Array.from({ length: whole ? 1 : subsets }, (_, subset) => {
    const draw = (set: 0 | 1) =>
      permutation(counts[set], randomAt(seed, 'kid', subset, set)).subarray(0, size);
    return [draw(0), draw(1)];
  });
}

/** Of two matrices with equally many rows. */
async function discrepancy(x: Matrix, y: Matrix): Promise<number> {
  const [xt, yt] = [transpose(x), transpose(y)];
  const n = x.rows;
  const within = async (a: Matrix, at: Matrix) => {
    const { total, diagonal } = kernelSums(await product(a, at), x.columns);
    return (total - diagonal) / (n * (n - 1));
  };
  const between = kernelSums(await product(x, yt), x.columns).total / (n * n);
  return (await within(x, xt)) + (await within(y, yt)) - 2 * between;
}

function kernelSums({ rows, columns, data }: Matrix, dimensions: number) {
  let [total, diagonal] = [0, 0];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const inner = (data[row * columns + column] ?? 0) / dimensions + 1;
      const kernel = inner * inner * inner;
      total += kernel;
      if (row === column) diagonal += kernel;
    }
  }
  return { total, diagonal };
}
