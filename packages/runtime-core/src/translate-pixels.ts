/**
 * One image through a model, whatever runs the model: pixels, padding, tiles, crop, alpha. Knows no files, no
 * workers and no ONNX Runtime; both runtimes call it inside their worker.
 */
import { createBand } from './band.js';
import { CycleganError, isCycleganError, throwIfAborted } from './errors.js';
import type { ModelEntry } from './manifest.js';
import {
  assertImageSize,
  createOutput,
  type Pixels,
  type Planes,
  type TranslatedPixels,
  toPlanes,
} from './pixels.js';
import { planTiles } from './tiles.js';
import type { CallOptions, Tile } from './translator.js';

/**
 * Runs the model once. Takes [1, input channels, H, W] and gives [1, output channels, H, W], H and W multiples of
 * the model's `sizeMultiple`; the caller owns both.
 */
export type RunPlanes = (input: Planes) => Promise<Planes>;

/** What of a manifest entry a translation needs. */
export interface ModelShape extends Pick<ModelEntry, 'sizeMultiple' | 'minSize'> {
  input: Pick<ModelEntry['input'], 'channels'>;
  output: Pick<ModelEntry['output'], 'channels'>;
}

export interface TranslatePixelsOptions extends CallOptions {
  pixels: Pixels;
  model: ModelShape;
  tile?: Tile | undefined;
  run: RunPlanes;
}

/**
 * Translates an image at its own size. Memory besides the two images: one tile, and one row of tiles as float32.
 * @throws CycleganError `input` (size), `usage` (tile), `aborted` (before the first tile or between tiles),
 * `device` (the model could not be run on a tile of this size)
 */
export async function translatePixels(options: TranslatePixelsOptions): Promise<TranslatedPixels> {
  const { pixels, model, tile, signal, onProgress } = options;
  assertImageSize('image', pixels);
  const expected = pixels.width * pixels.height * pixels.channels;
  if (pixels.data.length !== expected) {
    throw new CycleganError(
      'input',
      `[image] pixels: expected ${expected} bytes for ${pixels.width}x${pixels.height}x${pixels.channels}, got ${pixels.data.length}. Hand in interleaved rows without gaps.`,
    );
  }
  const plan = planTiles(pixels, model, tile);
  const output = createOutput(pixels);
  const band = createBand(plan, model.output.channels, output);
  const total = plan.x.starts.length * plan.y.starts.length;
  let done = 0;
  for (const [row, top] of plan.y.starts.entries()) {
    for (const [column, left] of plan.x.starts.entries()) {
      // A provider that computes on this thread never lets the request to stop in: a timer does.
      if (done > 0) await new Promise((resolve) => setTimeout(resolve));
      throwIfAborted(signal, '[translate] image');
      const region = { left, top, width: plan.x.size, height: plan.y.size };
      const result = await runTile(options, toPlanes(pixels, model.input.channels, region));
      band.add(result, column, row);
      done += 1;
      onProgress?.({ stage: 'tile', done, total });
    }
    band.flush(row);
  }
  return output;
}

async function runTile({ run, model }: TranslatePixelsOptions, input: Planes): Promise<Planes> {
  const { width, height } = input;
  const channels = model.output.channels;
  let result: Planes;
  try {
    result = await run(input);
  } catch (cause) {
    if (isCycleganError(cause)) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CycleganError(
      'device',
      `[translate] model: expected it to run at ${width}x${height}, got "${reason}". Use smaller tiles or another device.`,
      { cause },
    );
  }
  if (result.width !== width || result.height !== height || result.channels !== channels) {
    throw new CycleganError(
      'bundle',
      `[translate] model: expected an output of ${channels}x${height}x${width}, got ${result.channels}x${result.height}x${result.width}. Export the bundle again.`,
    );
  }
  return result;
}
