/**
 * All distances between a set of translations and the real images that they should be like: FID, KID, MiFID. Takes
 * features, and says when there are too few of them to mean much.
 */
import type { Features } from './features.js';
import { frechetDistance } from './frechet-distance.js';
import { kernelDistance } from './kernel-distance.js';
import { memorizationDistance, memorizationInformed } from './memorization.js';

export interface SetDistancesOptions {
  generated: Features;
  real: Features;
  /** For KID's subsets; default 0. */
  seed?: number | undefined;
  /** MiFID's ε; default Kaggle's 0.1. */
  threshold?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface SetDistances {
  fid: number;
  kid: number;
  /** Standard deviation of KID over its subsets, where there are several. */
  kidDeviation?: number;
  mifid: number;
  /** MiFID's d before the threshold. */
  memorization: number;
}

/** @throws CycleganError `aborted` */
export async function setDistances(options: SetDistancesOptions): Promise<SetDistances> {
  const { generated, real, seed, threshold, signal } = options;
  const kid = await kernelDistance({ x: generated, y: real, seed, signal });
  const memorization = await memorizationDistance(generated, real, signal);
  const fid = await frechetDistance(generated, real, signal);
  return {
    fid,
    kid: kid.mean,
    ...(kid.deviation === undefined ? {} : { kidDeviation: kid.deviation }),
    mifid: memorizationInformed(fid, memorization, threshold),
    memorization,
  };
}

/** The fewest images of a set that have a covariance. */
export const FEWEST_IMAGES = 2;

/** A sentence for sets of images that are smaller than their features are many; undefined where they are not. */
export function tooFew(generated: number, real: number, dimensions: number): string | undefined {
  const fewest = Math.min(generated, real);
  if (fewest < FEWEST_IMAGES) {
    return `[train] evaluation: FID, KID and MiFID are left out: they need at least ${FEWEST_IMAGES} images of each set, got ${fewest}.`;
  }
  if (fewest >= dimensions) return undefined;
  return `[train] evaluation: FID of ${fewest} images in ${dimensions} dimensions is biased upwards, so compare it only with FIDs of as many; KID has no such bias. Take at least ${dimensions} images of each set for a FID to quote.`;
}
