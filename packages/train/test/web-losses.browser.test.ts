/** The trainer in a page makes the steps that Node makes: the same losses for the same seed and pixels. */
import { expect, it } from 'vitest';
import { commands } from 'vitest/browser';
import { furthest, lossesInPage, pictureSets, rawImages } from './web-support.ts';

it('gives the losses of Node over ten steps, on WebAssembly', async () => {
  // Wider and deeper networks amplify rounding within ten steps, on Node with another number of threads as well.
  const run = { size: 32, ngf: 8, blocks: 1, steps: 10, decaySteps: 5, seed: 7 };
  const { a, b } = pictureSets(3, 36, 36);
  const inNode = await commands.trainInNode({ a: rawImages(a), b: rawImages(b), options: run });
  const inPage = await lossesInPage({ a, b, device: 'wasm', ...run });
  expect(inPage).toHaveLength(10);
  expect(furthest(inPage, inNode)).toBeLessThan(1e-3);
});
