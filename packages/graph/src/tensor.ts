/** Constant tensors and their element types. Data is row-major; a graph never changes it. */
import { isValidShape } from './dim.js';
import { GraphError } from './errors.js';

/** Array type that holds a dtype's elements: float16 as raw bits, bool as 0 or 1. float64 is only read from files. */
export interface DTypeArrays {
  float64: Float64Array;
  float32: Float32Array;
  float16: Uint16Array;
  int64: BigInt64Array;
  int32: Int32Array;
  int8: Int8Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

export type DType = keyof DTypeArrays;

/** The constructors of {@link DTypeArrays}, over bytes in the platform's order. */
export const dtypeArrays: {
  readonly [T in DType]: { readonly prototype: DTypeArrays[T]; new (buffer: ArrayBuffer): DTypeArrays[T] };
} = {
  float64: Float64Array,
  float32: Float32Array,
  float16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** Elements and their shape. The array is shared with whoever made it, and must not be changed afterwards. */
export interface Tensor<T extends DType = DType> {
  readonly dtype: T;
  readonly shape: readonly number[];
  readonly data: DTypeArrays[T];
}

/** @throws GraphError when `data` does not hold `shape`'s number of elements */
export function tensor<T extends DType>(dtype: T, shape: readonly number[], data: DTypeArrays[T]): Tensor<T> {
  if (!isValidShape(shape)) {
    throw new GraphError(`tensor [${shape.join(', ')}]: expected a shape of whole numbers from 0.`);
  }
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (size !== data.length) {
    throw new GraphError(`tensor [${shape.join(', ')}]: expected ${size} elements, got ${data.length}.`);
  }
  return { dtype, shape, data };
}

/** A scalar from a number, a vector from a list, or what `shape` says. */
export function float32(values: number | readonly number[], shape?: readonly number[]): Tensor<'float32'> {
  const scalar = typeof values === 'number';
  return tensor(
    'float32',
    shape ?? (scalar ? [] : [values.length]),
    Float32Array.from(scalar ? [values] : values),
  );
}

/**
 * A vector, or what `shape` says. Numbers cannot tell the largest integers apart: from 2⁶³ on they are that type's last.
 * @throws GraphError for values that are no whole numbers
 */
export function int64(values: readonly number[], shape?: readonly number[]): Tensor<'int64'> {
  if (!values.every(Number.isInteger)) {
    throw new GraphError(`tensor int64: expected whole numbers, got [${values.join(', ')}].`);
  }
  return tensor('int64', shape ?? [values.length], BigInt64Array.from(values, toInt64));
}

/** A whole number as int64, which ends at 2⁶³ − 1. */
export function toInt64(value: number): bigint {
  return value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(Math.max(value, -(2 ** 63)));
}

/** Elements as plain numbers, for the small integer tensors that ops take as parameters. */
export function toNumbers(t: Tensor): number[] {
  return Array.from(t.data as ArrayLike<number | bigint>, Number);
}
