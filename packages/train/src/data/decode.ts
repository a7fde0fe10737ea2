/**
 * Image files to pixels in memory, by sharp: whatever colours, depth or transparency a file has, and however its
 * camera was held, comes out as three sRGB channels, upright, on white; 8 bits each, or 16 where the file has 16. Not
 * the augmentation: see feed/augment.ts.
 */
import sharp from 'sharp';
import type { Picture } from '../feed/augment.js';
import type { Size } from '../feed/geometry.js';

/** Larger images are refused from their header, before any pixel is decoded. */
export const MAX_PIXELS = 100_000_000;

/** Shorter sides carry nothing that could be learned from. */
export const MIN_SIDE = 8;

/** An image as it is stored: the path of a file, or its encoded bytes. */
export type Encoded = string | Uint8Array;

/** What an image's header says. */
export interface Header extends Size {
  /** Whether its values have 16 bits. */
  deep: boolean;
}

/** An image that is there but cannot be used; the message says why, as `file … <message>`. */
export class UnusableImage extends Error {
  override readonly name = 'UnusableImage';
}

/**
 * Height and width as the image is looked at: upright.
 * @throws UnusableImage for what can never be trained on; what sharp throws for a file that is missing or no image
 */
export async function readHeader(image: Encoded): Promise<Header> {
  const { format, depth, autoOrient } = await sharp(image, { limitInputPixels: false }).metadata();
  const { height, width } = autoOrient;
  if (format === 'svg') throw new UnusableImage('is a drawing (SVG), not an image of pixels');
  if (width * height > MAX_PIXELS) {
    throw new UnusableImage(
      `has ${width}×${height} pixels, more than the ${MAX_PIXELS / 1e6} million allowed`,
    );
  }
  if (Math.min(width, height) < MIN_SIDE) {
    throw new UnusableImage(`has ${width}×${height} pixels, less than ${MIN_SIDE} on a side`);
  }
  if (depth !== 'uchar' && depth !== 'ushort') {
    throw new UnusableImage(`holds values of type ${depth}, not whole numbers of 8 or 16 bits; convert it`);
  }
  return { height, width, deep: depth === 'ushort' };
}

/**
 * The picture, stretched to `height` × `width` by bicubic interpolation (Catmull-Rom). Shrinking is antialiased and,
 * up to a quarter, Pillow's; further down whole pixels are averaged first, by libvips. Enlarging, libvips places the
 * picture half a pixel of the result to the right and down.
 *
 * One native call, so that it goes on while the JavaScript thread is busy with a training step.
 * @param deep keep 16 bits a value, as {@link Header} says
 * @returns the caller's
 * @throws UnusableImage for a picture or a file over {@link MAX_PIXELS}; what sharp throws for a file that is missing,
 *   damaged or truncated
 */
export async function decodePicture(image: Encoded, { height, width, deep }: Header): Promise<Picture> {
  if (height * width > MAX_PIXELS) {
    throw new UnusableImage(
      `would have ${width}×${height} pixels after resizing, more than the ${MAX_PIXELS / 1e6} million allowed`,
    );
  }
  const bytes = await sharp(image, {
    failOn: 'truncated',
    limitInputPixels: MAX_PIXELS,
    sequentialRead: true,
  })
    .autoOrient()
    .flatten({ background: '#fff' })
    .toColourspace(deep ? 'rgb16' : 'srgb')
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .raw({ depth: deep ? 'ushort' : 'uchar' })
    .toBuffer();
  const pixels = deep
    ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / Uint16Array.BYTES_PER_ELEMENT)
    : bytes;
  return { height, width, pixels };
}

/**
 * Reads a file to its end, shrinking on the way, so that a truncated one is found before training.
 * @returns what its header says, or why the file cannot be used
 */
export async function inspect(read: () => Promise<Encoded>): Promise<Header | string> {
  try {
    const image = await read();
    const header = await readHeader(image);
    await decodePicture(image, { height: MIN_SIDE, width: MIN_SIDE, deep: false });
    return header;
  } catch (error) {
    return readFailure(error);
  }
}

/** Says in a few words why an image could not be read. */
export function readFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UnusableImage) return message;
  if (/missing|ENOENT/.test(message)) return 'is not there any more';
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
