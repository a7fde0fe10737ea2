/** What the Node runtime's tests share: the tiny bundle, a folder that goes away, small images. */
import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';

export { temporaryFolder } from '../../../test/support/temporary-folder.ts';

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
