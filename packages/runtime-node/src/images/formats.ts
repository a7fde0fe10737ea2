/**
 * The formats that images are written in: their names, media types and limits. Reads and writes nothing.
 */
import { CycleganError } from '@cyclegan/runtime-core';

export type ImageFormat = 'png' | 'jpg' | 'webp' | 'avif' | 'tiff' | 'gif';

/** `keep` writes the format that was read; HEIC, which nobody here can write, becomes AVIF. */
export type OutputFormat = 'keep' | ImageFormat;

interface FormatFacts {
  type: string;
  /** The longest side that a file of it can have. */
  maxSide: number;
  animated: boolean;
}

const FACTS: Record<ImageFormat, FormatFacts> = {
  png: { type: 'image/png', maxSide: 2 ** 31 - 1, animated: false },
  jpg: { type: 'image/jpeg', maxSide: 65_535, animated: false },
  webp: { type: 'image/webp', maxSide: 16_383, animated: true },
  avif: { type: 'image/avif', maxSide: 16_384, animated: false },
  tiff: { type: 'image/tiff', maxSide: 2 ** 31 - 1, animated: false },
  gif: { type: 'image/gif', maxSide: 65_535, animated: true },
};

/** As HTTP names it: `image/jpeg`. */
export function mediaType(format: ImageFormat): string {
  return FACTS[format].type;
}

/** Whether animations are written as such; other formats get the first frame. */
export function holdsAnimation(format: ImageFormat): boolean {
  return FACTS[format].animated;
}

/**
 * To be called before an image is translated, not after.
 * @param what the file, for the message
 * @throws CycleganError `input`
 */
export function assertFits(
  what: string,
  format: ImageFormat,
  { width, height }: { width: number; height: number },
): void {
  const { maxSide } = FACTS[format];
  if (width > maxSide || height > maxSide) {
    throw new CycleganError(
      'input',
      `[image] ${what}: expected sides of at most ${maxSide} px for ${format}, got ${width}x${height}. Choose png, or a size.`,
    );
  }
}
