/** Permutations of axes as Transpose has them: axis i of the result is axis p[i] of the input. */
import { type DType, type DTypeArrays, type Tensor, tensor } from '../../tensor.js';

export type Permutation = readonly number[];

/** The one permutation that is as good as `first` and then `second`. */
export function composed(first: Permutation, second: Permutation): Permutation {
  return second.map((axis) => first[axis] ?? 0);
}

export function inverse(permutation: Permutation): Permutation {
  return permutation.map((_, axis) => permutation.indexOf(axis));
}

export function isIdentity(permutation: Permutation): boolean {
  return permutation.every((axis, i) => axis === i);
}

/** What a list of one element an axis is after the axes have moved. */
export function permuted<T>(list: readonly T[], permutation: Permutation): T[] {
  return permutation.map((axis) => list[axis] as T);
}

/** Whether axes keep their order where those dropped are left out. */
export function keepsOrder(permutation: Permutation, dropped: ReadonlySet<number>): boolean {
  const left = permutation.filter((axis) => !dropped.has(axis));
  return left.every((axis, i) => i === 0 || axis > (left[i - 1] ?? 0));
}

/** A shape with ones in front, as it broadcasts to a rank. */
export function withRank<T>(shape: readonly T[], rank: number): (T | 1)[] {
  return [...new Array<1>(rank - shape.length).fill(1), ...shape];
}

/** A copy with its axes moved; axes that it lacks are ones in front. */
export function transposeTensor(source: Tensor, permutation: Permutation): Tensor {
  const from = withRank(source.shape, permutation.length);
  const strides = from.map((_, axis) => from.slice(axis + 1).reduce((product, size) => product * size, 1));
  const shape = permuted(from, permutation);
  const steps = permuted(strides, permutation);
  const { data } = source;
  const result = data.slice() as DTypeArrays[DType];
  const index = shape.map(() => 0);
  let at = 0;
  for (let i = 0; i < data.length; i++) {
    result[i] = data[at] as never;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      const [size, step] = [shape[axis] ?? 1, steps[axis] ?? 0];
      if (next < size) {
        index[axis] = next;
        at += step;
        break;
      }
      index[axis] = 0;
      at -= step * (size - 1);
    }
  }
  return tensor(source.dtype, shape, result);
}
