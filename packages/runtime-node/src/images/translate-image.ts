/**
 * One image file through a translator, still or animated: bytes or a path in, the bytes of a translated image file
 * out. What folders, the server and the fleet share; writes no files.
 */
import {
  assertImageSize,
  type CallOptions,
  CycleganError,
  type Frame,
  throwIfAborted,
} from '@cyclegan/runtime-core';
import type { NodeTranslator } from '../translator/translator.js';
import { encodeFrames } from './encode.js';
import { assertFits, holdsAnimation, type ImageFormat, mediaType, type OutputFormat } from './formats.js';
import { decode, readHeader, sharpReason } from './image.js';
import { profileFor, readMetadata } from './kept.js';
import { sharp } from './sharp.js';
import { translateFrames } from './translate-frames.js';

export interface ImageOptions {
  /** Default `keep`. */
  format?: OutputFormat | undefined;
  /** 1 to 100, for JPEG and WebP (default 92) and AVIF (default 80); what the others lose does not depend on it. */
  quality?: number | undefined;
  /** The image is scaled to cover and cropped to this before it is translated; left out: its own size. */
  size?: { width: number; height: number } | undefined;
  /** EXIF without its thumbnail, XMP and IPTC; default `strip`. */
  metadata?: 'strip' | 'keep' | undefined;
  /** `keep`: written in the input's ICC profile, where the format can; default `srgb`. */
  profile?: 'srgb' | 'keep' | undefined;
  /** What shows through in JPEG, which has no alpha: a CSS colour; default white. */
  background?: string | undefined;
  /** Of an animation's statistics, 0 (none, the default) to below 1; where the bundle has the pair for tiles. */
  smoothing?: number | undefined;
  /** Of all frames together, before and after scaling; default and at most 100 megapixels. */
  maxPixels?: number | undefined;
}

export interface TranslatedImage {
  data: Uint8Array;
  format: ImageFormat;
  /** The media type, as `image/png`. */
  type: string;
  /** Of one frame. */
  width: number;
  height: number;
  /** 1 for a still image. */
  frames: number;
  /** Milliseconds of each stage, of all frames together; `wait` is for the translator's turn. */
  ms: { decode: number; wait: number; run: number; encode: number };
}

/**
 * From an image file's bytes or path to a translated image file's bytes. Animated GIF and WebP stay animated where the
 * output is one of both; `onProgress` then counts frames, else tiles.
 * @throws CycleganError `input` (not an image, damaged, too small or too large), `usage` (an option), `aborted`, and
 * what the translator throws
 */
export async function translateImage(
  translator: NodeTranslator,
  image: string | Uint8Array,
  options: ImageOptions & CallOptions = {},
): Promise<TranslatedImage> {
  assertOptions(options);
  const { quality, size, background = '#ffffff', smoothing = 0, maxPixels, signal, onProgress } = options;
  throwIfAborted(signal, '[translate] image');
  const clock = createClock();

  const header = await readHeader(image);
  const format = options.format && options.format !== 'keep' ? options.format : header.format;
  assertFits(header.what, format, size ?? header);
  const decoded = await decode(header, { size, maxPixels, frames: holdsAnimation(format) ? 'all' : 'first' });
  const metadata = options.metadata === 'keep' ? await readMetadata(header) : undefined;
  const profile = options.profile === 'keep' ? profileFor(format, header.metadata) : undefined;
  const decodeMs = clock();
  throwIfAborted(signal, '[translate] image');

  let waitMs = 0;
  let runMs = 0;
  const onFrame = (frame: Frame) => {
    waitMs += frame.waitMs;
    runMs += frame.runMs;
  };
  const frames = await translateFrames({
    translator,
    frames: decoded,
    smoothing,
    signal,
    onProgress,
    onFrame,
  });
  throwIfAborted(signal, '[translate] image');

  clock();
  const { delay, loop } = header.metadata;
  const data = await encodeFrames({
    what: header.what,
    frames,
    format,
    quality,
    background,
    metadata,
    profile,
    animation: { delay, loop },
  });
  return {
    data,
    format,
    type: mediaType(format),
    width: frames.width,
    height: frames.height,
    frames: frames.frames,
    ms: { decode: decodeMs, wait: waitMs, run: runMs, encode: clock() },
  };
}

/** Milliseconds since it was last asked. */
function createClock(): () => number {
  let last = performance.now();
  return () => {
    const before = last;
    last = performance.now();
    return last - before;
  };
}

function assertOptions({ quality, size, background, smoothing, maxPixels }: ImageOptions): void {
  const whole = (value: number, most: number) => Number.isSafeInteger(value) && value >= 1 && value <= most;
  if (quality !== undefined && !whole(quality, 100))
    throw wrong('quality', 'a whole number from 1 to 100', quality);
  if (maxPixels !== undefined && !whole(maxPixels, Number.MAX_SAFE_INTEGER)) {
    throw wrong('maxPixels', 'a positive whole number', maxPixels);
  }
  if (smoothing !== undefined && !(smoothing >= 0 && smoothing < 1)) {
    throw wrong('smoothing', 'a number from 0 to below 1', smoothing);
  }
  if (size !== undefined) {
    if (!whole(size.width, 2 ** 31) || !whole(size.height, 2 ** 31)) {
      throw wrong('size', 'whole numbers of pixels', `${size.width}x${size.height}`);
    }
    assertImageSize('size', size);
  }
  if (background !== undefined) {
    try {
      sharp().flatten({ background });
    } catch (cause) {
      throw wrong('background', 'a CSS colour as "#ffffff"', sharpReason(cause));
    }
  }
}

function wrong(what: string, expected: string, got: string | number): CycleganError {
  return new CycleganError(
    'usage',
    `[image] ${what}: expected ${expected}, got ${got}. Leave it out for the default.`,
  );
}
