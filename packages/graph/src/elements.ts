/**
 * What is known of a value's elements before a graph runs: constants, and small tensors computed from shapes. Lets
 * Reshape, Resize, Pad and their like take parameters that other nodes compute. Computes no tensors.
 */
import {
  addDim,
  computedDim,
  type Dim,
  floorDim,
  floorDivDim,
  formatDim,
  isValidShape,
  leastOf,
  type Shape,
  sameDim,
  scaleDim,
  subDim,
} from './dim.js';
import { productDim, quotientDim } from './dim-product.js';
import type { Value } from './graph.js';
import { toNumbers } from './tensor.js';

/** Values of more elements carry none. */
export const MAX_ELEMENTS = 64;
const MAX_RANK = 8;
/** Constants of more elements are no parameters. */
const longestParameter = 4096;

/**
 * The elements of a constant or of a value computed from shapes, row-major: numbers, or dimensions where they depend on
 * symbols. Undefined where they are not known.
 */
export function knownElements(value: Value | undefined): readonly Dim[] | undefined {
  if (value?.elements) return value.elements;
  const constant = value?.constant;
  if (!constant || constant.dtype === 'float16' || constant.data.length > longestParameter) return undefined;
  return toNumbers(constant);
}

/** A shape of so few elements that they are followed, as numbers; else undefined. */
export function smallShape(shape: Shape): readonly number[] | undefined {
  const sizes = shape.filter((dim) => typeof dim === 'number');
  const small = sizes.length === shape.length && sizes.length <= MAX_RANK && isValidShape(shape);
  return small && sizes.reduce((product, size) => product * size, 1) <= MAX_ELEMENTS ? sizes : undefined;
}

/** Whether elements can be carried on: numbers are finite, and so are the parts of symbols. */
export function areSound(elements: readonly Dim[]): boolean {
  return elements.every((dim) =>
    typeof dim === 'number'
      ? Number.isFinite(dim)
      : Number.isFinite(dim.scale) && Number.isFinite(dim.offset),
  );
}

/**
 * Elements of a result whose element at `index` is the source's at the index that `from` gives. Floating-point constants
 * that are only moved are no sizes, and carry none.
 */
export function movedElements(
  source: Value | undefined,
  result: Shape,
  from: (index: readonly number[]) => readonly number[],
): readonly Dim[] | undefined {
  return isFloat(source) && !source?.elements ? undefined : moved(source, result, from);
}

function isFloat(value: Value | undefined): boolean {
  return value?.dtype.startsWith('float') === true;
}

function moved(
  source: Value | undefined,
  result: Shape,
  from: (index: readonly number[]) => readonly number[],
): readonly Dim[] | undefined {
  const sizes = smallShape(result);
  const strides = source && smallShape(source.shape);
  if (!sizes || !strides) return undefined;
  const elements = knownElements(source);
  return elements && all(indices(sizes).map((index) => elements[flatIndex(from(index), strides)]));
}

/** Elements of a result that holds the source's in their order. */
export function keptElements(source: Value | undefined, result: Shape): readonly Dim[] | undefined {
  return isFloat(source) && !source?.elements ? undefined : smallShape(result) && knownElements(source);
}

/** Elements of a result whose element at `index` is that of one of the sources. */
export function joinedElements(
  sources: readonly Value[],
  result: Shape,
  from: (index: readonly number[]) => { source: number; index: readonly number[] },
): readonly Dim[] | undefined {
  if (sources.some(isFloat) && !sources.some(({ elements }) => elements)) return undefined;
  const sizes = smallShape(result);
  if (!sizes || sources.length > MAX_ELEMENTS) return undefined;
  const known = sources.map((source) => ({
    shape: smallShape(source.shape),
    elements: knownElements(source),
  }));
  const joined = indices(sizes).map((at) => {
    const { source, index } = from(at);
    const { shape, elements } = known[source] ?? {};
    return shape && elements?.[flatIndex(index, shape)];
  });
  return all(joined);
}

/** The elements, if every one is known. */
function all(elements: readonly (Dim | undefined)[]): readonly Dim[] | undefined {
  return elements.every((element) => element !== undefined) ? elements : undefined;
}

/** All indices into a tensor of these sizes, row-major. */
export function indices(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (lead, size) => lead.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  );
}

function flatIndex(index: readonly number[], sizes: readonly number[]): number {
  return sizes.reduce((at, size, axis) => at * size + (index[axis] ?? 0), 0);
}

/** Elementwise result of values that broadcast to `shape`; undefined where an element or its result is not known. */
export function mappedElements(
  values: readonly (Value | undefined)[],
  shape: Shape,
  map: (...elements: Dim[]) => Dim | undefined,
): readonly Dim[] | undefined {
  // What is computed of constants alone in floats is no size, and would not be rounded as a runtime rounds it.
  if (values.some(isFloat) && !values.some((value) => value?.elements)) return undefined;
  const sides: (readonly Dim[])[] = [];
  for (const value of values) {
    const lead = shape.length - (value?.shape.length ?? 0);
    const side = moved(value, shape, (index) =>
      index.slice(lead).map((at, axis) => (value?.shape[axis] === 1 ? 0 : at)),
    );
    if (!side) return undefined;
    sides.push(side);
  }
  return all(sides[0]?.map((_, i) => map(...sides.map((side) => side[i] as Dim))) ?? [undefined]);
}

/** The arithmetic of elements, by operator; `whole` where they are integers, whose quotients are rounded. */
export const elementArithmetic: Readonly<
  Record<string, (a: Dim, b: Dim, whole: boolean) => Dim | undefined>
> = {
  Add: addDim,
  Sub: subDim,
  Mul: (a, b) =>
    typeof a === 'number' ? scaleDim(b, a) : typeof b === 'number' ? scaleDim(a, b) : productDim([a, b]),
  Div: divide,
  Mod: (a, b, whole) => {
    if (!whole || typeof b !== 'number' || b <= 0) return undefined;
    if (typeof a === 'number') return ((a % b) + b) % b;
    const rest = subDim(a, scaleDim(floorDivDim(a, b), b));
    return typeof rest === 'number' ? rest : computedDim(`mod(${formatDim(a)},${b})`);
  },
  Min: (a, b) => extreme(a, b, 'min'),
  Max: (a, b) => extreme(a, b, 'max'),
};

function divide(a: Dim, b: Dim, whole: boolean): Dim | undefined {
  if (b === 0) return undefined;
  if (typeof b !== 'number') {
    const quotient = quotientDim([a], [b]);
    if (typeof quotient === 'number') return whole ? Math.trunc(quotient) : quotient;
    return whole ? quotient : computedDim(`(${formatDim(a)})/(${formatDim(b)})`);
  }
  if (!whole) return scaleDim(a, 1 / b);
  if (typeof a === 'number') return Math.trunc(a / b);
  // Integers are rounded towards 0, which is down for what is not negative.
  return b > 0 && leastOf(a) >= 0 ? floorDivDim(a, b) : undefined;
}

/** The smaller or the larger of two; a symbol of its own where that cannot be told. */
export function extreme(a: Dim, b: Dim, which: 'min' | 'max'): Dim {
  if (sameDim(a, b)) return a;
  if (typeof a === 'number' && typeof b === 'number') return Math[which](a, b);
  const difference = subDim(a, b);
  if (leastOf(difference) >= 0) return which === 'max' ? a : b;
  if (leastOf(scaleDim(difference, -1)) >= 0) return which === 'max' ? b : a;
  return computedDim(`${which}(${[a, b].map(formatDim).sort().join(',')})`);
}

/** Whether two elements are equal, where that can be told. */
export function equalElements(a: Dim, b: Dim): boolean | undefined {
  if (sameDim(a, b)) return true;
  const difference = subDim(a, b);
  if (typeof difference === 'number') return difference === 0;
  return leastOf(difference) > 0 || leastOf(scaleDim(difference, -1)) > 0 ? false : undefined;
}

/** A float's element as a whole number, rounded down; Cast rounds towards 0, which is the same for sizes. */
export const wholeElement = floorDim;
