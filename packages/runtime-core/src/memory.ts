/**
 * How much memory a run takes, estimated from what the manifest says of the model, and the largest tile that a budget
 * allows. Measures nothing: the estimate was held against the peaks of real sessions.
 */
import { CycleganError } from './errors.js';
import type { ModelEntry } from './manifest.js';

/** What an estimate needs of a manifest entry. */
export interface ModelMemory {
  memory?: ModelEntry['memory'];
}

/** Where nobody says what is free, as in a browser. */
export const AUTO_MEMORY = 2 * 2 ** 30;

/** Of a model whose manifest does not say: the full-size generator of the reference (ngf 64). */
const FULL_SIZE_BYTES = 530;
/** onnxruntime's arena grows by doubling and copies for its convolutions: 2.8 times the tensors on CPUs, measured. */
const ARENA = 3;
/** The image and its answer as float32, on both sides of the runtime's border. */
const PLANES_BYTES = 2 * 2 * 3 * 4;
/** Above it tiles get no better, only progress and stopping get coarser. */
const LARGEST_TILE = 1024;
/** Below it a tile is mostly overlap. */
const SMALLEST_TILE = 128;

/** Bytes that a session takes to run an image of so many pixels, the image itself as bytes left out. */
export function runBytes(pixels: number, { memory }: ModelMemory): number {
  return pixels * (ARENA * (memory?.bytesPerPixel ?? FULL_SIZE_BYTES) + PLANES_BYTES);
}

/**
 * The side of the largest square tiles for an image of this width, with the row of tiles that is blended.
 * @throws CycleganError `usage` for a budget that no tile fits in
 */
export function largestTile(width: number, model: ModelMemory, memory: number): number {
  for (let side = LARGEST_TILE; side >= SMALLEST_TILE; side -= 64) {
    if (tileBytes(side, width, model) <= memory) return side;
  }
  const least = tileBytes(SMALLEST_TILE, width, model);
  throw new CycleganError(
    'usage',
    `[translate] memory: expected at least ${Math.ceil(least / 2 ** 20)} MiB for this model and image, got ${Math.floor(memory / 2 ** 20)} MiB. Allow more, or scale the image down.`,
  );
}

function tileBytes(side: number, width: number, model: ModelMemory): number {
  // The sessions of the pair for tiles each keep what their largest run took.
  return 2 * runBytes(side * side, model) + 3 * 4 * width * side;
}
