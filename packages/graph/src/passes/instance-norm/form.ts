/**
 * What values are in terms of one normalisation's input: sums of x, its mean μ, 1/σ and their products, with a factor for
 * each channel. However a model orders the steps, the same value has the same form. Knows no graph.
 */

/** `x` is the input, `mean` μ, `one` a constant, `inv` 1/σ; two words together are a product. */
const terms = ['x', 'mean', 'one', 'xInv', 'meanInv', 'inv'] as const;
type Term = (typeof terms)[number];

/** A sum of terms, each with one factor a channel; those left out are zero. */
export interface Sum {
  readonly kind: 'sum';
  readonly factors: Readonly<Partial<Record<Term, Float64Array>>>;
}

export type Form =
  | Sum
  /** (x − μ)². */
  | { readonly kind: 'square' }
  /** Its mean, with what has been added: σ² = v + ε. */
  | { readonly kind: 'variance'; readonly epsilon: number }
  /** σ. */
  | { readonly kind: 'deviation'; readonly epsilon: number }
  /** 1/σ². */
  | { readonly kind: 'inverseVariance'; readonly epsilon: number };

export function sumOf(term: Term, factor: Float64Array): Sum {
  return { kind: 'sum', factors: { [term]: factor } };
}

/** a + sign·b. */
export function add(a: Sum, b: Sum, sign: 1 | -1): Sum {
  const factors: Partial<Record<Term, Float64Array>> = {};
  for (const term of terms) {
    const [left, right] = [a.factors[term], b.factors[term]];
    const sum = right?.map((value, i) => (left?.[i] ?? 0) + sign * value) ?? left;
    if (sum?.some((value) => value !== 0)) factors[term] = sum;
  }
  return { kind: 'sum', factors };
}

const withInverse: Partial<Record<Term, Term>> = { x: 'xInv', mean: 'meanInv', one: 'inv' };

function productOf(a: Term, b: Term): Term | undefined {
  if (a === 'one') return b;
  if (b === 'one') return a;
  return a === 'inv' ? withInverse[b] : b === 'inv' ? withInverse[a] : undefined;
}

/** a·b, if all products are terms that are followed. */
export function multiply(a: Sum, b: Sum): Sum | undefined {
  let result: Sum = { kind: 'sum', factors: {} };
  for (const left of terms) {
    for (const right of terms) {
      const [first, second] = [a.factors[left], b.factors[right]];
      if (!first || !second) continue;
      const term = productOf(left, right);
      if (!term) return undefined;
      result = add(
        result,
        sumOf(
          term,
          first.map((value, i) => value * (second[i] ?? 0)),
        ),
        1,
      );
    }
  }
  return result;
}

/** Whether it is x − μ, or μ − x, whose square is the same. */
export function isCentred({ factors: { x, mean, ...others } }: Sum): boolean {
  const unit = x?.every((value, i) => Math.abs(value) === 1 && mean?.[i] === -value);
  return unit === true && Object.keys(others).length === 0;
}

/** Its one number, if it is a constant that is the same for all channels. */
export function uniform({ factors: { one, ...others } }: Sum): number | undefined {
  const first = one?.[0];
  return one?.every((value) => value === first) && Object.keys(others).length === 0 ? first : undefined;
}

/** Scale and bias, if it is scale·(x − μ)/σ + bias. */
export function normalised(form: Form): { scale: Float64Array; bias: Float64Array } | undefined {
  if (form.kind !== 'sum') return undefined;
  const { xInv: scale, meanInv, one, ...others } = form.factors;
  const centred = scale?.every((value, i) => meanInv?.[i] === -value);
  if (!scale || !centred || Object.keys(others).length > 0) return undefined;
  return { scale, bias: one ?? new Float64Array(scale.length) };
}

/** Whether it differs from pixel to pixel. */
export function hasPixels(form: Form): boolean {
  return form.kind === 'square' || (form.kind === 'sum' && Boolean(form.factors.x || form.factors.xInv));
}
