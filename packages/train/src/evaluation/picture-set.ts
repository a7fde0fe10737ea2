/**
 * The images that are evaluated, read a few at a time: which of a folder's, and which file of A belongs to which of B.
 * Translates nothing.
 */
import { extname } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';
import { type ImageSet, type OpenImageSetOptions, openImageSet } from '../data/image-set.js';
import { type LoadShape, loadImage } from '../data/load-images.js';
import { type ImageShape, imageElements } from './image-shape.js';

/** Images of one shape. In paired sets the images of one number belong together. */
export interface PictureSet {
  readonly count: number;
  readonly shape: ImageShape;
  /** What an image is called: its file, relative to the folder. */
  name(index: number): string;
  /**
   * @param indices in any order
   * @returns [indices.length, channels, height, width] on [−1, 1]; the caller's
   * @throws CycleganError `input` for an image that cannot be read
   */
  read(indices: readonly number[]): Promise<Float32Array>;
}

/**
 * Images of a data set, stretched to one shape, as training's own samples are.
 * @param options `chosen` are names of the set's files, in the order wanted
 */
export function pictureSet(options: {
  set: ImageSet;
  chosen: readonly string[];
  shape: LoadShape;
}): PictureSet {
  const { set, chosen, shape } = options;
  const places = new Map(set.files.map((file, place) => [file, place]));
  return {
    count: chosen.length,
    shape,
    name: (index) => chosen[index] ?? '',
    async read(indices) {
      const images = new Float32Array(indices.length * imageElements(shape));
      const load = async (index: number, at: number) => {
        const image = await loadImage(set, places.get(chosen[index] ?? '') ?? -1, shape);
        images.set(image, at * image.length);
      };
      await Promise.all(indices.map(load));
      return images;
    },
  };
}

/**
 * The images of both domains: all of them, or so many of each, spread over the set; in pairs where there are pairs.
 * @throws CycleganError `input` for a set without a readable image, and as {@link pairFiles}; `aborted`
 */
export async function openPictureSets(
  options: Pick<OpenImageSetOptions, 'onWarning' | 'onProgress' | 'signal'> & {
    a: string;
    b: string;
    /** Whether files of one name belong together. */
    paired: boolean;
    shapes: { A: LoadShape; B: LoadShape };
    /** Most images of each domain; default: all. */
    count?: number | undefined;
  },
): Promise<{ A: PictureSet; B: PictureSet }> {
  const { a, b, paired, shapes, count = Number.POSITIVE_INFINITY, ...rest } = options;
  const open = (domain: 'A' | 'B', path: string) => openImageSet({ ...rest, path, domain, atLeast: 1 });
  const sets = { A: await open('A', a), B: await open('B', b) };
  const pairs = paired ? spread(pairFiles(sets.A.files, sets.B.files), count) : undefined;
  const chosen = (domain: 'A' | 'B') =>
    pairs?.map((pair) => (domain === 'A' ? pair.a : pair.b)) ?? spread(sets[domain].files, count);
  return {
    A: pictureSet({ set: sets.A, chosen: chosen('A'), shape: shapes.A }),
    B: pictureSet({ set: sets.B, chosen: chosen('B'), shape: shapes.B }),
  };
}

/** So many of a list, spread over all of it; all of a list that is no longer. */
export function spread<Item>(items: readonly Item[], count: number): Item[] {
  const step = Math.max(1, items.length / count);
  return items.filter((_, at) => Math.floor(at / step) > Math.floor((at - 1) / step));
}

/**
 * Which file of A belongs to which of B: those of one name, whatever the kind of file. `_A` and `_B` at the names' ends
 * count for nothing, because the reference's paired data sets have them.
 * @param a files relative to their folder; `b` likewise
 * @returns pairs in the order of `a`
 * @throws CycleganError `input` naming the first file without a partner, or with two
 */
export function pairFiles(a: readonly string[], b: readonly string[]): { a: string; b: string }[] {
  const [ofA, ofB] = [byStem(a, 'A'), byStem(b, 'B')];
  for (const [stem, file] of ofB) if (!ofA.has(stem)) throw alone(file, 'B', 'A');
  return Array.from(ofA, ([stem, file]) => {
    const partner = ofB.get(stem);
    if (partner === undefined) throw alone(file, 'A', 'B');
    return { a: file, b: partner };
  });
}

function byStem(files: readonly string[], domain: 'A' | 'B'): Map<string, string> {
  const stems = new Map<string, string>();
  for (const file of files) {
    const bare = file.slice(0, file.length - extname(file).length);
    const stem = bare.endsWith(`_${domain}`) ? bare.slice(0, -2) : bare;
    const other = stems.get(stem);
    if (other !== undefined) {
      throw new CycleganError(
        'input',
        `[train] pairs: expected one file for each name in folder ${domain}, got ${other} and ${file}. Remove one.`,
      );
    }
    stems.set(stem, file);
  }
  return stems;
}

function alone(file: string, domain: 'A' | 'B', other: 'A' | 'B'): CycleganError {
  return new CycleganError(
    'input',
    `[train] pairs: expected a file in folder ${other} of the same name as ${file} in folder ${domain}, got none. Add it, or evaluate without pairs.`,
  );
}
