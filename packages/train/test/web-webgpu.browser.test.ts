/** Training on WebGPU in a page, on a software adapter where there is no other: few steps, since each takes seconds. */
import { describe, expect, it } from 'vitest';
import { commands } from 'vitest/browser';
import { furthest, lossesInPage, pictureSets, rawImages } from './web-support.ts';

const adapter = await navigator.gpu?.requestAdapter();

describe.skipIf(!adapter)('WebGPU', () => {
  it('gives the losses of Node, its state kept on the device from step to step', async () => {
    const run = { size: 24, ngf: 4, blocks: 0, steps: 2, decaySteps: 0, seed: 7 };
    const { a, b } = pictureSets(2, 27, 27);
    const inNode = await commands.trainInNode({ a: rawImages(a), b: rawImages(b), options: run });
    const inPage = await lossesInPage({ a, b, device: 'webgpu', ...run });
    expect(inPage).toHaveLength(2);
    expect(furthest(inPage, inNode)).toBeLessThan(1e-3);
  });
});
