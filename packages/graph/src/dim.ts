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

export type Dim = number | SymbolicDim;
export type Shape = readonly Dim[];

/** A free dimension that callers promise to be a multiple of `unit`, such as an image height of a multiple of 4. */
export function symbolicDim(symbol: string, unit = 1): SymbolicDim {
  return { symbol, unit, scale: unit, offset: 0 };
}

export function addDim(dim: Dim, n: number): Dim {
  return typeof dim === 'number' ? dim + n : { ...dim, offset: dim.offset + n };
}

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

export function sameDim(a: Dim, b: Dim): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  return a.symbol === b.symbol && a.scale * b.unit === b.scale * a.unit && a.offset === b.offset;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => sameDim(dim, b[i] as Dim));
}

/** Text of a dimension, also used as ONNX `dim_param`: `H`, `H/2`, `2*H+6`. */
export function formatDim(dim: Dim): string {
  if (typeof dim === 'number') return String(dim);
  const factor = dim.scale / dim.unit;
  const head = factor === 1 ? '' : factor > 1 ? `${factor}*` : '';
  const tail = factor < 1 ? `/${dim.unit / dim.scale}` : '';
  const offset = dim.offset === 0 ? '' : dim.offset > 0 ? `+${dim.offset}` : `${dim.offset}`;
  return `${head}${dim.symbol}${tail}${offset}`;
}

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

export function fixedShape(shape: Shape, what: string): number[] {
  return shape.map((dim) => fixedDim(dim, what));
}

/** Number of elements of a fixed shape. */
export function sizeOf(shape: Shape, what: string): number {
  return fixedShape(shape, what).reduce((product, dim) => product * dim, 1);
}
