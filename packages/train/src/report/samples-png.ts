/**
 * What the networks make of a few fixed images, as one picture to look at. Draws tensors; runs no network.
 */
import { writeAtomic } from '@cyclegan/model';
import sharp from 'sharp';

/** The columns of a sample picture, left to right: an image, its translation, and the way back, for A and for B. */
export const SAMPLE_COLUMNS = ['realA', 'fakeB', 'recA', 'realB', 'fakeA', 'recB'] as const;

export interface SamplesPngOptions {
  path: string;
  /** Each [count, 1 or 3, height, width] on [−1, 1]; values outside are clipped. */
  images: Record<(typeof SAMPLE_COLUMNS)[number], Float32Array>;
  /** Images of each domain: the rows of the picture. */
  count: number;
  /** Of one image, pixels. */
  height: number;
  width: number;
  /** Transparent pixels between the images; default 4. */
  gap?: number | undefined;
}

/**
 * Writes the picture, 6 columns by `count` rows, at the images' own resolution.
 * @returns the PNG's bytes
 * @throws CycleganError `output` when the place cannot be written
 */
export async function samplesPng(options: SamplesPngOptions): Promise<Buffer> {
  const { path, images, count, height, width, gap = 4 } = options;
  const whole = {
    width: SAMPLE_COLUMNS.length * (width + gap) - gap,
    height: count * (height + gap) - gap,
    channels: 4,
  } as const;
  const pixels = new Uint8ClampedArray(whole.width * whole.height * 4);
  const plane = height * width;
  for (const [column, name] of SAMPLE_COLUMNS.entries()) {
    const source = images[name];
    const channels = source.length / (count * plane);
    if (channels !== 1 && channels !== 3) {
      const expected = `${count} grey or RGB images of ${height} × ${width}`;
      throw new Error(`internal: samples ${name}: expected ${expected}, got ${source.length} values`);
    }
    for (let at = 0; at < count * plane; at++) {
      const row = Math.floor(at / plane);
      const y = Math.floor((at % plane) / width) + row * (height + gap);
      const x = (at % width) + column * (width + gap);
      const from = row * channels * plane + (at % plane);
      const to = 4 * (y * whole.width + x);
      for (let channel = 0; channel < 3; channel++) {
        pixels[to + channel] = ((source[from + (channel % channels) * plane] ?? 0) + 1) * 127.5;
      }
      pixels[to + 3] = 255;
    }
  }
  const png = await sharp(pixels, { raw: whole }).png().toBuffer();
  await writeAtomic(path, png);
  return png;
}
