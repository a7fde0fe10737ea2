/**
 * Dimensions of a tensor: fixed numbers for training, affine forms of one symbol for export. An affine form is
 * all that a fully convolutional network needs, and keeps "output H equals input H" decidable.
 */
import { GraphError } from './errors.js';

/** `scale · (symbol / unit) + offset`; `symbol` is promised to be a positive multiple of `unit`. */
export interface SymbolicDim {
  readonly symbol: string;
  readonly unit: number;
  readonly scale: number;
  readonly offset: number;
}

/** A whole number from 0, or a symbol's. */
export type Dim = number | SymbolicDim;
/** Outermost axis first; [] is a scalar's. */
export type Shape = readonly Dim[];

/** A free dimension that callers promise to be a multiple of `unit`, such as an image height of a multiple of 4. */
export function symbolicDim(symbol: string, unit = 1): SymbolicDim {
  return { symbol, unit, scale: unit, offset: 0 };
}

/** `dim + n`; n may be negative. */
export function addDim(dim: Dim, n: number): Dim {
  return typeof dim === 'number' ? dim + n : { ...dim, offset: dim.offset + n };
}

/** `dim · n`. */
export function scaleDim(dim: Dim, n: number): Dim {
  return typeof dim === 'number' ? dim * n : { ...dim, scale: dim.scale * n, offset: dim.offset * n };
}

/** `floor(dim / n)`. @throws GraphError when the result depends on more than the symbol's promise. */
export function floorDivDim(dim: Dim, n: number): Dim {
  if (typeof dim === 'number') return Math.floor(dim / n);
  if (dim.scale % n !== 0) {
    throw new GraphError(
      `dimension ${formatDim(dim)}: expected to divide by ${n}, got a symbol known only to be a multiple of ${dim.unit}. Declare ${dim.symbol} with a larger unit.`,
    );
  }
  return { ...dim, scale: dim.scale / n, offset: Math.floor(dim.offset / n) };
}

/** Whether two dimensions are equal whatever their symbols stand for. */
export function sameDim(a: Dim, b: Dim): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  return a.symbol === b.symbol && a.scale * b.unit === b.scale * a.unit && a.offset === b.offset;
}

/** Whether two shapes have the same rank and dimensions. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => sameDim(dim, b[i] as Dim));
}

/** Whether a tensor can have this shape: sizes are whole numbers from 0, symbols have positive factors. */
export function isValidShape(shape: Shape): boolean {
  return shape.every((dim) =>
    typeof dim === 'number'
      ? Number.isSafeInteger(dim) && dim >= 0
      : [dim.unit, dim.scale, dim.offset].every(Number.isSafeInteger) && dim.unit > 0 && dim.scale > 0,
  );
}

/** Text of a dimension, also used as ONNX `dim_param`: `H`, `H/2`, `2*H+6`, `2*H/3`. */
export function formatDim(dim: Dim): string {
  if (typeof dim === 'number') return String(dim);
  const common = greatestCommonDivisor(dim.scale, dim.unit);
  const head = dim.scale === common ? '' : `${dim.scale / common}*`;
  const tail = dim.unit === common ? '' : `/${dim.unit / common}`;
  const offset = dim.offset === 0 ? '' : dim.offset > 0 ? `+${dim.offset}` : `${dim.offset}`;
  return `${head}${dim.symbol}${tail}${offset}`;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b > 0 ? greatestCommonDivisor(b, a % b) : a;
}

/** `[N, 3, H/4, 64]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.map(formatDim).join(', ')}]`;
}

/** The dimension as a number. @throws GraphError for a symbolic one; `what` says who asked. */
export function fixedDim(dim: Dim | undefined, what: string): number {
  if (typeof dim === 'number') return dim;
  throw new GraphError(
    `${what}: expected a fixed dimension, got ${dim === undefined ? 'none' : formatDim(dim)}. Build the graph with fixed sizes.`,
  );
}

/** The shape as numbers. @throws GraphError for a symbolic dimension; `what` says who asked. */
export function fixedShape(shape: Shape, what: string): number[] {
  return shape.map((dim) => fixedDim(dim, what));
}
