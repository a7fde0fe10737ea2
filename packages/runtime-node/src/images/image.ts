/**
 * Image files, bytes and sharp pipelines to pixels and back: decoding is sharp's, off this thread. Everything
 * becomes upright 8-bit sRGB, with alpha where there was any.
 */
import {
  assertImageSize,
  CycleganError,
  MAX_PIXELS,
  type Pixels,
  type TranslatedPixels,
} from '@cyclegan/runtime-core';
import sharp, { type Sharp } from 'sharp';

/** A path, the bytes of an image file, or a sharp pipeline, which is left as it was. */
export type ImageInput = string | Uint8Array | Sharp;

/**
 * Decodes. EXIF orientation is applied, ICC profiles, CMYK, grey and 16 bits become 8-bit sRGB.
 * @returns RGB or RGBA in memory of their own
 * @throws CycleganError `input`, naming the file: not an image, truncated, or of a size that is refused (files and
 * bytes are refused before they are decoded)
 */
export async function readPixels(image: ImageInput): Promise<Pixels> {
  const what = typeof image === 'string' ? image : image instanceof Uint8Array ? 'bytes' : 'sharp pipeline';
  try {
    return await decode(image, what);
  } catch (cause) {
    if (cause instanceof CycleganError) throw cause;
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).trim().split('\n');
    throw new CycleganError(
      'input',
      `[image] ${what}: expected a whole image file (JPEG, PNG, WebP, TIFF, GIF, AVIF), got "${reason}". Replace or remove it.`,
      { cause },
    );
  }
}

async function decode(image: ImageInput, what: string): Promise<Pixels> {
  const encoded = typeof image === 'string' || image instanceof Uint8Array;
  if (encoded) {
    // The header's size, read without a limit, so that the refusal is ours and says what is allowed.
    assertImageSize(what, await sharp(image, { limitInputPixels: false }).metadata());
  }
  const pipeline = encoded ? sharp(image, { limitInputPixels: MAX_PIXELS }) : image.clone();
  const { data, info } = await pipeline
    .autoOrient()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toUint8Array();
  const { width, height, channels } = info;
  assertImageSize(what, info);
  return { width, height, channels, data };
}

/** Translated pixels as the start of a sharp pipeline: `.png()`, `.toFile(…)`, `.resize(…)` follow. */
export function toSharp({ data, width, height, channels }: TranslatedPixels): Sharp {
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: MAX_PIXELS });
}
