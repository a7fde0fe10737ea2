/**
 * What an image is in the browser, and taking hold of one at the moment of the call: a video plays on and a canvas
 * is drawn over while earlier images still wait. Reads no pixels; that is the decode worker's part.
 */
import { CycleganError, type Pixels } from '@cyclegan/runtime-core';

/** Blobs (and so Files) are decoded with their EXIF orientation; elements give what they show now. */
export type ImageSource =
  | Blob
  | ImageData
  | ImageBitmap
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | HTMLVideoElement
  | VideoFrame;

/** A file still to be decoded, a picture still to be read, or pixels; the holder owns it. */
export type Snapshot = Blob | ImageBitmap | Pixels;

/** How every picture is opened: upright, in sRGB, and with the colours under its alpha untouched. */
export const BITMAP_OPTIONS: ImageBitmapOptions = {
  imageOrientation: 'from-image',
  premultiplyAlpha: 'none',
  colorSpaceConversion: 'default',
};

/** @throws CycleganError `input` for what holds no picture */
export async function snapshot(image: ImageSource): Promise<Snapshot> {
  if (image instanceof Blob) return image;
  if (image instanceof ImageData && image.colorSpace === 'srgb' && image.data instanceof Uint8ClampedArray) {
    return { width: image.width, height: image.height, channels: 4, data: image.data.slice() };
  }
  try {
    // An element whose file is still on its way shows nothing yet.
    if (globalThis.HTMLImageElement && image instanceof HTMLImageElement) await image.decode();
    return await createImageBitmap(image, BITMAP_OPTIONS);
  } catch (cause) {
    throw unreadableImage(Object.prototype.toString.call(image).slice(8, -1), cause);
  }
}

export function unreadableImage(what: string, cause: unknown): CycleganError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CycleganError(
    'input',
    `[image] ${what}: expected a picture that this browser can read, got "${reason}". Use PNG, JPEG or WebP.`,
    { cause },
  );
}
