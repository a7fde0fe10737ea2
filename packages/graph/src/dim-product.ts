/** Products and quotients of dimensions: what a Reshape from [N, C, H, W] to [N, g, -1] and back computes with. */
import { computedDim, type Dim, floorDivDim, formatDim, type SymbolicDim, sameDim, scaleDim } from './dim.js';

/** `coefficient · Π factors`; each factor is a symbol per its unit, or an affine form. */
interface Monomial {
  readonly coefficient: number;
  readonly factors: readonly SymbolicDim[];
}

function monomialOf(dims: readonly Dim[]): Monomial {
  let coefficient = 1;
  const factors: SymbolicDim[] = [];
  for (const dim of dims) {
    if (typeof dim === 'number') coefficient *= dim;
    else if (dim.offset !== 0) factors.push(dim);
    else {
      coefficient *= dim.scale;
      factors.push(...(dim.factors ?? [{ ...dim, scale: 1 }]));
    }
  }
  return { coefficient, factors };
}

function dimOf({ coefficient, factors }: Monomial): Dim {
  const [first, ...others] = factors;
  if (!first || coefficient === 0) return coefficient;
  if (others.length === 0) return scaleDim(first, coefficient);
  const text = factors.map(factorText).sort().join('*');
  const symbol = computedDim(text);
  return { ...symbol, scale: coefficient, ...(symbol.symbol === text ? { factors } : {}) };
}

function factorText(factor: SymbolicDim): string {
  const text = formatDim(factor);
  return factor.scale === factor.unit && factor.offset === 0 ? text : `(${text})`;
}

/** The product of all, 1 for none. */
export function productDim(dims: readonly Dim[]): Dim {
  return dimOf(monomialOf(dims));
}

/**
 * The product of `dims` divided by that of `by`: a number where the symbols cancel, which is then exact and may be a
 * fraction; else what is left, rounded down.
 */
export function quotientDim(dims: readonly Dim[], by: readonly Dim[]): Dim {
  const [above, below] = [monomialOf(dims), monomialOf(by)];
  const left = [...above.factors];
  const missing = below.factors.filter((factor) => {
    const at = left.findIndex((other) => sameDim(factor, other));
    return at < 0 || !left.splice(at, 1);
  });
  const ratio = above.coefficient / below.coefficient;
  if (missing.length === 0 && left.length === 0) return ratio;
  if (missing.length === 0) {
    return Number.isInteger(ratio)
      ? dimOf({ coefficient: ratio, factors: left })
      : floorDivDim(dimOf({ coefficient: above.coefficient, factors: left }), below.coefficient);
  }
  const texts = [
    { coefficient: above.coefficient, factors: left },
    { coefficient: below.coefficient, factors: missing },
  ].map((part) => formatDim(dimOf(part)));
  return computedDim(`floor((${texts.join(')/(')}))`);
}
