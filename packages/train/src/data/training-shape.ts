/** The one height and width that a run's step graph is built for, settled from headers before the run begins. */
import { CycleganError } from '@cyclegan/runtime-core';
import { crops, type Preprocess, type Size, wholeSize } from '../feed/geometry.js';
import type { Header } from './decode.js';
import type { ImageSet } from './image-set.js';
import { inParallel, type ParallelOptions } from './parallel.js';

export interface TrainingShapeOptions extends Pick<ParallelOptions, 'onProgress' | 'signal'> {
  preprocess: Preprocess;
  /** Edge of the crop, pixels. */
  size: number;
  loadSize: number;
  /** What height and width must be multiples of, for the networks. */
  multiple: number;
}

/**
 * What a step's images measure. With a crop that is `size` × `size`. Without (`none`, `scale_width`) it is what the
 * images measure themselves, after scaling and rounding, in which all of both sets must agree: every header is read.
 * @throws CycleganError `input` naming the first image and the first that differs from it; `aborted`
 */
export async function trainingShape(a: ImageSet, b: ImageSet, options: TrainingShapeOptions): Promise<Size> {
  const { preprocess, size } = options;
  if (crops(preprocess)) return { height: size, width: size };
  const sized = [...(await wholeSizes(a, options)), ...(await wholeSizes(b, options))];
  const first = sized[0];
  if (!first) {
    throw new CycleganError(
      'input',
      `[train] ${a.path} and ${b.path}: expected readable images, got none. Check the folders.`,
    );
  }
  const other = sized.find(({ height, width }) => height !== first.height || width !== first.width);
  if (other) {
    const name = (of: Sized) => `${of.width}×${of.height} (${of.set.domain}: ${of.set.files[of.index]})`;
    throw new CycleganError(
      'input',
      `[train] preprocess ${preprocess}: expected images that all come to one size, got ${name(first)} and ${name(other)}. Use scale_width_and_crop or crop.`,
    );
  }
  return { height: first.height, width: first.width };
}

interface Sized extends Size {
  set: ImageSet;
  index: number;
}

async function wholeSizes(set: ImageSet, options: TrainingShapeOptions): Promise<Sized[]> {
  const sized: (Sized | undefined)[] = new Array(set.files.length).fill(undefined);
  const look = async (index: number) => {
    // One that cannot be read is replaced in training, and sizes nothing.
    const header: Header | undefined = await set.header(index).catch(() => undefined);
    if (header) sized[index] = { set, index, ...wholeSize(header, options) };
  };
  const what = `[train] measuring folder ${set.domain}`;
  await inParallel([...set.files.keys()], look, {
    what,
    onProgress: options.onProgress,
    signal: options.signal,
  });
  return sized.filter((found) => found !== undefined);
}
