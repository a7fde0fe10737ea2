/**
 * The statistics by which all tiles of a large image are normalised, so that together they are the whole image's
 * translation. What a layer sees hangs on what every layer before it was normalised by: no sample of the image comes near
 * enough by itself, and what the tiles have under wrong statistics is wrong as well. But a sample tells how one layer
 * follows from another, and the tiles tell what the sample leaves out; bench/tiles.mjs measures how near that comes.
 */
import { type Pixels, type Planes, paddedSide, toPlanes } from './pixels.js';
import { statisticsDistance } from './smoothing.js';
import type { TileSession } from './statistics.js';
import type { ModelShape, PreparedImage } from './translate-pixels.js';

/** The most times that all tiles are run: the last of them is the translation. */
export const MOST_PASSES = 5;
/** Between the statistics given and the tiles' own, see {@link statisticsDistance}: pictures are then 40 dB apart or more. */
const NEAR = 5e-4;
/** Pixels of a sample, where tiles are smaller than that. */
const LEAST_SAMPLE = 256 * 256;
/** The side of the patches that make a sample, before rounding up to the model's size multiple. */
const PATCH = 64;
/** Most by which one correction changes a variance, either way. */
const LARGEST_FACTOR = 16;

export interface SharedStatistics {
  /** What to normalise by, [2 × C]. */
  readonly values: Float32Array;
  /**
   * Takes in the statistics that all tiles together had, normalised by `values`.
   * @returns whether `values` are others now, and the tiles are to be run again by them
   */
  refine(own: Float32Array): Promise<boolean>;
}

/** Exact for an image that is run whole; else of a sample, as large as a tile. */
export async function estimateStatistics(
  image: PreparedImage,
  { model, statistics }: { model: ModelShape } & Pick<TileSession, 'statistics'>,
): Promise<SharedStatistics> {
  const { x, y } = image.plan;
  const budget = Math.max(x.size * y.size, LEAST_SAMPLE);
  const exact = x.side * y.side <= budget;
  const region = { left: 0, top: 0, width: x.side, height: y.side };
  const sample = exact ? toPlanes(image.pixels, model.input.channels, region) : mosaic(image, budget, model);
  let correction: Float32Array | undefined;
  let values = await statistics(sample);

  return {
    get values() {
      return values;
    },
    async refine(own) {
      if (exact || statisticsDistance(values, own) < NEAR) return false;
      correction = corrected(correction, values, own);
      values = await statistics(sample, correction);
      return true;
    },
  };
}

/** What turns the sample's statistics into the tiles': an addend for each mean, a factor for each variance. */
function corrected(
  correction: Float32Array | undefined,
  given: Float32Array,
  own: Float32Array,
): Float32Array {
  const channels = given.length / 2;
  return given.map((value, i) => {
    const seen = own[i] ?? value;
    if (i < channels) return (correction?.[i] ?? 0) + seen - value;
    // What InstanceNormalization adds as well.
    const factor = (seen + 1e-5) / (value + 1e-5);
    return (correction?.[i] ?? 1) * Math.min(LARGEST_FACTOR, Math.max(1 / LARGEST_FACTOR, factor));
  });
}

/** Patches from all over the image, in its own resolution, put together as one picture. */
function mosaic({ pixels }: PreparedImage, budget: number, model: ModelShape): Planes {
  const { width, height, channels, data } = pixels;
  const side = Math.min(paddedSide(PATCH, model), width, height);
  const count = Math.floor(budget / side ** 2);
  const columns = Math.max(1, Math.min(count, Math.round(Math.sqrt((count * width) / height))));
  const rows = Math.max(1, Math.floor(count / columns));
  const line = columns * side * channels;
  const patches: Pixels = { ...pixels, width: columns * side, height: rows * side, data: new Uint8Array() };
  patches.data = new Uint8Array(line * patches.height);
  const random = scatter();
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      // Anywhere in its own field: a pattern in the image has no step in common with them.
      const left = Math.floor(((column + random()) / columns) * (width - side));
      const top = Math.floor(((row + random()) / rows) * (height - side));
      for (let y = 0; y < side; y += 1) {
        const from = ((top + y) * width + left) * channels;
        patches.data.set(
          data.subarray(from, from + side * channels),
          (row * side + y) * line + column * side * channels,
        );
      }
    }
  }
  const region = {
    left: 0,
    top: 0,
    width: paddedSide(patches.width, model),
    height: paddedSide(patches.height, model),
  };
  return toPlanes(patches, model.input.channels, region);
}

/** The same sequence on [0, 1) every time: one image has one translation. */
function scatter(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
