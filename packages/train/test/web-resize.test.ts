/** A page's images come to training size as Node's do, whose decoder is libvips. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../dist/data/decode.js';
import { resizePixels } from '../dist/web/resize.js';

/** Edges, gradients and grain; RGBA, or fewer of its channels. */
function picture(width: number, height: number, channels: 1 | 2 | 3 | 4, alpha: (x: number) => number) {
  let grain = 3;
  const data = new Uint8Array(width * height * channels);
  for (let at = 0; at < data.length; at += channels) {
    const [x, y] = [(at / channels) % width, Math.floor(at / channels / width)];
    grain = (grain * 48_271) % 2_147_483_647;
    const value = (x > y ? 60 : 120) + 50 * Math.sin(x / 5) + (grain % 31);
    const colours = channels < 3 ? [value] : [value, 255 - value, (200 * y) / height];
    data.set(channels % 2 === 0 ? [...colours, alpha(x)] : colours, at);
  }
  return { width, height, channels, data };
}

function differences(found: Uint8Array | Uint16Array, expected: Uint8Array | Uint16Array) {
  expect(found.length).toBe(expected.length);
  const off = Array.from(found, (value, i) => Math.abs(value - (expected[i] ?? Number.NaN)));
  return { worst: Math.max(...off), mean: off.reduce((sum, each) => sum + each, 0) / off.length };
}

describe.each([1, 2, 3, 4] as const)('of %i channels', (channels) => {
  it.each([
    [90, 70],
    [140, 61],
    [300, 400],
    [37, 40],
  ])('%i × %i shrinks to 36 × 36 within a few levels of it', async (width, height) => {
    const pixels = picture(width, height, channels, () => 255);
    const png = await sharp(pixels.data, { raw: pixels }).png().toBuffer();
    const inNode = await decodePicture(png, { height: 36, width: 36, deep: false });
    const { worst, mean } = differences(
      resizePixels(pixels, { height: 36, width: 36 }).pixels,
      inNode.pixels,
    );
    expect(worst).toBeLessThan(6);
    // Below a quarter libvips averages whole pixels first.
    expect(mean).toBeLessThan(1);
  });
});

it('leaves an image of that size as it is, whatever its shape', () => {
  for (const [width, height] of [
    [36, 36],
    [8, 50],
  ] as const) {
    const pixels = picture(width, height, 3, () => 255);
    expect(resizePixels(pixels, { width, height })).toEqual({ width, height, pixels: pixels.data });
  }
});

it('lays what is transparent on white, and enlarges without a shift', () => {
  const half = picture(16, 16, 4, (x) => (x < 8 ? 0 : 255));
  const { pixels } = resizePixels(half, { width: 16, height: 16 });
  expect([...pixels.subarray(0, 24)]).toEqual(new Array(24).fill(255));
  const mirrored = Uint8Array.from({ length: 10 * 8 * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % 10;
    return 20 * Math.min(x, 9 - x);
  });
  const large = resizePixels({ width: 10, height: 8, channels: 3, data: mirrored }, { width: 31, height: 8 });
  const row = Array.from({ length: 31 }, (_, x) => large.pixels[3 * x]);
  expect(row).toEqual(row.toReversed());
});
