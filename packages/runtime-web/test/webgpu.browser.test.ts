/**
 * The WebGPU backend in a real browser, on a software adapter where there is no other. The contract's whole suite
 * runs on WebAssembly; here is what the backend itself, and a run that leaves its worker free, could break.
 */
import { createTranslator, type WebTranslator } from '@cyclegan/runtime-web';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBase64 } from '../../../test/browser/bytes.ts';
import golden from '../../../test/fixtures/tiny-golden.json' with { type: 'json' };
import { imageData, pixelsOf, TINY } from './support.ts';

const adapter = await navigator.gpu?.requestAdapter();

describe.skipIf(!adapter)('WebGPU', () => {
  let translator: WebTranslator;
  beforeAll(async () => {
    translator = await createTranslator(TINY, { device: 'webgpu', tile: 32 });
  });
  afterAll(() => translator?.dispose());

  it('is taken when it is asked for, and passes the self-check', () => {
    expect(translator.info).toMatchObject({ device: 'webgpu', fallbacks: [], threads: 1 });
    expect(translator.info.selfCheckError).toBeGreaterThan(0);
  });

  it('gives what PyTorch gave, at an odd size', async () => {
    const { width, height } = golden;
    const rgb = fromBase64(golden.rgb);
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; i += 1) image.data.set([...rgb.slice(3 * i, 3 * i + 3), 255], 4 * i);
    const { data } = await translator.translate(image);
    const expected = fromBase64(golden.outputs.AtoB);
    const off = expected.filter((value, i) => {
      const at = Math.floor(i / 3) * 4 + (i % 3);
      return !(Math.abs(value - (data[at] ?? Number.NaN)) <= 1);
    });
    expect(off.length).toBeLessThanOrEqual(expected.length / 1000);
  });

  it('answers calls made at once as it answers them one by one', async () => {
    const images = [imageData(16, 16), imageData(40, 24), imageData(24, 32)];
    const singles: ReturnType<typeof pixelsOf>[] = [];
    for (const image of images) singles.push(pixelsOf(await translator.translate(image)));
    const together = await Promise.all(images.map((image) => translator.translate(image)));
    expect(together.map(pixelsOf)).toEqual(singles);
  });

  it('stops between tiles when it is asked to, and goes on with the next image', async () => {
    const controller = new AbortController();
    const call = translator.translate(imageData(120, 90), {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(call).rejects.toMatchObject({ code: 'aborted' });
    expect((await translator.translate(imageData(12, 12))).width).toBe(12);
  });
});
