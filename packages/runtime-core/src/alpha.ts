/**
 * Transparency before a translation. A model sees the colours alone, also those that nobody sees: what lies under
 * transparent pixels would tint their neighbours and the statistics. Joins no alpha to an answer: `createOutput` does.
 */
import type { Pixels } from './pixels.js';

/** `keep`: alpha is joined to the translation again; `flatten`: the image is laid on a background first. */
export type Alpha = 'keep' | 'flatten';

/** From this alpha on a colour is the pixel's own; below it fades into its neighbours', and is theirs at 0. */
const SEEN = 32;

/** Whether any pixel is not opaque. */
export function hasAlpha({ channels, data }: Pixels): boolean {
  if (channels === 1 || channels === 3) return false;
  for (let i = channels - 1; i < data.length; i += channels) if (data[i] !== 255) return true;
  return false;
}

/**
 * Lays the image on a background, in place: opaque afterwards.
 * @param background sRGB bytes; grey images take its luma
 */
export function flattenPixels(
  { channels, data }: Pixels,
  background: readonly [number, number, number] = [255, 255, 255],
): void {
  const [r, g, b] = background;
  const colours = channels === 2 ? [(19595 * r + 38470 * g + 7471 * b + 32768) >> 16] : background;
  for (let at = 0; at < data.length; at += channels) {
    const alpha = data[at + channels - 1] ?? 0;
    for (const [i, colour] of colours.entries()) {
      data[at + i] = Math.round(((data[at + i] ?? 0) * alpha + colour * (255 - alpha)) / 255);
    }
    data[at + channels - 1] = 255;
  }
}

/** One level of a pyramid: colours, and how sure they are (0 to 255), interleaved as in {@link Pixels}. */
type Level = Pick<Pixels, 'width' | 'height' | 'data'>;

/**
 * Fills the colours of transparent pixels from their opaque neighbours, in place: each from the finest mean of a
 * neighbourhood that has any (a push-pull pyramid, after Gortler et al. 1996). Alpha stays. Opaque images, and those
 * that are transparent all over, stay as they are.
 * @param pixels time and memory are linear: a third of the image's bytes
 */
export function bleedColours(pixels: Pixels): void {
  const { width, height, channels, data } = pixels;
  if (!hasAlpha(pixels)) return;
  const colours = channels - 1;
  const sure = (alpha: number) => Math.min(255, Math.round((alpha * 255) / SEEN));
  let below: Level = { width, height, data };
  const levels: Level[] = [];
  // The image's own alpha is the first level's sureness, once it is scaled.
  for (let of = sure; below.width > 1 || below.height > 1; of = (value) => value) {
    below = halve(below, channels, of);
    levels.push(below);
  }
  if (below.data[colours] === 0) return;
  for (let i = levels.length - 2; i >= 0; i -= 1) {
    const [level, above] = [levels[i], levels[i + 1]];
    if (level && above) fill(level, above, channels, (value) => value);
  }
  const [half] = levels;
  if (half) fill({ width, height, data }, half, channels, sure);
}

/** Of each four pixels the mean by sureness, and the surest of the sureness: a neighbourhood with any has one. */
function halve(level: Level, channels: number, sure: (value: number) => number): Level {
  const width = Math.ceil(level.width / 2);
  const height = Math.ceil(level.height / 2);
  const data = new Uint8Array(width * height * channels);
  const colours = channels - 1;
  const sums = new Float64Array(colours);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      sums.fill(0);
      let total = 0;
      let most = 0;
      for (let corner = 0; corner < 4; corner += 1) {
        const column = 2 * x + (corner & 1);
        const row = 2 * y + (corner >> 1);
        if (column >= level.width || row >= level.height) continue;
        const at = (row * level.width + column) * channels;
        const weight = sure(level.data[at + colours] ?? 0);
        if (weight === 0) continue;
        for (let i = 0; i < colours; i += 1) sums[i] = (sums[i] ?? 0) + weight * (level.data[at + i] ?? 0);
        total += weight;
        most = Math.max(most, weight);
      }
      const to = (y * width + x) * channels;
      if (total === 0) continue;
      for (let i = 0; i < colours; i += 1) data[to + i] = Math.round((sums[i] ?? 0) / total);
      data[to + colours] = most;
    }
  }
  return { width, height, data };
}

/** Mixes what a level is not sure of with the one above. */
function fill(level: Level, above: Level, channels: number, sure: (value: number) => number): void {
  const colours = channels - 1;
  for (let y = 0; y < level.height; y += 1) {
    for (let x = 0; x < level.width; x += 1) {
      const at = (y * level.width + x) * channels;
      const own = sure(level.data[at + colours] ?? 0);
      if (own === 255) continue;
      const from = ((y >> 1) * above.width + (x >> 1)) * channels;
      for (let i = 0; i < colours; i += 1) {
        const [mine, theirs] = [level.data[at + i] ?? 0, above.data[from + i] ?? 0];
        level.data[at + i] = Math.round((mine * own + theirs * (255 - own)) / 255);
      }
    }
  }
}
