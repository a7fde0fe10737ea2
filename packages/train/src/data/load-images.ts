/**
 * Images for looking and measuring: the whole of each, resized, never cropped or flipped, so that every run shows
 * the same.
 */
import { CycleganError } from '@cyclegan/runtime-core';
import { type Channels, writeCrop } from '../feed/augment.js';
import type { Size } from '../feed/geometry.js';
import { decodePicture, type Encoded, type Header, readFailure, readHeader } from './decode.js';
import type { ImageSet } from './image-set.js';

/** More than this is to be loaded in parts. */
const MAX_BYTES = 2 ** 31;

/** What images are brought to. */
export interface LoadShape extends Size {
  channels: Channels;
}

/** Images that were loaded, and which. */
export interface LoadedImages {
  /** [count, channels, height, width] on [−1, 1]; the caller's. */
  images: Float32Array;
  /** Their names in the set. */
  files: string[];
}

/**
 * Some images of a set, each stretched to the shape by bicubic interpolation.
 * @param count how many, spread evenly over the set; default all. Not more than the set has.
 * @throws CycleganError `input` naming an image that cannot be read; `usage` for more than 2 GiB of them
 */
export async function loadImages(
  set: ImageSet,
  { count = set.files.length, ...shape }: LoadShape & { count?: number | undefined },
): Promise<LoadedImages> {
  const wanted = Math.min(count, set.files.length);
  const elements = shape.channels * shape.height * shape.width;
  if (wanted * elements * Float32Array.BYTES_PER_ELEMENT > MAX_BYTES) {
    throw new CycleganError(
      'usage',
      `[train] folder ${set.domain}, ${set.path}: expected at most ${Math.floor(MAX_BYTES / elements / 4)} images of ${shape.width}×${shape.height} at once, got ${wanted}. Load fewer.`,
    );
  }
  const loaded: LoadedImages = { images: new Float32Array(wanted * elements), files: [] };
  for (let item = 0; item < wanted; item++) {
    const index = Math.floor((item * set.files.length) / wanted);
    loaded.images.set(await loadImage(set, index, shape), item * elements);
    loaded.files.push(set.files[index] ?? '');
  }
  return loaded;
}

/**
 * One image of a set, stretched to the shape by bicubic interpolation.
 * @returns [1, channels, height, width] on [−1, 1]; the caller's
 * @throws CycleganError `input` naming an image that cannot be read
 */
export function loadImage(set: ImageSet, index: number, shape: LoadShape): Promise<Float32Array> {
  const name = `${set.path}, ${set.files[index]}`;
  return load(name, shape, async () => ({ header: await set.header(index), image: await set.read(index) }));
}

/**
 * One image file in colour, stretched to a square by bicubic interpolation.
 * @returns [1, 3, size, size] on [−1, 1], RGB; the caller's
 * @throws CycleganError `input` for a file that cannot be read
 */
export function loadTestImage(path: string, size: number): Promise<Float32Array> {
  const shape: LoadShape = { height: size, width: size, channels: 3 };
  return load(path, shape, async () => ({ header: await readHeader(path), image: path }));
}

async function load(
  name: string,
  shape: LoadShape,
  read: () => Promise<{ header: Header; image: Encoded }>,
): Promise<Float32Array> {
  const { height, width, channels } = shape;
  try {
    const { header, image } = await read();
    const picture = await decodePicture(image, { height, width, deep: header.deep });
    const target = new Float32Array(channels * height * width);
    writeCrop({
      picture,
      crop: { left: 0, top: 0, flip: false },
      size: { height, width },
      channels,
      target,
      item: 0,
    });
    return target;
  } catch (cause) {
    throw new CycleganError(
      'input',
      `[train] image: expected one that can be read, got ${name}, which ${readFailure(cause)}. Check the file.`,
      { cause },
    );
  }
}
