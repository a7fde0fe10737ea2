/**
 * Frames of one sequence through a translator, in order, normalised by smoothed statistics so that tones do not flicker.
 * Where the bundle has no pair for tiles, or smoothing is off, each frame is translated by itself.
 */
import { createSmoothing, type Pixels, selectPair, type TranslatedPixels } from '@cyclegan/runtime-core';
import type { NodeTranslator } from '../translator/translator.js';

export interface FrameTranslator {
  /** Frames may be handed in before earlier ones are done; their buffers are taken. Order of calls is order of frames. */
  translate(pixels: Pixels): Promise<TranslatedPixels>;
  /** Frames at which another scene began, besides the first. */
  cuts(): number;
}

/** @param options.strength 0 (none) to below 1; see {@link canSmooth} */
export function createFrameTranslator(options: {
  translator: Pick<NodeTranslator, 'translatePixels' | 'statistics'>;
  strength: number;
  signal?: AbortSignal | undefined;
}): FrameTranslator {
  const { translator, strength, signal } = options;
  if (strength === 0) {
    return {
      translate: async (pixels) => (await translator.translatePixels(pixels, { signal })).pixels,
      cuts: () => 0,
    };
  }
  const smoothing = createSmoothing({ strength });
  let cuts = 0;
  // Statistics are taken side by side, and mixed in the order of the frames.
  let last: Promise<unknown> = Promise.resolve();

  return {
    async translate(pixels) {
      // Each of the two calls takes its buffer.
      const own = translator.statistics({ ...pixels, data: pixels.data.slice() }, { signal });
      const mixed = Promise.all([own, last]).then(([statistics]) => smoothing.next(statistics));
      last = mixed.catch(() => undefined);
      const { statistics, cut } = await mixed;
      if (cut) cuts += 1;
      return (await translator.translatePixels(pixels, { statistics, signal })).pixels;
    },
    cuts: () => cuts,
  };
}

/** Whether the bundle has the pair for tiles of the translator's model, by which statistics are taken and given. */
export function canSmooth({ info }: Pick<NodeTranslator, 'info'>): boolean {
  return selectPair(info.manifest, info) !== null;
}
