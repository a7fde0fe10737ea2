/** Dimension arithmetic: whatever is computed with a symbol holds for each number that the symbol may stand for. */
import {
  addDim,
  agreedDim,
  computedDim,
  type Dim,
  floorDivDim,
  formatDim,
  isComputed,
  leastOf,
  productDim,
  quotientDim,
  sameDim,
  scaleDim,
  subDim,
  symbolicDim,
} from '@cyclegan/graph';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { evaluateDim } from './dim-text.ts';

const seed = { seed: 1 };

const operation = fc.oneof(
  fc.integer({ min: -9, max: 9 }).map((n) => (dim: Dim) => addDim(dim, n)),
  fc.integer({ min: 1, max: 4 }).map((n) => (dim: Dim) => scaleDim(dim, n)),
  fc.integer({ min: 1, max: 4 }).map((n) => (dim: Dim) => floorDivDim(dim, n)),
);
const unit = fc.integer({ min: 1, max: 24 });
const operations = fc.array(operation, { maxLength: 6 });
type Operations = readonly ((dim: Dim) => Dim)[];

const apply = (start: Dim, steps: Operations): Dim => steps.reduce((dim, step) => step(dim), start);

test('addition, scaling and floor division agree with the same on numbers, and the text says what they compute', () => {
  let computed = 0;
  fc.assert(
    fc.property(unit, operations, fc.integer({ min: 1, max: 50 }), (multiple, steps, k) => {
      const dim = apply(symbolicDim('H', multiple), steps);
      if (isComputed(dim)) computed++;
      expect(evaluateDim(dim, { H: multiple * k })).toBeCloseTo(Number(apply(multiple * k, steps)), 9);
    }),
    { ...seed, numRuns: 2000 },
  );
  expect(computed).toBeGreaterThan(500);
});

test('two affine dimensions are the same exactly when no number tells them apart', () => {
  let [same, other] = [0, 0];
  fc.assert(
    fc.property(unit, unit, operations, operations, (one, two, first, second) => {
      const [a, b] = [apply(symbolicDim('H', one), first), apply(symbolicDim('H', two), second)];
      // Affine forms that agree at two places agree everywhere.
      const agree = [1, 2].every(
        (k) => Math.abs(evaluateDim(a, { H: one * two * k }) - evaluateDim(b, { H: one * two * k })) < 1e-9,
      );
      if (isComputed(a) || isComputed(b)) return;
      if (agree) same++;
      else other++;
      expect(sameDim(a, b)).toBe(agree);
      expect(agreedDim(a, b) !== undefined).toBe(agree);
    }),
    { ...seed, numRuns: 2000 },
  );
  expect(Math.min(same, other)).toBeGreaterThan(50);
});

test('computed dimensions are the same only when no number tells them apart', () => {
  let same = 0;
  const few = fc.array(operation, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(few, few, (first, second) => {
      const [a, b] = [apply(symbolicDim('H'), first), apply(symbolicDim('H'), second)];
      if (!sameDim(a, b) || !isComputed(a)) return;
      same++;
      for (let H = 1; H <= 60; H++) expect(evaluateDim(a, { H })).toBe(evaluateDim(b, { H }));
    }),
    { ...seed, numRuns: 5000 },
  );
  expect(same).toBeGreaterThan(20);
});

test('products, quotients, sums and differences of several symbols agree with the same on numbers', () => {
  const sizes = { N: 2, H: 12, W: 20 };
  const term = fc
    .tuple(fc.constantFrom<('N' | 'H' | 'W')[]>('N', 'H', 'W'), operations)
    .map(([symbol, steps]) => [apply(symbolicDim(symbol), steps), apply(sizes[symbol], steps)] as const);
  fc.assert(
    fc.property(fc.array(term, { minLength: 1, maxLength: 3 }), term, term, (factors, a, b) => {
      const [dims, numbers] = [factors.map(([dim]) => dim), factors.map(([, n]) => Number(n))];
      const product = numbers.reduce((x, y) => x * y, 1);
      expect(evaluateDim(productDim(dims), sizes)).toBeCloseTo(product, 6);
      expect(evaluateDim(addDim(a[0], b[0]), sizes)).toBeCloseTo(Number(a[1]) + Number(b[1]), 6);
      expect(evaluateDim(subDim(a[0], b[0]), sizes)).toBeCloseTo(Number(a[1]) - Number(b[1]), 6);
      if (a[1] === 0) return;
      // What was multiplied divides exactly.
      expect(evaluateDim(quotientDim([...dims, a[0]], [a[0]]), sizes)).toBeCloseTo(product, 6);
    }),
    { ...seed, numRuns: 1000 },
  );
});

describe('products', () => {
  const [h, w, quarter] = [symbolicDim('H'), symbolicDim('W'), floorDivDim(symbolicDim('H', 4), 4)];

  it('cancel in any order', () => {
    const all = productDim([h, 3, w]);
    expect(formatDim(all)).toBe('3*(H*W)');
    expect(sameDim(productDim([w, h, 3]), all)).toBe(true);
    expect(quotientDim([all, 4], [2, w])).toEqual(scaleDim(h, 6));
    expect(quotientDim([all, 4], [6, h, w])).toBe(2);
    expect(quotientDim([h], [scaleDim(h, 4)])).toBe(0.25);
  });

  it('keep the multiples that symbols promise', () => {
    expect(quotientDim([productDim([quarter, quarter])], [quarter])).toEqual(quarter);
    expect(formatDim(productDim([quarter, w]))).toBe('(H/4)*W');
  });

  it('that do not cancel have a text of their own', () => {
    expect(formatDim(quotientDim([h, 6], [w]))).toBe('floor((6*H)/(W))');
    expect(formatDim(quotientDim([h], [8]))).toBe('floor(H/8)');
  });
});

describe('symbols', () => {
  it('that are not known to divide give a symbol of their own, equal to those of equal meaning', () => {
    const quarter = floorDivDim(symbolicDim('H', 4), 4);
    expect(formatDim(quarter)).toBe('H/4');
    expect(formatDim(floorDivDim(quarter, 2))).toBe('floor(H/4/2)');
    const h = symbolicDim('H');
    expect(formatDim(floorDivDim(addDim(h, 1), 2))).toBe('floor((H+1)/2)');
    expect(sameDim(addDim(floorDivDim(addDim(h, -1), 2), 1), floorDivDim(addDim(h, 1), 2))).toBe(true);
    expect(formatDim(scaleDim(floorDivDim(h, 2), 2))).toBe('2*floor(H/2)');
  });

  it('are never the same as another symbol or as a number', () => {
    expect(sameDim(symbolicDim('H'), symbolicDim('W'))).toBe(false);
    expect(sameDim(symbolicDim('H'), 8)).toBe(false);
    expect(sameDim(8, 8)).toBe(true);
    expect(agreedDim(symbolicDim('H'), symbolicDim('W'))).toBeUndefined();
    expect(agreedDim(symbolicDim('H'), 8)).toBeUndefined();
  });

  it('that are computed may equal anything but what they are apart from', () => {
    const [h, half] = [symbolicDim('H'), floorDivDim(symbolicDim('H'), 2)];
    expect(agreedDim(half, 8)).toBe(8);
    expect(agreedDim(half, h)).toBe(h);
    expect(agreedDim(h, half)).toBe(h);
    expect(agreedDim(scaleDim(half, 2), half)).toBe(half);
    expect(agreedDim(half, addDim(half, 1))).toBeUndefined();
  });

  it('tell the least that they can be', () => {
    expect(leastOf(addDim(symbolicDim('H', 4), -1))).toBe(3);
    expect(leastOf(addDim(floorDivDim(symbolicDim('H'), 2), 1))).toBe(1);
    expect(leastOf(scaleDim(symbolicDim('H'), -1))).toBe(Number.NEGATIVE_INFINITY);
    expect(leastOf(subDim(symbolicDim('H'), symbolicDim('W')))).toBe(Number.NEGATIVE_INFINITY);
  });

  it('print as ONNX dimension parameters do', () => {
    const h = symbolicDim('H', 6);
    const texts = [
      h,
      addDim(h, 6),
      scaleDim(h, 2),
      floorDivDim(h, 2),
      scaleDim(floorDivDim(h, 3), 2),
      addDim(h, -1),
      subDim(1, h),
      addDim(symbolicDim('H/4'), 1),
    ];
    const printed = ['H', 'H+6', '2*H', 'H/2', '2*H/3', 'H-1', '-1*H+1', '(H/4)+1'];
    expect(texts.map(formatDim)).toEqual(printed);
  });

  it('of long texts are told apart by a hash of bounded length', () => {
    let dim: Dim = symbolicDim('H');
    const texts = new Set<string>();
    for (let i = 0; i < 40; i++) {
      dim = productDim([addDim(dim, 1), addDim(dim, 2)]);
      texts.add(formatDim(dim));
    }
    expect(texts.size).toBe(40);
    expect(Math.max(...[...texts].map((text) => text.length))).toBeLessThan(200);
    expect(computedDim('a'.repeat(200))).toEqual(computedDim('a'.repeat(200)));
    expect(computedDim('a'.repeat(200))).not.toEqual(computedDim('a'.repeat(201)));
  });
});
