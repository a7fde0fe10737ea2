/**
 * Translated frames to the bytes of an image file: format, quality, background, and what is kept of the input. Reads
 * no images.
 */
import { CycleganError, MAX_PIXELS } from '@cyclegan/runtime-core';
import type { Sharp } from 'sharp';
import type { ImageFormat } from './formats.js';
import { type Frames, sharpReason } from './image.js';
import { type KeptMetadata, withProfileFile } from './kept.js';
import { sharp } from './sharp.js';

export interface EncodeOptions {
  /** Names the image in messages. */
  what: string;
  frames: Frames;
  format: ImageFormat;
  quality: number | undefined;
  /** A CSS colour, for what shows through where the format has no alpha. */
  background: string;
  /** As `readMetadata` gives it. */
  metadata?: KeptMetadata | undefined;
  /** ICC; left out: sRGB, which needs none. */
  profile?: Uint8Array | undefined;
  /** Of an animation: milliseconds of each frame, and how often it is shown, 0 for ever. */
  animation?: { delay: number[] | undefined; loop: number | undefined } | undefined;
}

/** @throws CycleganError `output` */
export async function encodeFrames(options: EncodeOptions): Promise<Uint8Array> {
  const { frames, format, background, profile } = options;
  const flat = format === 'jpg' && frames.channels === 4 ? await flatten(frames, background) : frames;
  const image = withMetadata(flat, options.metadata);
  try {
    const encode = async (pipeline: Sharp) => (await inFormat(pipeline, options).toUint8Array()).data;
    if (!profile) return await encode(image);
    return await withProfileFile(profile, (path) => encode(image.withIccProfile(path)));
  } catch (cause) {
    if (cause instanceof CycleganError) throw cause;
    throw new CycleganError(
      'output',
      `[image] ${options.what}: expected ${frames.width}x${frames.height} to be written as ${format}, got "${sharpReason(cause)}". Choose another format.`,
      { cause },
    );
  }
}

function rawOf({ width, height, channels, frames }: Frames) {
  const raw = { width, height: height * frames, channels };
  return { raw: frames === 1 ? raw : { ...raw, pageHeight: height }, limitInputPixels: MAX_PIXELS };
}

async function flatten(frames: Frames, background: string): Promise<Frames> {
  const image = sharp(frames.data, rawOf(frames)).flatten({ background });
  const { data } = await image.raw().toUint8Array();
  return { ...frames, channels: 3, data };
}

/** A black image that has the metadata, or-ed with the pixels: the one way in which sharp joins the two. */
function withMetadata(frames: Frames, metadata: KeptMetadata | undefined): Sharp {
  if (!metadata) return sharp(frames.data, rawOf(frames));
  const options = rawOf(frames);
  const { width, height } = options.raw;
  const black = sharp(metadata.jpeg).resize(width, height, { fit: 'fill', kernel: 'nearest' });
  const clear = { raw: { width, height, channels: 1 as const } };
  const based = frames.channels === 4 ? black.joinChannel(Buffer.alloc(width * height), clear) : black;
  const pixels = Buffer.from(frames.data.buffer, frames.data.byteOffset, frames.data.length);
  const joined = based.boolean(pixels, 'or', options).keepMetadata();
  return metadata.xmp ? joined.withXmp(metadata.xmp) : joined;
}

function inFormat(image: Sharp, { format, quality, animation, frames }: EncodeOptions): Sharp {
  const timing = frames.frames > 1 && animation ? animation : {};
  switch (format) {
    case 'jpg': {
      const q = quality ?? 92;
      // As libvips does when it is left to choose: who asks for 90 wants clean edges between colours.
      return image.jpeg({ quality: q, chromaSubsampling: q >= 90 ? '4:4:4' : '4:2:0' });
    }
    case 'webp':
      // WebP always halves colours; this way their edges stay.
      return image.webp({ quality: quality ?? 92, smartSubsample: true, ...timing });
    case 'avif':
      // Looks as good as WebP at 92 in fewer bytes; more effort takes eight times as long to save a fiftieth.
      return image.avif({ quality: quality ?? 80, effort: 2 });
    case 'tiff':
      return image.tiff({ compression: 'deflate', predictor: 'horizontal' });
    case 'gif':
      // Equal frames stay frames, so that there are as many as there were.
      return image.gif({ keepDuplicateFrames: true, ...timing });
    case 'png':
      return image.png();
  }
}
