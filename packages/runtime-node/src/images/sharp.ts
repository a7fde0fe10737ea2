/**
 * sharp, loaded with its libraries when it is first called: a program's worker then starts beside it, and not after.
 */
import { createRequire } from 'node:module';
import type { default as Sharp } from 'sharp';

let loaded: typeof Sharp | undefined;

/** Loads sharp now; takes some 50 ms of this thread the first time. */
export function loadSharp(): typeof Sharp {
  loaded ??= createRequire(import.meta.url)('sharp') as typeof Sharp;
  return loaded;
}

/** Loads it ahead of its use, which is where it is told if that fails. */
export function preloadSharp(): void {
  try {
    loadSharp();
  } catch {}
}

/** As sharp itself. */
export function sharp(...options: Parameters<typeof Sharp>): ReturnType<typeof Sharp> {
  return loadSharp()(...options);
}
