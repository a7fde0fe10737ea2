/**
 * One image through a model, whatever runs the model: pixels, padding, tiles, crop, alpha. Knows no files, no
 * workers and no ONNX Runtime; both runtimes call it inside their worker.
 */
import { type Alpha, bleedColours, flattenPixels, hasAlpha } from './alpha.js';
import { createBand } from './band.js';
import { breathe } from './breath.js';
import { CycleganError, isCycleganError, reasonOf, throwIfAborted } from './errors.js';
import type { ModelEntry } from './manifest.js';
import type { ModelMemory } from './memory.js';
import {
  assertImageSize,
  createOutput,
  type Pixels,
  type Planes,
  type Region,
  type TranslatedPixels,
  toPlanes,
} from './pixels.js';
import { estimateStatistics, MOST_PASSES } from './shared-statistics.js';
import { createStatisticsPool, type TileSession } from './statistics.js';
import { coreOf, planTiles, type TilePlan } from './tiles.js';
import type { CallOptions, Tile } from './translator.js';

/**
 * Runs the model once. Takes [1, input channels, H, W] and gives [1, output channels, H, W], H and W multiples of
 * the model's `sizeMultiple`; the caller owns both.
 */
export type RunPlanes = (input: Planes) => Promise<Planes>;

/** What a translation needs of a session that a runtime opened. */
export interface PlanesSession {
  /** Runs planes of one size at once, as [N, C, H, W]; the answers come in the same order. Each as {@link RunPlanes}. */
  run(batch: readonly Planes[]): Promise<Planes[]>;
  /** Null where the bundle has no pair for tiles of this model: tiles are then normalised each by itself. */
  tiles: TileSession | null;
}

/** A session without a pair for tiles, over a function that runs the model once. */
export function sessionOf(run: RunPlanes): PlanesSession {
  return { run: (batch) => Promise.all(batch.map(run)), tiles: null };
}

/** What of a manifest entry a translation needs. */
export interface ModelShape extends Pick<ModelEntry, 'sizeMultiple' | 'minSize'>, ModelMemory {
  input: Pick<ModelEntry['input'], 'channels'>;
  output: Pick<ModelEntry['output'], 'channels'>;
}

/** How one image is taken. */
export interface PrepareOptions {
  model: ModelShape;
  tile?: Tile | undefined;
  /** Bytes that the translation may take besides the image and its answer: what fits runs whole, unless `tile` says else. */
  memory?: number | undefined;
  /** What becomes of transparency; default `keep`. */
  alpha?: Alpha | undefined;
  /** What `flatten` lays the image on, sRGB bytes; default white. */
  background?: readonly [number, number, number] | undefined;
}

/** An image that is ready to run. */
export interface PreparedImage {
  readonly pixels: Pixels;
  /** The size to run at, and in which tiles; see {@link isWhole}. */
  readonly plan: TilePlan;
  /** The answer: its alpha is in place. */
  readonly output: TranslatedPixels;
}

export interface TranslatePixelsOptions extends PrepareOptions, CallOptions {
  /** Where it has alpha, the colours beneath are changed in place; opaque images are only read. */
  pixels: Pixels;
  session: PlanesSession;
  /**
   * What InstanceNormalization normalises by: statistics [2 × C], or `own`, those of this image. Left out: the plain
   * model, which takes its own and returns none. `only`: nothing is translated, those of this image come back alone.
   */
  statistics?: Float32Array | 'own' | 'only' | undefined;
}

export interface TranslatedFrame {
  /** Of no size where statistics alone were asked for. */
  pixels: TranslatedPixels;
  /** Those the image has, seen while it was normalised by the ones asked for; null where none were. */
  statistics: Float32Array | null;
}

/** Where statistics alone were asked for. */
const NONE: TranslatedPixels = { width: 0, height: 0, channels: 3, data: new Uint8Array() };

/**
 * Translates an image at its own size. Memory besides the two images: one tile, and one row of tiles as float32. With
 * the pair for tiles, all tiles are run until they agree with the statistics that they share, most often two or three
 * times.
 * @throws CycleganError `input` (size), `usage` (tile, memory, statistics without a pair for tiles), `aborted` (before
 * the first tile or between tiles), `device` (the model could not be run on a tile of this size)
 */
export async function translatePixels(options: TranslatePixelsOptions): Promise<TranslatedFrame> {
  const image = prepareImage(options.pixels, options);
  const { model, session, signal, onProgress } = options;
  if (options.statistics === undefined && isWhole(image)) {
    throwIfAborted(signal, '[translate] image');
    await translateWhole([image], options);
    onProgress?.({ stage: 'tile', done: 1, total: 1 });
    return { pixels: image.output, statistics: null };
  }
  const { tiles } = session;
  const asked = options.statistics;
  if (asked !== undefined && !tiles) throw withoutPair();
  throwIfAborted(signal, '[translate] image');
  const statistics =
    tiles &&
    ((planes: Planes, by?: Float32Array) => attempt(planes, async () => tiles.statistics(planes, by)));
  const shared =
    statistics && !(asked instanceof Float32Array)
      ? await estimateStatistics(image, { model, statistics })
      : undefined;
  if (asked === 'only' && shared && isWhole(image)) return { pixels: NONE, statistics: shared.values };

  const count = image.plan.x.starts.length * image.plan.y.starts.length;
  const total = count * (shared && !isWhole(image) ? MOST_PASSES : 1);
  const given = asked instanceof Float32Array ? asked : undefined;
  let own: Float32Array | null;
  let done = 0;
  let again = false;
  do {
    const before = done;
    own = await translateTiles(image, shared?.values ?? given, {
      model,
      session,
      signal,
      onProgress: (tile) => {
        done = before + tile.done;
        if (done < total) onProgress?.({ ...tile, done, total });
      },
    });
    again = done < total && own !== null && ((await shared?.refine(own)) ?? false);
  } while (again);
  onProgress?.({ stage: 'tile', done: total, total });
  if (asked === 'only') return { pixels: NONE, statistics: shared?.values ?? null };
  return { pixels: image.output, statistics: asked === undefined ? null : own };
}

/**
 * Runs all tiles once, and blends them into the image's output.
 * @param by statistics to normalise by; left out: each tile by its own
 * @returns the statistics that all tiles together have; null where none were given
 */
async function translateTiles(
  image: PreparedImage,
  by: Float32Array | undefined,
  options: { model: ModelShape; session: PlanesSession } & CallOptions,
): Promise<Float32Array | null> {
  const { model, session } = options;
  const { tiles } = session;
  const pool = createStatisticsPool();
  const band = createBand(image.plan, model.output.channels, image.output);
  for await (const { row, column, region } of tilesOf(image.plan, options)) {
    const input = toPlanes(image.pixels, model.input.channels, region);
    if (tiles && by) {
      const core = coreOf(image.plan, column, row);
      const result = await attempt(input, async () => tiles.run(input, by, core));
      pool.add(result.statistics, core.width * core.height);
      band.add(checked(result.planes, input, model), column, row);
    } else {
      const [planes] = await attempt(input, async () => session.run([input]));
      band.add(checked(planes, input, model), column, row);
    }
    if (column === image.plan.x.starts.length - 1) band.flush(row);
  }
  return pool.result();
}

/**
 * An image checked, planned, and with its transparency seen to.
 * @param pixels changed in place, see {@link TranslatePixelsOptions}
 * @throws CycleganError `input` (size), `usage` (tile, memory)
 */
export function prepareImage(pixels: Pixels, options: PrepareOptions): PreparedImage {
  assertImageSize('image', pixels);
  const expected = pixels.width * pixels.height * pixels.channels;
  if (pixels.data.length !== expected) {
    throw new CycleganError(
      'input',
      `[image] pixels: expected ${expected} bytes for ${pixels.width}x${pixels.height}x${pixels.channels}, got ${pixels.data.length}. Hand in interleaved rows without gaps.`,
    );
  }
  const { model, alpha = 'keep', background } = options;
  const plan = planTiles(pixels, model, options);
  if (hasAlpha(pixels)) {
    if (alpha === 'flatten') flattenPixels(pixels, background);
    else bleedColours(pixels);
  }
  return { pixels, plan, output: createOutput(pixels, alpha) };
}

/** Whether the image runs in one piece, so that {@link translateWhole} takes it. */
export function isWhole({ plan }: PreparedImage): boolean {
  return plan.x.starts.length === 1 && plan.y.starts.length === 1;
}

/**
 * Runs whole images of one size, padding included, at once, each normalised by itself.
 * @param images their `output` is filled
 * @throws CycleganError `device`, `bundle`
 */
export async function translateWhole(
  images: readonly PreparedImage[],
  { model, session }: { model: ModelShape; session: PlanesSession },
): Promise<void> {
  const inputs = images.map(({ pixels, plan }) =>
    toPlanes(pixels, model.input.channels, { left: 0, top: 0, width: plan.x.side, height: plan.y.side }),
  );
  const [first] = inputs;
  if (!first) return;
  const results = await attempt(first, async () => session.run(inputs));
  for (const [i, { plan, output }] of images.entries()) {
    createBand(plan, model.output.channels, output).add(checked(results[i], first, model), 0, 0);
  }
}

/** The regions of a plan, row by row; between two, a request to stop is let in and heard. */
async function* tilesOf(
  { x, y }: TilePlan,
  { signal, onProgress }: CallOptions,
): AsyncGenerator<{ row: number; column: number; region: Region }> {
  const total = x.starts.length * y.starts.length;
  let done = 0;
  for (const [row, top] of y.starts.entries()) {
    for (const [column, left] of x.starts.entries()) {
      await breathe(signal);
      yield { row, column, region: { left, top, width: x.size, height: y.size } };
      done += 1;
      onProgress?.({ stage: 'tile', done, total });
    }
  }
}

async function attempt<T>({ width, height }: Planes, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (isCycleganError(cause)) throw cause;
    throw new CycleganError(
      'device',
      `[translate] model: expected it to run at ${width}x${height}, got "${reasonOf(cause)}". Use smaller tiles or another device.`,
      { cause },
    );
  }
}

function checked(result: Planes | undefined, { width, height }: Planes, model: ModelShape): Planes {
  const { channels } = model.output;
  if (result?.width === width && result.height === height && result.channels === channels) return result;
  const got = result ? `${result.channels}x${result.height}x${result.width}` : 'none';
  throw new CycleganError(
    'bundle',
    `[translate] model: expected an output of ${channels}x${height}x${width}, got ${got}. Export the bundle again.`,
  );
}

function withoutPair(): CycleganError {
  return new CycleganError(
    'usage',
    '[translate] statistics: expected a bundle with the pair for tiles of this model, got one without. Export it with --tiles, or leave the statistics out.',
  );
}
