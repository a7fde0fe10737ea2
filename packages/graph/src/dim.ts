/**
 * Dimensions of a tensor: fixed numbers for training, affine forms of one symbol for export, which keep "output H equals
 * input H" decidable. What is not affine gets a symbol of its own, named by how it is computed (`floor((H+1)/2)`).
 */
import { GraphError } from './errors.js';

/** `scale · (symbol / unit) + offset`; `symbol` is promised to be a positive multiple of `unit`. */
export interface SymbolicDim {
  readonly symbol: string;
  readonly unit: number;
  readonly scale: number;
  readonly offset: number;
  /** Where the symbol stands for a product (`H*W`): what is multiplied. */
  readonly factors?: readonly SymbolicDim[];
}

/** A whole number from 0, or a symbol's. */
export type Dim = number | SymbolicDim;
/** Outermost axis first; [] is a scalar's. */
export type Shape = readonly Dim[];

/** A dimension known at run time only: `symbolicDim('H', 4)` is an H that is promised to be a multiple of 4. */
export function symbolicDim(symbol: string, unit = 1): SymbolicDim {
  return { symbol, unit, scale: unit, offset: 0 };
}

/** Longest text of a computed symbol; a longer one is known by its hash. */
const longestSymbol = 160;

/** A symbol for what is computed as `text` says: equal texts are equal dimensions. */
export function computedDim(text: string): SymbolicDim {
  if (text.length <= longestSymbol) return symbolicDim(text);
  // FNV-1a.
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n);
  }
  return symbolicDim(`size#${hash.toString(16)}`);
}

/** Whether the dimension is of a computed symbol, which might equal another after all. */
export function isComputed(dim: Dim): boolean {
  return typeof dim !== 'number' && !/^\w[\w.]*$/.test(dim.symbol);
}

/** `a + b`. */
export function addDim(a: Dim, b: Dim): Dim {
  if (typeof a === 'number') return typeof b === 'number' ? a + b : addDim(b, a);
  if (typeof b === 'number') return { ...a, offset: a.offset + b };
  const offset = a.offset + b.offset;
  if (a.symbol === b.symbol) {
    const unit = (a.unit / greatestCommonDivisor(a.unit, b.unit)) * b.unit;
    const scale = a.scale * (unit / a.unit) + b.scale * (unit / b.unit);
    return scale === 0 ? offset : { ...a, unit, scale, offset };
  }
  const terms = [a, b].map((term) => formatDim({ ...term, offset: 0 })).sort();
  return { ...computedDim(`(${terms.join('+')})`), offset };
}

/** `a - b`. */
export function subDim(a: Dim, b: Dim): Dim {
  return addDim(a, scaleDim(b, -1));
}

/** `dim · n`. */
export function scaleDim(dim: Dim, n: number): Dim {
  if (typeof dim === 'number') return dim * n;
  return n === 0 ? 0 : { ...dim, scale: dim.scale * n, offset: dim.offset * n };
}

/** `floor(dim / n)`, n above 0. */
export function floorDivDim(dim: Dim, n: number): Dim {
  if (typeof dim === 'number') return Math.floor(dim / n);
  const common = greatestCommonDivisor(Math.abs(dim.scale), n);
  const divisor = n / common;
  const offset = Math.floor(dim.offset / common);
  const rest = { ...dim, scale: dim.scale / common, offset };
  if (divisor === 1) return rest;
  // Whole parts go outside, so that floor((H-1)/2)+1 and floor((H+1)/2) are the same.
  const outside = Math.floor(offset / divisor);
  const inside = formatDim({ ...rest, offset: offset - outside * divisor });
  const text = rest.offset === outside * divisor ? inside : `(${inside})`;
  return { ...computedDim(`floor(${text}/${divisor})`), offset: outside };
}

/** The largest whole number up to the dimension, whose scale may be a fraction. */
export function floorDim(dim: Dim): Dim {
  if (typeof dim === 'number') return Math.floor(dim);
  for (let n = 1; n <= 256; n++) {
    if (Number.isInteger(dim.scale * n)) return floorDivDim(scaleDim(dim, n), n);
  }
  return computedDim(`floor(${formatDim(dim)})`);
}

/** Whether two dimensions are equal whatever their symbols stand for. */
export function sameDim(a: Dim, b: Dim): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  return a.symbol === b.symbol && a.scale * b.unit === b.scale * a.unit && a.offset === b.offset;
}

/**
 * What two dimensions are if they are equal: of a computed one nothing else can be said, and the graph trusts its maker.
 * Undefined where they are known to differ, or are of two declared symbols.
 */
export function agreedDim(a: Dim, b: Dim): Dim | undefined {
  if (sameDim(a, b)) return a;
  const [first, second] = [isComputed(a), isComputed(b)];
  if (!first && !second) return undefined;
  if (typeof a !== 'number' && typeof b !== 'number') {
    const apart = a.symbol === b.symbol && a.scale * b.unit === b.scale * a.unit;
    return apart
      ? undefined
      : first === second
        ? formatDim(b).length < formatDim(a).length
          ? b
          : a
        : first
          ? b
          : a;
  }
  return typeof a === 'number' ? a : b;
}

/** Whether two shapes have the same rank and dimensions. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => sameDim(dim, b[i] as Dim));
}

/** Whether two shapes have the same rank, and dimensions that {@link agreedDim} lets be equal. */
export function agreeShapes(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => agreedDim(dim, b[i] as Dim) !== undefined);
}

/** The least that a dimension can be, as far as its symbol's promise goes. */
export function leastOf(dim: Dim): number {
  if (typeof dim === 'number') return dim;
  // A difference, or a symbol known by its hash, may be below 0.
  if (dim.scale < 0 || /[-#]/.test(dim.symbol)) return Number.NEGATIVE_INFINITY;
  return isComputed(dim) ? dim.offset : dim.scale + dim.offset;
}

/** More axes than any runtime takes. */
const mostAxes = 64;

/** Whether a tensor can have this shape: sizes are whole numbers from 0, symbols have positive factors. */
export function isValidShape(shape: Shape): boolean {
  const valid = (dim: Dim) =>
    typeof dim === 'number'
      ? Number.isSafeInteger(dim) && dim >= 0
      : [dim.unit, dim.scale, dim.offset].every(Number.isSafeInteger) && dim.unit > 0 && dim.scale > 0;
  return shape.length <= mostAxes && shape.every(valid);
}

/** Text of a dimension, also used as ONNX `dim_param`: `H`, `H/2`, `2*H+6`, `2*H/3`, `floor((H+1)/2)`. */
export function formatDim(dim: Dim): string {
  if (typeof dim === 'number') return String(dim);
  const { scale, unit, offset } = dim;
  if (scale === unit && offset === 0) return dim.symbol;
  const common = greatestCommonDivisor(Math.abs(scale), unit);
  const head = scale === common ? '' : `${scale / common}*`;
  const tail = unit === common ? '' : `/${unit / common}`;
  const end = offset === 0 ? '' : offset > 0 ? `+${offset}` : `${offset}`;
  const symbol = /^[^()]*[-+*/\s][^()]*$/.test(dim.symbol) ? `(${dim.symbol})` : dim.symbol;
  return `${head}${symbol}${tail}${end}`;
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
