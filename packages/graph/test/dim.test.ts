/** Dimension arithmetic: whatever is computed with a symbol holds for each number that the symbol may stand for. */
import {
  addDim,
  type Dim,
  floorDivDim,
  formatDim,
  GraphError,
  sameDim,
  scaleDim,
  symbolicDim,
} from '@cyclegan/graph';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

const seed = { seed: 1 };

/** What a dimension is when its symbol is `value`. */
const substitute = (dim: Dim, value: number): number =>
  typeof dim === 'number' ? dim : (dim.scale * value) / dim.unit + dim.offset;

const operation = fc.oneof(
  fc.integer({ min: -9, max: 9 }).map((n) => (dim: Dim) => addDim(dim, n)),
  fc.integer({ min: 1, max: 4 }).map((n) => (dim: Dim) => scaleDim(dim, n)),
  fc.integer({ min: 1, max: 4 }).map((n) => (dim: Dim) => floorDivDim(dim, n)),
);
const unit = fc.integer({ min: 1, max: 24 });
const operations = fc.array(operation, { maxLength: 6 });

/** The operations applied to a symbol, or nothing where one of them depends on more than its promise. */
function apply(start: Dim, steps: readonly ((dim: Dim) => Dim)[]): Dim | undefined {
  try {
    return steps.reduce((dim, step) => step(dim), start);
  } catch (error) {
    expect(error).toBeInstanceOf(GraphError);
    return undefined;
  }
}

test('addition, scaling and floor division agree with the same on numbers', () => {
  let decided = 0;
  fc.assert(
    fc.property(unit, operations, fc.integer({ min: 1, max: 50 }), (multiple, steps, k) => {
      const dim = apply(symbolicDim('H', multiple), steps);
      if (dim === undefined) return;
      decided++;
      expect(substitute(dim, multiple * k)).toBe(apply(multiple * k, steps));
    }),
    { ...seed, numRuns: 2000 },
  );
  expect(decided).toBeGreaterThan(500);
});

test('two dimensions are the same exactly when no number tells them apart', () => {
  let [same, other] = [0, 0];
  fc.assert(
    fc.property(unit, unit, operations, operations, (one, two, first, second) => {
      const a = apply(symbolicDim('H', one), first);
      const b = apply(symbolicDim('H', two), second);
      if (a === undefined || b === undefined) return;
      // Affine forms that agree at two places agree everywhere.
      const agree = [1, 2].every((k) => substitute(a, one * two * k) === substitute(b, one * two * k));
      if (agree) same++;
      else other++;
      expect(sameDim(a, b)).toBe(agree);
    }),
    { ...seed, numRuns: 2000 },
  );
  expect(Math.min(same, other)).toBeGreaterThan(50);
});

test('the text of a dimension says what it computes', () => {
  fc.assert(
    fc.property(unit, operations, fc.integer({ min: 1, max: 50 }), (multiple, steps, k) => {
      const dim = apply(symbolicDim('H', multiple), steps);
      if (dim === undefined) return;
      const found = /^(?:(\d+)\*)?H(?:\/(\d+))?([+-]\d+)?$/.exec(formatDim(dim));
      const [factor = 1, divisor = 1, offset = 0] = (found ?? ['', 'none'])
        .slice(1)
        .map((part) => part && Number(part));
      expect((Number(factor) * multiple * k) / Number(divisor) + Number(offset)).toBeCloseTo(
        substitute(dim, multiple * k),
        9,
      );
    }),
    { ...seed, numRuns: 1000 },
  );
});

describe('symbols', () => {
  it('are halved only as far as their promise goes, and the error says what would help', () => {
    const quarter = floorDivDim(symbolicDim('H', 4), 4);
    expect(formatDim(quarter)).toBe('H/4');
    expect(() => floorDivDim(quarter, 2)).toThrow(
      new GraphError(
        'dimension H/4: expected to divide by 2, got a symbol known only to be a multiple of 4. Declare H with a larger unit.',
      ),
    );
  });

  it('are never the same as another symbol or as a number', () => {
    expect(sameDim(symbolicDim('H'), symbolicDim('W'))).toBe(false);
    expect(sameDim(symbolicDim('H'), 8)).toBe(false);
    expect(sameDim(8, 8)).toBe(true);
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
    ];
    expect(texts.map(formatDim)).toEqual(['H', 'H+6', '2*H', 'H/2', '2*H/3', 'H-1']);
  });
});
