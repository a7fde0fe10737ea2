/** Planes of any size through a model: padded to what it takes, and its answer cropped again, as images are. */
import type { ModelEntry } from './manifest.js';
import { mirroredIndices, type Planes, paddedSide } from './pixels.js';
import type { RunPlanes } from './translate-pixels.js';

/** @returns the model's output, of the input's width and height */
export async function runPadded(
  planes: Planes,
  model: Pick<ModelEntry, 'minSize' | 'sizeMultiple'>,
  run: RunPlanes,
): Promise<Planes> {
  const { width, height } = planes;
  const [wide, high] = [paddedSide(width, model), paddedSide(height, model)];
  if (wide === width && high === height) return run(planes);
  const output = await run(pick(planes, mirroredIndices(0, wide, width), mirroredIndices(0, high, height)));
  return pick(output, mirroredIndices(0, width, wide), mirroredIndices(0, height, high));
}

/** The planes made of these columns and rows of others. */
function pick(planes: Planes, columns: Int32Array, rows: Int32Array): Planes {
  const { width, height, channels } = planes;
  const data = new Float32Array(channels * rows.length * columns.length);
  let to = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    for (const row of rows) {
      const line = (channel * height + row) * width;
      for (const column of columns) {
        data[to] = planes.data[line + column] ?? 0;
        to += 1;
      }
    }
  }
  return { width: columns.length, height: rows.length, channels, data };
}
