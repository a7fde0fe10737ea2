/**
 * One image file to RGB pixels, through sharp. Every file, whatever its kind, comes out as three 8-bit sRGB
 * channels, upright, on white. Not the augmentation: see augment.ts.
 */
import sharp from 'sharp';

/** Larger images are refused from their header, before any pixel is decoded. */
export const MAX_PIXELS = 100_000_000;

/** Shorter sides carry nothing that could be learned from. */
export const MIN_SIDE = 8;

/**
 * The picture, stretched to a square by bicubic interpolation (antialiased when it shrinks), as the reference's
 * `resize_and_crop` does first.
 *
 * One native call, so that it goes on while the JavaScript thread is busy with a training step.
 * @returns side · side · 3 bytes, RGB interleaved, rows from the top; the caller's
 * @throws what sharp throws for a file that is missing, damaged, truncated or over {@link MAX_PIXELS}
 */
export function decodeSquare(file: string, side: number): Promise<Uint8Array> {
  return sharp(file, { failOn: 'truncated', limitInputPixels: MAX_PIXELS, sequentialRead: true })
    .autoOrient()
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .resize(side, side, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer();
}

/**
 * Reads a file to its end, shrinking on the way, so that a truncated one is found before training.
 * @returns why the file cannot be used, or undefined when it can
 */
export async function whyUnusable(file: string): Promise<string | undefined> {
  try {
    const { format, width, height } = await sharp(file, { limitInputPixels: false }).metadata();
    if (format === 'svg') return 'is a drawing (SVG), not an image of pixels';
    if (width * height > MAX_PIXELS) {
      return `has ${width}×${height} pixels, more than the ${MAX_PIXELS / 1e6} million allowed`;
    }
    if (Math.min(width, height) < MIN_SIDE) {
      return `has ${width}×${height} pixels, less than ${MIN_SIDE} on a side`;
    }
    await decodeSquare(file, MIN_SIDE);
    return undefined;
  } catch (error) {
    return readFailure(error);
  }
}

/** Says in a few words why sharp could not read a file. */
export function readFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/missing/.test(message)) return 'is not there any more';
  if (/unsupported image format/.test(message)) return 'is not an image that can be read, whatever its name';
  // libvips has one error text for all threads: where several files fail at once, it may be gone.
  if (/premature end|read error|truncat|corrupt|unknown error/i.test(message)) {
    return `is damaged or cut short (${firstLine(message)})`;
  }
  return `cannot be read (${firstLine(message)})`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
