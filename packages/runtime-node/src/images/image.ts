/**
 * Image files, bytes and sharp pipelines to pixels: the one way that images are read here. Decoding is sharp's, off
 * this thread. Everything becomes upright 8-bit sRGB, with alpha where there was any. Encodes nothing.
 */
import {
  assertImageSize,
  CycleganError,
  isCycleganError,
  MAX_PIXELS,
  type Pixels,
  type TranslatedPixels,
} from '@cyclegan/runtime-core';
import type { Metadata, Sharp, SharpOptions } from 'sharp';
import type { ImageFormat } from './formats.js';
import { sharp } from './sharp.js';
import { identify } from './signature.js';

/** A path, the bytes of an image file, or a sharp pipeline, which is left as it was. */
export type ImageInput = string | Uint8Array | Sharp;

/** What is known of an image file before its pixels are decoded. */
export interface ImageHeader {
  source: string | Uint8Array;
  /** Names it in messages: the path, or `bytes`. */
  what: string;
  format: ImageFormat;
  /** As sharp read it; its `width` and `height` are one frame's, before orientation. */
  metadata: Metadata;
  /** Of one frame, upright. */
  width: number;
  height: number;
  /** Of an animation; 1 for everything else, many-paged TIFFs too: their first page is the image. */
  frames: number;
}

/** Frames one below the other, as sharp has animations; a still image is one frame. */
export interface Frames extends Pixels {
  channels: 3 | 4;
  data: Uint8Array;
  /** `height` is that of one frame. */
  frames: number;
}

/** More would be a video. */
const MAX_FRAMES = 4096;

/**
 * Decodes. EXIF orientation is applied, ICC profiles, CMYK, grey, float and 16 bits become 8-bit sRGB.
 * @returns RGB or RGBA in memory of their own
 * @throws CycleganError `input`, naming the file: not an image, truncated, or of a size that is refused (files and
 * bytes are refused before they are decoded)
 */
export async function readPixels(image: ImageInput): Promise<Pixels> {
  if (typeof image === 'string' || image instanceof Uint8Array) {
    const { width, height, channels, data } = await decode(await readHeader(image));
    return { width, height, channels, data };
  }
  const what = 'sharp pipeline';
  return readable(what, async () => {
    const pixels = await toRgb(image.clone().autoOrient());
    assertImageSize(what, pixels);
    return pixels;
  });
}

/**
 * Reads a file's header, and none of its pixels.
 * @throws CycleganError `input`, naming the file
 */
export async function readHeader(source: string | Uint8Array): Promise<ImageHeader> {
  const what = typeof source === 'string' ? source : 'bytes';
  return readable(what, async () => {
    const format = await identify(source);
    if (!format) throw new Error('unsupported image format');
    // Without a limit, so that the refusal is ours and says what is allowed.
    const metadata = await sharp(source, { limitInputPixels: false }).metadata();
    const animated = format === 'gif' || format === 'webp';
    const { width, height } = metadata.autoOrient;
    return { source, what, format, metadata, width, height, frames: animated ? (metadata.pages ?? 1) : 1 };
  });
}

export interface DecodeOptions {
  /** Scaled to cover this and cropped to it around the centre. */
  size?: { width: number; height: number } | undefined;
  /** Of an animation; default `first`. */
  frames?: 'first' | 'all' | undefined;
  /** Of all frames together; default and at most 100 megapixels. */
  maxPixels?: number | undefined;
}

/** @throws CycleganError `input`, naming the file: too small, too large, or damaged */
export async function decode(header: ImageHeader, options: DecodeOptions = {}): Promise<Frames> {
  const { source, what } = header;
  const { size, maxPixels = MAX_PIXELS } = options;
  const frames = options.frames === 'all' ? header.frames : 1;
  assertDecodable(header, { frames, maxPixels, size });
  return readable(what, async () => {
    const opened = openImage(source, { pages: frames === 1 ? 1 : -1 }).autoOrient();
    const sized = size ? opened.resize({ ...size, fit: 'cover' }) : opened;
    // sharp takes 16 bits with a profile to P3, and leaves them there unless it is told where to go on to.
    const wide = header.metadata.space === 'rgb16' && header.metadata.hasProfile;
    const pixels = await toRgb(wide ? sized.withIccProfile('srgb') : sized);
    return { ...pixels, height: pixels.height / frames, frames };
  });
}

/** How every file is opened: what is damaged is refused, never half decoded. */
export function openImage(source: string | Uint8Array, options: SharpOptions = {}): Sharp {
  return sharp(source, { ...options, failOn: 'warning', limitInputPixels: MAX_PIXELS, unlimited: false });
}

async function toRgb(image: Sharp): Promise<Omit<Frames, 'frames'>> {
  const { data, info } = await image.toColourspace('srgb').raw({ depth: 'uchar' }).toUint8Array();
  const { width, height, channels } = info;
  // Of more it is not known which one is alpha.
  if (channels !== 3 && channels !== 4) throw new Error(`${channels} channels`);
  return { width, height, channels, data };
}

function assertDecodable(
  { what, width, height }: ImageHeader,
  { frames, maxPixels, size }: { frames: number; maxPixels: number; size: DecodeOptions['size'] },
): void {
  assertImageSize(what, { width, height });
  const pixels = frames * Math.max(width * height, size ? size.width * size.height : 0);
  const most = Math.min(maxPixels, MAX_PIXELS);
  if (pixels <= most && frames <= MAX_FRAMES) return;
  const shape = frames === 1 ? `${width}x${height}` : `${frames} frames of ${width}x${height}`;
  const to = size ? ` to be scaled to ${size.width}x${size.height}` : '';
  throw new CycleganError(
    'input',
    `[image] ${what}: expected at most ${most / 1e6} megapixels in at most ${MAX_FRAMES} frames, got ${shape}${to}. Scale or shorten it first.`,
  );
}

/** What fails in `read` as one sentence about the file. */
export async function readable<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (isCycleganError(cause)) throw cause;
    throw new CycleganError(
      'input',
      `[image] ${what}: expected a whole image file (JPEG, PNG, WebP, TIFF, GIF, AVIF), got "${sharpReason(cause)}". Replace or remove it.`,
      { cause },
    );
  }
}

/** The first thing that sharp or libvips says, in one line. */
export function sharpReason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const [line = ''] = text
    .replace(/^Input (?:buffer|file) has corrupt header:/, '')
    .trim()
    .split('\n');
  return line.slice(0, 200) || 'a corrupt header';
}

/** Translated pixels as the start of a sharp pipeline: `.png()`, `.toFile(…)`, `.resize(…)` follow. */
export function toSharp({ data, width, height, channels }: TranslatedPixels): Sharp {
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: MAX_PIXELS });
}
