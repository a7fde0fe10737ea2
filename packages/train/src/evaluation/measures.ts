/**
 * The names of everything that is measured, which way is better, and the words for tables. A metric is a measure and
 * what it was taken of: `ssim_AtoB`, `cycle_A`.
 */
import { CycleganError, type Direction } from '@cyclegan/runtime-core';

export type Better = 'lower' | 'higher';

export interface Measure {
  /** Undefined for what is neither good nor bad. */
  better: Better | undefined;
  title: string;
  /** What it is, in a few words. */
  about: string;
  /** Behind the decimal point. */
  digits: number;
}

/** Every measure, in the order of tables. */
export const measures = {
  l1: { better: 'lower', title: 'L1', about: 'to the answer, 0 to 2', digits: 4 },
  psnr: { better: 'higher', title: 'PSNR', about: 'to the answer, dB', digits: 2 },
  ssim: { better: 'higher', title: 'SSIM', about: 'to the answer, 1 is equal', digits: 4 },
  structure: { better: 'higher', title: 'structure', about: "edges as the answer's, 1 is equal", digits: 4 },
  fid: { better: 'lower', title: 'FID', about: 'to the target domain', digits: 3 },
  kid: { better: 'lower', title: 'KID', about: 'to the target domain', digits: 5 },
  kidDeviation: { better: undefined, title: 'KID ±', about: 'deviation over its subsets', digits: 5 },
  mifid: { better: 'lower', title: 'MiFID', about: 'FID over memorization', digits: 3 },
  memorization: {
    better: undefined,
    title: 'nearest',
    about: 'least cosine distance to a real one',
    digits: 4,
  },
  cycle: { better: 'lower', title: 'cycle', about: 'L1 of there and back, 0 to 2', digits: 4 },
  change: { better: undefined, title: 'change', about: 'L1 of input and translation, 0 to 2', digits: 4 },
} as const satisfies Record<string, Measure>;

export type MeasureName = keyof typeof measures;

/** A metric's name: cycle errors by the domain that they begin in, as the losses are; all else by direction. */
export function metricName(measure: MeasureName, direction: Direction): string {
  if (measure !== 'cycle') return `${measure}_${direction}`;
  return direction === 'AtoB' ? 'cycle_A' : 'cycle_B';
}

const directions = ['AtoB', 'BtoA'] as const;

/** Names of all metrics by which one checkpoint may be called better than another, in the order of tables. */
export const comparableMetrics: readonly string[] = (Object.keys(measures) as MeasureName[])
  .filter((measure) => measures[measure].better !== undefined)
  .flatMap((measure) => directions.map((direction) => metricName(measure, direction)));

/**
 * Which way a metric is better.
 * @throws CycleganError `usage` for a name that is none, or of a metric that is neither good nor bad
 */
export function betterIs(metric: string): Better {
  const [measure = ''] = metric.split('_');
  const { better } = (measures as Record<string, Measure>)[measure] ?? {};
  if (better === undefined || !comparableMetrics.includes(metric)) {
    throw new CycleganError(
      'usage',
      `[train] metric: expected one of ${comparableMetrics.join(', ')}, got ${metric}. Choose one of those.`,
    );
  }
  return better;
}
