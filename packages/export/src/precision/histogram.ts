/** What values a tensor takes, counted as they come, and the ranges in which most of them lie. Keeps no values. */
import type { Range } from './eight-bits.js';

/** Bins on either side of zero; even, so that two make one of twice the width. */
const BINS = 2048;

export interface Histogram {
  add(values: Float32Array): void;
  /** Of all values added, NaN where one was. */
  minMax(): Range;
  /** Without the outermost values: of `percent` of all, half the rest is above and half below. */
  percentile(percent: number): Range;
  /**
   * The range that loses least when its values become 8-bit integers, by Kullback and Leibler's divergence between the
   * distributions before and after (Migacz, "8-bit inference with TensorRT", GTC 2017).
   */
  entropy(): Range;
}

/** Bins grow as values do, so that one look at each value is enough. */
export function createHistogram(): Histogram {
  let counts = new Float64Array(2 * BINS);
  /** Half the width of what is counted: a power of two. */
  let limit = 2 ** -20;
  let [min, max, total] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];

  const widen = () => {
    const wider = new Float64Array(2 * BINS);
    for (let bin = 0; bin < counts.length; bin++) {
      const at = BINS + Math.floor((bin - BINS) / 2);
      wider[at] = (wider[at] ?? 0) + (counts[bin] ?? 0);
    }
    counts = wider;
    limit *= 2;
  };
  const width = () => limit / BINS;
  const clipped = (low: number, high: number): Range => ({
    min: Math.max(min, low),
    max: Math.min(max, high),
  });

  return {
    add(values) {
      for (const value of values) {
        // NaN stays once it is there.
        min = Math.min(min, value);
        max = Math.max(max, value);
      }
      const largest = Math.max(-min, max);
      while (largest >= limit && Number.isFinite(largest)) widen();
      const scale = BINS / limit;
      // The sum is above 0 and below twice the bins, where cutting off is rounding down; NaN and infinity count as the least.
      for (const value of values) {
        const bin = (value * scale + BINS) | 0;
        counts[bin] = (counts[bin] ?? 0) + 1;
      }
      total += values.length;
    },
    minMax: () => ({ min, max }),
    percentile(percent) {
      const outside = (total * (1 - percent / 100)) / 2;
      const from = (bins: Iterable<number>): number => {
        let seen = 0;
        let at = 0;
        for (const count of bins) {
          seen += count;
          if (seen > outside) return at;
          at++;
        }
        return at;
      };
      const [below, above] = [from(counts), from(counts.toReversed())];
      return clipped((below - BINS) * width(), (BINS - above) * width());
    },
    entropy() {
      const sizes = counts.slice(BINS);
      for (let bin = 0; bin < BINS; bin++) sizes[bin] = (sizes[bin] ?? 0) + (counts[BINS - 1 - bin] ?? 0);
      const threshold = leastDivergence(sizes, min < 0 ? 128 : 256) * width();
      return clipped(-threshold, threshold);
    },
  };
}

/** Candidates lie so many bins apart: neighbours hardly differ. */
const STRIDE = 16;

/** @returns how many of the bins, from the first on, to keep: what is beyond is counted with the last */
function leastDivergence(bins: Float64Array, levels: number): number {
  const used = bins.findLastIndex((count) => count > 0) + 1;
  let best = { kept: used, divergence: Number.POSITIVE_INFINITY };
  for (let kept = levels; kept < used + STRIDE; kept += STRIDE) {
    const divergence = divergenceOf(bins, Math.min(kept, used), levels);
    if (divergence < best.divergence) best = { kept: Math.min(kept, used), divergence };
  }
  return best.kept;
}

function divergenceOf(bins: Float64Array, kept: number, levels: number): number {
  const before = bins.slice(0, kept);
  const beyond = bins.subarray(kept).reduce((sum, count) => sum + count, 0);
  before[kept - 1] = (before[kept - 1] ?? 0) + beyond;
  const sum = before.reduce((all, count) => all + count, 0);
  let divergence = 0;
  let inside = 0;
  for (let level = 0; level < levels; level++) {
    const [start, end] = [level, level + 1].map((at) => Math.floor((at * kept) / levels)) as [number, number];
    let count = 0;
    let filled = 0;
    for (let i = start; i < end; i++) {
      count += bins[i] ?? 0;
      if ((before[i] ?? 0) > 0) filled++;
    }
    inside += count;
    for (let i = start; i < end; i++) {
      const p = (before[i] ?? 0) / sum;
      // A level stands for each of its filled bins alike; of what lies beyond the last it knows nothing.
      if (p > 0) divergence += p * Math.log(p / Math.max(count / filled, 1e-9));
    }
  }
  return divergence + Math.log(inside);
}
