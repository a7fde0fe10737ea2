/**
 * MiFID, Kaggle's rule for "I'm Something of a Painter Myself": FID, divided by how far the generated images are from
 * the real ones where they are suspiciously close. Makes no features.
 */
import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '@cyclegan/runtime-core';
import { type Features, rowsOf } from './features.js';
import { type Matrix, product, transpose } from './matrix.js';

/** Rows at once: 64 MB of distances to 8192 real images. */
const ROWS = 1024;
/** Kaggle's ε: sets farther apart than this are not held to be memorised. */
export const MEMORIZATION_THRESHOLD = 0.1;

/**
 * Mean over the generated images of the least 1 − |cos| to a real one: 0 for copies, 1 for nothing in common. Images
 * without any feature are left out, as in Kaggle's code.
 * @returns NaN when nothing is left
 * @throws CycleganError `aborted`
 */
export async function memorizationDistance(
  generated: Features,
  real: Features,
  signal?: AbortSignal | undefined,
): Promise<number> {
  const targets = transpose(unitRows(rowsOf(real)));
  let sum = 0;
  let count = 0;
  for (let from = 0; from < generated.count; from += ROWS) {
    await setImmediate();
    throwIfAborted(signal, '[train] evaluation');
    const part = unitRows(rowsOf(generated, from, Math.min(from + ROWS, generated.count)));
    if (part.rows === 0 || targets.columns === 0) continue;
    const { rows, columns, data } = await product(part, targets);
    for (let row = 0; row < rows; row++) {
      let closest = 0;
      for (let at = row * columns; at < (row + 1) * columns; at++) {
        closest = Math.max(closest, Math.abs(data[at] ?? 0));
      }
      sum += 1 - closest;
    }
    count += rows;
  }
  return sum / count;
}

/** FID / d where the memorization distance d is below the threshold, else FID. Kaggle adds 1e-15 against d = 0. */
export function memorizationInformed(
  fid: number,
  distance: number,
  threshold = MEMORIZATION_THRESHOLD,
): number {
  return fid / ((distance < threshold ? distance : 1) + 1e-15);
}

/** The rows divided by their lengths; those of length 0 are gone. */
function unitRows({ rows, columns, data }: Matrix): Matrix {
  const units = new Float64Array(data.length);
  let kept = 0;
  for (let row = 0; row < rows; row++) {
    const values = data.subarray(row * columns, (row + 1) * columns);
    const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    if (length === 0) continue;
    units.set(
      values.map((value) => value / length),
      kept * columns,
    );
    kept++;
  }
  return { rows: kept, columns, data: units.subarray(0, kept * columns) };
}
