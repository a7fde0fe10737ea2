/**
 * Where the tiles of an image lie, and the weights that blend them. Geometry only: runs nothing.
 */
import { CycleganError } from './errors.js';
import type { ModelEntry } from './manifest.js';
import { AUTO_MEMORY, largestTile, type ModelMemory, runBytes } from './memory.js';
import { paddedSide, type Region } from './pixels.js';
import type { Tile } from './translator.js';

/**
 * Pixels that neighbours share, before rounding up to the model's size multiple: the outer quarters are left out, since
 * there a tile's edge shows, and they are blended over the half between.
 */
export const TILE_OVERLAP = 64;

/** One axis: all tiles have the same size, a multiple of the model's, and start at multiples of it. */
export interface Axis {
  /** The image's side with its padding. */
  side: number;
  /** The tile's side. */
  size: number;
  starts: number[];
  /** Per tile, which part of it is nearer to its middle than to its neighbours': together they are the side, once. */
  cores: { from: number; to: number }[];
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
 * @param options.memory bytes that a run may take, for `auto`: what fits runs whole, else in the largest tiles that fit
 * @throws CycleganError `usage`, see {@link assertTile} and {@link largestTile}
 */
export function planTiles(
  image: { width: number; height: number },
  model: Pick<ModelEntry, 'minSize' | 'sizeMultiple'> & ModelMemory,
  { tile = 'auto', memory = AUTO_MEMORY }: { tile?: Tile | undefined; memory?: number | undefined } = {},
): TilePlan {
  assertTile(tile);
  const width = paddedSide(image.width, model);
  const height = paddedSide(image.height, model);
  const whole = tile === 'none' || (tile === 'auto' && runBytes(width * height, model) <= memory);
  const axes = (side: number) => ({
    x: planAxis(width, Math.min(side, width), model.sizeMultiple),
    y: planAxis(height, Math.min(side, height), model.sizeMultiple),
  });
  if (whole) return axes(Number.POSITIVE_INFINITY);
  const wanted = typeof tile === 'number' ? tile : largestTile(width, model, memory);
  // A tile of one multiple could share nothing with its neighbours.
  return axes(Math.max(paddedSide(wanted, model), 2 * model.sizeMultiple));
}

/** The part of a tile that counts in the statistics of all, in the tile's own pixels. */
export function coreOf({ x, y }: TilePlan, column: number, row: number): Region {
  const [across, down] = [x.cores[column], y.cores[row]];
  if (!across || !down) throw new Error('internal: a tile that is not in the plan');
  return {
    left: across.from,
    top: down.from,
    width: across.to - across.from,
    height: down.to - down.from,
  };
}

function planAxis(side: number, largest: number, multiple: number): Axis {
  const overlap = Math.min(
    Math.ceil(TILE_OVERLAP / multiple) * multiple,
    Math.floor(largest / 2 / multiple) * multiple,
  );
  const count = Math.ceil((side - largest) / (largest - overlap)) + 1;
  // As small as so many tiles can be, so that no two share more than they must: that would be computed twice, and would
  // count twice in statistics of all tiles.
  const size = Math.ceil((side + (count - 1) * overlap) / count / multiple) * multiple;
  const starts = Array.from({ length: count }, (_, i) => Math.min(i * (size - overlap), side - size));
  return {
    side,
    size,
    starts,
    cores: coresOf(starts, { side, size, multiple }),
    weights: feather(starts, { side, size, overlap }),
  };
}

/** Cut in the middle of what neighbours share, at multiples. */
function coresOf(
  starts: readonly number[],
  { side, size, multiple }: { side: number; size: number; multiple: number },
): Axis['cores'] {
  const cuts = starts.slice(1).map((start, i) => {
    const shared = (starts[i] ?? 0) + size - start;
    return start + Math.floor(shared / 2 / multiple) * multiple;
  });
  return starts.map((start, i) => ({ from: (cuts[i - 1] ?? 0) - start, to: (cuts[i] ?? side) - start }));
}

/** Ramps up and down in the overlap, except at the image's edges, divided by the sum over all tiles. */
function feather(
  starts: number[],
  { side, size, overlap }: { side: number; size: number; overlap: number },
): Float32Array[] {
  const margin = Math.floor(overlap / 4);
  const ramp = overlap - 2 * margin + 1;
  const sum = new Float64Array(side);
  const ramps = starts.map((start) =>
    Float64Array.from({ length: size }, (_, i) => {
      const fromNear = start === 0 ? 1 : (i + 1 - margin) / ramp;
      const fromFar = start + size === side ? 1 : (size - i - margin) / ramp;
      const weight = Math.max(0, Math.min(1, fromNear, fromFar));
      sum[start + i] = (sum[start + i] ?? 0) + weight;
      return weight;
    }),
  );
  return ramps.map((weights, tile) =>
    Float32Array.from(weights, (weight, i) => weight / (sum[(starts[tile] ?? 0) + i] ?? 1)),
  );
}
