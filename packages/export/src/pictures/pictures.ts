/**
 * Pictures that models are calibrated, measured and shown on: from a folder of images, else synthetic ones. Knows no
 * models.
 */
import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Tensor } from '@cyclegan/model';
import {
  CycleganError,
  type Direction,
  type ModelEntry,
  type Pixels,
  paddedSide,
  toPlanes,
} from '@cyclegan/runtime-core';
import { readPixels } from '@cyclegan/runtime-node';
import sharp from 'sharp';
import { tensorOf } from '../ort/planes.js';
import { testPicture } from './test-picture.js';

/** What the folders of the field's data sets are called, for the domain that a direction translates from. */
const domainFolders: Readonly<Record<Direction, readonly string[]>> = {
  AtoB: ['trainA', 'testA', 'valA', 'A'],
  BtoA: ['trainB', 'testB', 'valB', 'B'],
};

const IMAGE_EXTENSIONS = new Set([
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.tif',
  '.tiff',
  '.gif',
  '.avif',
  '.bmp',
]);

/** Where the pictures of a direction come from. */
export interface PictureSource {
  /** Null: synthetic ones. */
  readonly folder: string | null;
  /** In the order to take them. */
  readonly files: readonly string[];
}

export const SYNTHETIC: PictureSource = { folder: null, files: [] };

/**
 * Looks for a direction's images: in the folder's `trainA`, `testA`, `valA` or `A` (`B` for BtoA) where it has one, else
 * in the folder itself. Of more than `most` as many are taken, spread evenly over their names.
 * @throws CycleganError `input` for a folder that cannot be read, or has no images
 */
export async function findPictures(
  folder: string,
  direction: Direction,
  most: number,
): Promise<PictureSource> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const names = new Set(entries.map(({ name }) => name));
    const own = domainFolders[direction].find((name) => names.has(name));
    const place = own === undefined ? folder : join(folder, own);
    const found = await readdir(place, { recursive: true, withFileTypes: true });
    const files = found
      .filter(({ name }) => !name.startsWith('.') && IMAGE_EXTENSIONS.has(extname(name).toLowerCase()))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    if (files.length === 0) throw refused(place, 'none');
    const count = Math.min(most, files.length);
    const spread = Array.from({ length: count }, (_, i) => Math.floor((i * files.length) / count));
    return { folder: place, files: spread.flatMap((at) => files[at] ?? []) };
  } catch (cause) {
    if (cause instanceof CycleganError) throw cause;
    throw refused(folder, `"${cause instanceof Error ? cause.message : cause}"`, cause);
  }
}

/** At most so many pictures are calibrated on, and so many others measured on. */
export const CALIBRATION_COUNT = 64;
export const EVALUATION_COUNT = 8;

/** The pictures that a model is calibrated on, and those that it is measured on. */
export interface SplitPictures {
  readonly calibration: PictureSource;
  readonly evaluation: PictureSource;
  /** What the latter are; of too few pictures all are both. */
  readonly of: 'held-out' | 'calibration' | 'synthetic';
}

/** Keeps one of nine, at least two and at most {@link EVALUATION_COUNT}, from the calibration. */
export function splitPictures(pictures: PictureSource): SplitPictures {
  const { folder, files } = pictures;
  if (folder === null) return { calibration: SYNTHETIC, evaluation: SYNTHETIC, of: 'synthetic' };
  if (files.length < 6) return { calibration: pictures, evaluation: pictures, of: 'calibration' };
  const step = Math.min(9, Math.floor(files.length / 2));
  const held = new Set(files.filter((_, i) => i % step === 0).slice(0, EVALUATION_COUNT));
  return {
    calibration: { folder, files: files.filter((file) => !held.has(file)) },
    evaluation: { folder, files: [...held] },
    of: 'held-out',
  };
}

function refused(folder: string, got: string, cause?: unknown): CycleganError {
  return new CycleganError(
    'input',
    `[export] ${folder}: expected a folder with images, got ${got}. Name a folder of pictures like those to translate.`,
    { cause },
  );
}

export interface Picture {
  /** The file's own name, or `synthetic`. */
  readonly name: string;
  readonly pixels: Pixels;
}

/**
 * The pictures one after another, each read when it is asked for and scaled down until no side is longer than `side`.
 * Of synthetic ones there are four, of different proportions.
 * @throws CycleganError `input` for a file that is no image
 */
export async function* readPictures({ folder, files }: PictureSource, side: number): AsyncGenerator<Picture> {
  if (folder === null) {
    for (const [seed, part] of [1, 0.75, 0.5, 0.625].entries()) {
      const other = Math.max(8, Math.round(side * part));
      const [width, height] = seed % 2 === 0 ? [side, other] : [other, side];
      yield { name: 'synthetic', pixels: testPicture(width, height, seed) };
    }
  }
  for (const file of files) yield { name: basename(file), pixels: await readScaled(file, side) };
}

/** What of a model decides how an image is brought to it. */
export type ImageShape = Pick<ModelEntry, 'sizeMultiple' | 'minSize'> & { readonly inputChannels: 1 | 3 };

/** {@link readPictures} as a model takes them: [1, C, H, W] on [-1, 1], padded by reflection to its multiples. */
export async function* readImages(
  pictures: PictureSource,
  model: ImageShape,
  side: number,
): AsyncGenerator<Tensor> {
  for await (const { pixels } of readPictures(pictures, side)) {
    const [width, height] = [paddedSide(pixels.width, model), paddedSide(pixels.height, model)];
    yield tensorOf(toPlanes(pixels, model.inputChannels, { left: 0, top: 0, width, height }));
  }
}

async function readScaled(file: string, side: number): Promise<Pixels> {
  const pixels = await readPixels(file);
  const { width, height, channels, data } = pixels;
  if (Math.max(width, height) <= side) return pixels;
  const scaled = await sharp(data, { raw: { width, height, channels } })
    // A sliver keeps the least that any image must have.
    .resize({
      width: Math.max(8, Math.round((side * width) / Math.max(width, height))),
      height: Math.max(8, Math.round((side * height) / Math.max(width, height))),
      fit: 'fill',
    })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: scaled.info.width, height: scaled.info.height, channels, data: scaled.data };
}
