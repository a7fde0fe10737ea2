/** A picture to test models with: seeded, so that two runs see the same one. */

import { type Pixels, type Planes, toPlanes } from '@cyclegan/runtime-core';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/**
 * Smooth gradients, hard edges and some noise, different in each channel: what photographs are made of, so that
 * kernels wrong at borders, in one channel or in height and width confused do not go unseen.
 * @returns RGB, the caller's own
 */
export function testPicture(width: number, height: number, seed: number): Pixels {
  const random = xoroshiro128plus(seed);
  const data = new Uint8Array(3 * width * height);
  let at = 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [right, down] = [x / width, y / height];
      const edge = (Math.floor(x / 7) + Math.floor(y / 5)) % 2 === 0 ? 0 : 60;
      for (const smooth of [right, down, (1 - right + down) / 2]) {
        data[at] = 20 + 150 * smooth + edge + uniformInt(random, -20, 20);
        at += 1;
      }
    }
  }
  return { width, height, channels: 3, data };
}

/** {@link testPicture} as a model takes it. */
export function testPlanes(channels: 1 | 3, width: number, height: number, seed: number): Planes {
  return toPlanes(testPicture(width, height, seed), channels);
}
