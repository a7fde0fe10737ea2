/**
 * Pixels of any size to a picture of another, by the bicubic interpolation that Node's decoder has: Catmull-Rom,
 * antialiased where it shrinks. Row by row, so that a large image costs no more memory than it has itself.
 */
import type { Pixels } from '@cyclegan/runtime-core';
import type { Picture } from '../feed/augment.js';
import type { Size } from '../feed/geometry.js';

/** RGB, laid on white where the image is transparent. An image of that size already comes out as it is. */
export function resizePixels(pixels: Pixels, { height, width }: Size): Picture {
  const across = tapsOf(pixels.width, width);
  const down = tapsOf(pixels.height, height);
  const line = new Float64Array(3 * pixels.width);
  const narrow = new Float64Array(3 * width);
  const sums = new Float64Array(3 * width * height);
  let oldest = 0;
  for (let y = 0; y < pixels.height; y++) {
    readLine(pixels, y, line);
    reduceLine(line, across, narrow);
    while (endOf(down[oldest]) <= y) oldest++;
    for (let row = oldest; row < height && (down[row]?.first ?? 0) <= y; row++) {
      const weight = down[row]?.weights[y - (down[row]?.first ?? 0)] ?? 0;
      const start = row * narrow.length;
      for (let i = 0; i < narrow.length; i++)
        sums[start + i] = (sums[start + i] ?? 0) + weight * (narrow[i] ?? 0);
    }
  }
  return {
    height,
    width,
    pixels: Uint8Array.from(sums, (sum) => Math.min(255, Math.max(0, Math.round(sum)))),
  };
}

/** What a place of the result takes of the source: weights from `first` on, together 1. */
interface Taps {
  first: number;
  weights: Float64Array;
}

function tapsOf(from: number, to: number): Taps[] {
  const ratio = from / to;
  const stretch = Math.max(1, ratio);
  const reach = 2 * stretch;
  return Array.from({ length: to }, (_, place) => {
    const centre = (place + 0.5) * ratio;
    const first = Math.max(0, Math.floor(centre - reach + 0.5));
    const last = Math.min(from, Math.floor(centre + reach + 0.5));
    const weights = Float64Array.from({ length: last - first }, (_, i) =>
      catmullRom((first + i + 0.5 - centre) / stretch),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

function catmullRom(at: number): number {
  const x = Math.abs(at);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

/** The first place of the source that these taps take nothing of any more. */
function endOf(taps: Taps | undefined): number {
  return taps ? taps.first + taps.weights.length : Infinity;
}

function readLine({ width, channels, data }: Pixels, y: number, line: Float64Array): void {
  const coloured = channels >= 3;
  const alpha = channels === 2 || channels === 4 ? channels - 1 : undefined;
  for (let x = 0, at = y * width * channels; x < width; x++, at += channels) {
    const share = alpha === undefined ? 255 : (data[at + alpha] ?? 0);
    for (let colour = 0; colour < 3; colour++) {
      const value = data[coloured ? at + colour : at] ?? 0;
      line[3 * x + colour] = share === 255 ? value : Math.round((value * share + 255 * (255 - share)) / 255);
    }
  }
}

function reduceLine(line: Float64Array, taps: readonly Taps[], into: Float64Array): void {
  taps.forEach(({ first, weights }, place) => {
    let [red, green, blue] = [0, 0, 0];
    for (let i = 0, at = 3 * first; i < weights.length; i++, at += 3) {
      const weight = weights[i] ?? 0;
      red += weight * (line[at] ?? 0);
      green += weight * (line[at + 1] ?? 0);
      blue += weight * (line[at + 2] ?? 0);
    }
    into[3 * place] = red;
    into[3 * place + 1] = green;
    into[3 * place + 2] = blue;
  });
}
