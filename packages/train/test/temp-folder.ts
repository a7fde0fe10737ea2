// A temporary folder for one test file, and real images in it made by sharp.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll } from 'vitest';

/** A fresh folder that is removed after the test file. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'cyclegan-train-'));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A picture whose red grows to the right and green downwards, so that crops and flips can be told; blue tags it. */
export function gradient(width: number, blue: number, height = width): Sharp {
  const pixels = Buffer.alloc(height * width * 3);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      pixels.set([column * 2, row * 2, blue], 3 * (row * width + column));
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** Writes `count` gradients as PNG, named 00.png on; their blue is `blue` + the number. */
export async function gradientFolder(path: string, count: number, blue: number, side = 64): Promise<string> {
  mkdirSync(path, { recursive: true });
  const names = Array.from({ length: count }, (_, index) => `${String(index).padStart(2, '0')}.png`);
  await Promise.all(names.map((name, index) => gradient(side, blue + index).toFile(join(path, name))));
  return path;
}

/** Writes one picture, making the folders on its way. */
export async function writeImage(path: string, image: Sharp): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  await image.toFile(path);
}
