/**
 * The float accumulator of a tiled translation: one row of tiles high and as wide as the image, so that memory
 * does not grow with the image's height. Tiles are added with their weights; finished rows leave as bytes.
 */
import { type Planes, type TranslatedPixels, writeRows } from './pixels.js';
import type { TilePlan } from './tiles.js';

export interface Band {
  /** Adds the output of the tile in `column`, `row` of the plan. Rows of tiles come in order. */
  add(planes: Planes, column: number, row: number): void;
  /** Writes the image rows that no later row of tiles touches, and moves on to that row. */
  flush(row: number): void;
}

/** @param channels the model's output channels */
export function createBand(plan: TilePlan, channels: number, output: TranslatedPixels): Band {
  const { x, y } = plan;
  if (x.starts.length === 1 && y.starts.length === 1) {
    // A whole image has nothing to blend with: no accumulator is made.
    return { add: (tile) => writeRows(output, tile, { top: 0, rows: y.side }), flush: () => undefined };
  }
  const planes = { width: x.side, height: y.size, channels };
  const sum = new Float32Array(channels * y.size * x.side);

  return {
    add(tile, column, row) {
      const left = x.starts[column] ?? 0;
      const across = x.weights[column] ?? [];
      const down = y.weights[row] ?? [];
      let from = 0;
      for (let line = 0; line < channels * y.size; line += 1) {
        const weight = down[line % y.size] ?? 0;
        const to = line * x.side + left;
        for (let i = 0; i < x.size; i += 1) {
          sum[to + i] = (sum[to + i] ?? 0) + weight * (across[i] ?? 0) * (tile.data[from] ?? 0);
          from += 1;
        }
      }
    },
    flush(row) {
      const top = y.starts[row] ?? 0;
      const rows = (y.starts[row + 1] ?? y.side) - top;
      writeRows(output, { ...planes, data: sum }, { top, rows });
      const size = y.size * x.side;
      for (let channel = 0; channel < channels; channel += 1) {
        const plane = sum.subarray(channel * size, (channel + 1) * size);
        plane.copyWithin(0, rows * x.side);
        plane.fill(0, size - rows * x.side);
      }
    },
  };
}
