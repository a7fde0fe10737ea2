/**
 * What the server takes at most, and what it does with more. The numbers only; each is kept where its thing is done.
 */
import { CycleganError, MAX_PIXELS } from '@cyclegan/runtime-core';

export interface Limits {
  /** Bytes of one image file; 413 above. */
  imageBytes: number;
  /** Pixels of one image, all frames of an animation together, at most 100 megapixels; 413 above. */
  pixels: number;
  /** Images that wait for their turn; 503 with Retry-After above. */
  queue: number;
  /** Bytes of all images that were received and are not answered yet; 503 with Retry-After above. */
  pendingBytes: number;
  /** Seconds from an image's arrival to its answer; 503 after. */
  seconds: number;
  /** Seconds that a request may take to arrive; 408 after. Its headers get ten of them at most. */
  uploadSeconds: number;
  /** Open connections; one more is closed at once. */
  connections: number;
  /** Bytes of answers that are kept for requests repeated with their Idempotency-Key. */
  keptBytes: number;
  /** Seconds that such an answer is kept. */
  keptSeconds: number;
}

export const DEFAULT_LIMITS: Readonly<Limits> = {
  imageBytes: 32 * 2 ** 20,
  pixels: 40_000_000,
  queue: 64,
  pendingBytes: 256 * 2 ** 20,
  seconds: 60,
  uploadSeconds: 60,
  connections: 2000,
  keptBytes: 64 * 2 ** 20,
  keptSeconds: 600,
};

/** A day: far below what a timer takes as milliseconds. */
export const MOST_SECONDS = 86_400;

/**
 * The defaults with what was given in their place.
 * @throws CycleganError `usage` for a limit that is no whole number of at least 1, or for more pixels than any image may
 * have
 */
export function completeLimits(given: Partial<Limits> = {}): Limits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const [name, value] of Object.entries(limits)) {
    assertWhole(`limits.${name}`, value, 1, mostOf(name));
  }
  // Fewer would refuse every image of the size that is allowed.
  return { ...limits, pendingBytes: Math.max(limits.pendingBytes, limits.imageBytes) };
}

function mostOf(limit: string): number {
  if (limit === 'pixels') return MAX_PIXELS;
  return /seconds$/i.test(limit) ? MOST_SECONDS : Number.MAX_SAFE_INTEGER;
}

/** @throws CycleganError `usage` */
export function assertWhole(option: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new CycleganError(
    'usage',
    `[server] ${option}: expected a whole number from ${least} to ${most}, got ${value}. Leave it out for the default.`,
  );
}
