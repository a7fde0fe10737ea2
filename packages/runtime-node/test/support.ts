/** What the Node runtime's tests share: the tiny bundle, a folder that goes away, small images. */
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';

import { temporaryFolder } from '../../../test/support/temporary-folder.ts';

export { temporaryFolder };

export const tinyBundle = fileURLToPath(new URL('../../../test/fixtures/tiny-bundle', import.meta.url));

/** One colour. */
export function plain(width: number, height: number, background = { r: 200, g: 100, b: 50 }): Sharp {
  return sharp({ create: { width, height, channels: 3, background } });
}

/** Noise, which no codec makes small, so that half a file is half an image. */
export function noise(width: number, height: number): Sharp {
  const gaussian = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  return sharp({ create: { width, height, channels: 3, background: 'black', noise: gaussian } });
}

/** Every file below a folder that is not hidden, in order. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((name) => !/(^|[\\/])\./.test(name))
    .sort();
}

/** A folder `in` with images of noise under these names, and the path of `out` beside it. */
export async function imagesIn(...names: string[]): Promise<{ root: string; from: string; out: string }> {
  const root = temporaryFolder();
  const from = join(root, 'in');
  mkdirSync(from);
  for (const name of names) {
    mkdirSync(dirname(join(from, name)), { recursive: true });
    await noise(20, 12).toFile(join(from, name));
  }
  return { root, from, out: join(root, 'out') };
}
