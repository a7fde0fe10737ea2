/**
 * Where the tiles of an image lie, and the weights that blend them. Geometry only: runs nothing.
 *
 * InstanceNorm takes its mean and variance from what it is shown, so each tile is normalised by itself and tiles
 * may differ in tone, however well their edges blend. That stays so until tiles can share statistics; whole
 * images are exact, and `auto` tiles only what is too large for that.
 */
import { CycleganError } from './errors.js';
import type { ModelEntry } from './manifest.js';
import { paddedSide } from './pixels.js';
import type { Tile } from './translator.js';

/** `auto` runs an image whole up to this many pixels (a full-size generator takes some 2 GB for it)… */
export const AUTO_WHOLE_PIXELS = 1024 * 1024;
/** …and in tiles of this side above. */
export const AUTO_TILE = 512;
/** Pixels that neighbours share, before rounding up to the model's size multiple. */
export const TILE_OVERLAP = 32;

/** One axis: all tiles have the same size, a multiple of the model's, and start at multiples of it. */
export interface Axis {
  /** The image's side with its padding. */
  side: number;
  /** The tile's side. */
  size: number;
  starts: number[];
  /** Per tile, the weight of each of its `size` coordinates; at every coordinate of the axis they add up to 1. */
  weights: Float32Array[];
}

/** Tiles are the products of both axes; a whole image is one tile. */
export interface TilePlan {
  x: Axis;
  y: Axis;
}

/** @throws CycleganError `usage` for a tile that is no positive whole number of pixels */
export function assertTile(tile: Tile): void {
  if (typeof tile === 'number' && !(Number.isSafeInteger(tile) && tile > 0)) {
    throw new CycleganError(
      'usage',
      `[tiles] tile: expected "auto", "none" or a positive whole number of pixels, got ${tile}. Try 512.`,
    );
  }
}

/**
 * @param image its own size, without padding
 * @throws CycleganError `usage`, see {@link assertTile}
 */
export function planTiles(
  image: { width: number; height: number },
  model: Pick<ModelEntry, 'minSize' | 'sizeMultiple'>,
  tile: Tile = 'auto',
): TilePlan {
  assertTile(tile);
  const width = paddedSide(image.width, model);
  const height = paddedSide(image.height, model);
  const whole = tile === 'none' || (tile === 'auto' && width * height <= AUTO_WHOLE_PIXELS);
  const wanted = tile === 'auto' || tile === 'none' ? AUTO_TILE : tile;
  // A tile of one multiple could share nothing with its neighbours.
  const size = whole ? Number.POSITIVE_INFINITY : Math.max(paddedSide(wanted, model), 2 * model.sizeMultiple);
  return {
    x: planAxis(width, Math.min(size, width), model.sizeMultiple),
    y: planAxis(height, Math.min(size, height), model.sizeMultiple),
  };
}

function planAxis(side: number, size: number, multiple: number): Axis {
  const overlap = Math.min(
    Math.ceil(TILE_OVERLAP / multiple) * multiple,
    Math.floor(size / 2 / multiple) * multiple,
  );
  const step = size - overlap;
  const count = Math.ceil((side - size) / step) + 1;
  const starts = Array.from({ length: count }, (_, i) => Math.min(i * step, side - size));
  return { side, size, starts, weights: feather(starts, { side, size, overlap }) };
}

/** Ramps up and down over the overlap, except at the image's edges, divided by the sum over all tiles. */
function feather(
  starts: number[],
  { side, size, overlap }: { side: number; size: number; overlap: number },
): Float32Array[] {
  const sum = new Float64Array(side);
  const ramps = starts.map((start) =>
    Float64Array.from({ length: size }, (_, i) => {
      const fromNear = start === 0 ? 1 : (i + 1) / (overlap + 1);
      const fromFar = start + size === side ? 1 : (size - i) / (overlap + 1);
      const weight = Math.min(1, fromNear, fromFar);
      sum[start + i] = (sum[start + i] ?? 0) + weight;
      return weight;
    }),
  );
  return ramps.map((ramp, tile) =>
    Float32Array.from(ramp, (weight, i) => weight / (sum[(starts[tile] ?? 0) + i] ?? 1)),
  );
}
