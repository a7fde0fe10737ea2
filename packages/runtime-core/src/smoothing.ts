/**
 * Statistics smoothed over a sequence of frames, against flicker: each frame is normalised by an exponential mean of
 * its own and those of the frames before it, which ends at a cut. Runs nothing: callers hand frames to a translator one by one.
 */
import { CycleganError } from './errors.js';

export interface SmoothingOptions {
  /** How much of the mean a frame keeps: 0 takes each frame's own statistics, 0.9 forgets half in seven frames. */
  strength: number;
}

export interface Smoothing {
  /**
   * Takes in a frame, in the order of the sequence.
   * @param own the frame's own statistics, as `translator.statistics` gives them. Those that come back from a translation
   * under other ones are none: a layer's depend on how the layers before it were normalised, so that a mean of them swings
   * @returns what to normalise the frame by, and whether it began another scene, at which the mean begins anew
   */
  next(own: Float32Array): { statistics: Float32Array; cut: boolean };
}

/**
 * A step from one frame to the next is a cut when it is larger than this, see {@link statisticsDistance}, and than so
 * many times the usual step. Between unlike scenes it measures 0.02 to 0.2, within a scene mostly below 0.001; a light
 * that flashes makes steps as large as a cut, but then they are the usual ones, and are to be smoothed.
 */
const CUT = { least: 0.01, times: 6 };
/** How much of the usual step a frame keeps. */
const USUAL = 0.7;

/** @throws CycleganError `usage` for a strength that is not from 0 to below 1 */
export function createSmoothing({ strength }: SmoothingOptions): Smoothing {
  if (!(strength >= 0 && strength < 1)) {
    throw new CycleganError(
      'usage',
      `[smoothing] strength: expected a number from 0 to below 1, got ${strength}. Try 0.9.`,
    );
  }
  let past: { own: Float32Array; mean: Float32Array } | undefined;
  let usual = 0;

  return {
    next(own) {
      const step = past ? statisticsDistance(past.own, own) : 0;
      const cut = step > CUT.least && step > CUT.times * usual;
      const before = cut ? undefined : past?.mean;
      const mean = before ? own.map((value, i) => value + strength * ((before[i] ?? value) - value)) : own;
      usual = USUAL * usual + (1 - USUAL) * step;
      past = { own, mean };
      return { statistics: mean, cut };
    },
  };
}

/**
 * How unlike two statistics [2 × C] are: the mean over the channels of the symmetric Kullback–Leibler divergence of two
 * normal distributions, each channel's held below 4 so that no single one decides. 0 for the same.
 */
export function statisticsDistance(one: Float32Array, other: Float32Array): number {
  const channels = one.length / 2;
  let sum = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    const squared = ((one[channel] ?? 0) - (other[channel] ?? 0)) ** 2;
    // What InstanceNormalization adds as well.
    const a = (one[channels + channel] ?? 0) + 1e-5;
    const b = (other[channels + channel] ?? 0) + 1e-5;
    sum += Math.min(4, ((a + squared) / b + (b + squared) / a) / 2 - 1);
  }
  return sum / channels;
}
