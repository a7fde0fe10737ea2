/** What must be right of a page's images before any is copied. Reads no pixels. */
import { assertImageSize, CycleganError } from '@cyclegan/runtime-core';
import { MAX_IMAGES, MAX_SAMPLES, type TrainingImage } from './options.js';
import type { ImageSetName } from './protocol.js';

/** As in image files; longer ones are no pictures. */
const MAX_SIDE = 65_535;

const words: Readonly<Record<ImageSetName, string>> = {
  a: 'image of A',
  b: 'image of B',
  sampleA: 'sample of A',
  sampleB: 'sample of B',
};

/** @throws CycleganError `input` naming the first image that cannot be taken */
export function checkSets(sets: Readonly<Record<ImageSetName, readonly TrainingImage[]>>): void {
  for (const [name, images] of Object.entries(sets) as [ImageSetName, readonly TrainingImage[]][]) {
    const isSample = name === 'sampleA' || name === 'sampleB';
    const [least, most] = isSample ? [0, MAX_SAMPLES] : [2, MAX_IMAGES];
    const count = Array.isArray(images) ? images.length : undefined;
    if (count === undefined || count < least || count > most) {
      const got = count ?? (images === undefined ? 'none' : 'no list');
      throw refused(`${words[name].replace(' ', 's ')}`, `from ${least} to ${most}`, `${got}`);
    }
    for (const [i, image] of images.entries()) checkImage(words[name].replace(' ', ` ${i + 1} `), image);
  }
}

function checkImage(what: string, image: TrainingImage): void {
  if (typeof image !== 'object' || image === null) {
    throw refused(what, 'pixels', image === null ? 'null' : typeof image);
  }
  assertImageSize(what, image);
  const { width, height } = image;
  if (!Number.isInteger(width) || !Number.isInteger(height) || Math.max(width, height) > MAX_SIDE) {
    throw refused(what, `whole sides of at most ${MAX_SIDE} px`, `${width}x${height}`);
  }
  if (image instanceof ImageBitmap) return;
  const { data } = image;
  const channels = 'channels' in image ? image.channels : 4;
  const isBytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  if (!isBytes || ![1, 2, 3, 4].includes(channels) || data.length !== width * height * channels) {
    const got = isBytes ? `${data.length} bytes` : 'other values';
    throw refused(what, 'one byte for each of 1 to 4 channels', `${width}x${height}x${channels} and ${got}`);
  }
}

function refused(what: string, expected: string, got: string): CycleganError {
  return new CycleganError('input', `[train] ${what}: expected ${expected}, got ${got}. Give other images.`);
}
