/**
 * What the networks make of a few fixed images, as one picture to look at. Draws tensors; runs no network.
 */
import { writeAtomic } from '@cyclegan/model';
import sharp from 'sharp';

/** The columns of a sample picture, left to right: an image, its translation, and the way back, for A and for B. */
export const SAMPLE_COLUMNS = ['realA', 'fakeB', 'recA', 'realB', 'fakeA', 'recB'] as const;

export interface SamplesPngOptions {
  path: string;
  /** Each [count, 3, size, size] on [−1, 1]; values outside are clipped. */
  images: Record<(typeof SAMPLE_COLUMNS)[number], Float32Array>;
  /** Images of each domain: the rows of the picture. */
  count: number;
  /** Edge of one image, pixels. */
  size: number;
  /** Transparent pixels between the images; default 4. */
  gap?: number | undefined;
}

/**
 * Writes the picture, 6 columns by `count` rows, at the images' own resolution.
 * @throws CycleganError `output` when the place cannot be written
 */
export async function samplesPng({ path, images, count, size, gap = 4 }: SamplesPngOptions): Promise<void> {
  const width = SAMPLE_COLUMNS.length * (size + gap) - gap;
  const height = count * (size + gap) - gap;
  const pixels = new Uint8ClampedArray(width * height * 4);
  const plane = size * size;
  for (const [column, name] of SAMPLE_COLUMNS.entries()) {
    const source = images[name];
    if (source.length !== count * 3 * plane) {
      throw new Error(
        `internal: samples ${name}: expected ${count * 3 * plane} values, got ${source.length}`,
      );
    }
    for (let at = 0; at < count * plane; at++) {
      const row = Math.floor(at / plane);
      const y = Math.floor((at % plane) / size) + row * (size + gap);
      const x = (at % size) + column * (size + gap);
      const from = row * 3 * plane + (at % plane);
      const to = 4 * (y * width + x);
      for (let channel = 0; channel < 3; channel++) {
        pixels[to + channel] = ((source[from + channel * plane] ?? 0) + 1) * 127.5;
      }
      pixels[to + 3] = 255;
    }
  }
  const png = await sharp(pixels, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
  await writeAtomic(path, png);
}
