/** How far two results are apart. */

/** Absolute differences on [-1, 1]; NaN where a value is NaN. */
export interface Difference {
  max: number;
  mean: number;
}

/** A tensor's or an image's values, and where they lie. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * Over all pairs together.
 * @throws Error when the shapes of a pair differ
 */
export function difference(pairs: Iterable<readonly [Values, Values]>): Difference {
  let max = 0;
  let sum = 0;
  let count = 0;
  for (const [one, other] of pairs) {
    if (one.shape.join() !== other.shape.join()) {
      throw new Error(`expected equal shapes, got [${one.shape.join(', ')}] and [${other.shape.join(', ')}]`);
    }
    for (let i = 0; i < one.data.length; i += 1) {
      const off = Math.abs((one.data[i] ?? Number.NaN) - (other.data[i] ?? Number.NaN));
      max = Math.max(max, off);
      sum += off;
    }
    count += one.data.length;
  }
  return { max, mean: sum / count };
}
