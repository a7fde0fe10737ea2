/**
 * The worker that reads pictures, so that neither decoding a photograph nor reading back its pixels holds up the
 * page, and both go on while the model runs. A worker's entry; not to be imported.
 */
import { assertImageSize, connect, type Pixels } from '@cyclegan/runtime-core';
import { imageSize } from 'image-size';
import { BITMAP_OPTIONS, unreadableImage } from './image.js';
import { readPixels } from './read-pixels.js';
import { workerPort } from './worker-port.js';

export interface DecodeFunctions {
  /** @throws CycleganError `input` for a file that is no picture, or one of a size that is not taken */
  decode(image: Blob | ImageBitmap): Promise<Pixels>;
}

async function decode(image: Blob | ImageBitmap): Promise<Pixels> {
  const bitmap = image instanceof Blob ? await decodeFile(image) : image;
  try {
    assertImageSize('picture', bitmap);
    return readPixels(bitmap);
  } finally {
    bitmap.close();
  }
}

async function decodeFile(file: Blob): Promise<ImageBitmap> {
  const what = file instanceof File ? file.name : 'file';
  const announced = sizeInHeader(new Uint8Array(await file.arrayBuffer()));
  if (announced) assertImageSize(what, announced);
  try {
    return await createImageBitmap(file, BITMAP_OPTIONS);
  } catch (cause) {
    throw unreadableImage(what, cause);
  }
}

/** What the file says of itself before anything is decoded; undefined for a format that is not known here. */
function sizeInHeader(bytes: Uint8Array): { width: number; height: number } | undefined {
  try {
    return imageSize(bytes);
  } catch {
    return undefined;
  }
}

connect<object, DecodeFunctions>({ decode }, workerPort());
