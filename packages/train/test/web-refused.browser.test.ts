/** What a page may hand to a trainer by mistake or ill will: each refused in one sentence, or taken within bounds. */
import { createTrainer, type TrainerOptions, type TrainingImage } from '@cyclegan/train/web';
import { describe, expect, it } from 'vitest';
import { picture, pictureSets } from './web-support.ts';

const run = { size: 24, ngf: 4, blocks: 0, steps: 2, decaySteps: 0, device: 'wasm' } as const;
const good = pictureSets(2, 27, 27);
const refusal = (code: string, message: RegExp) => ({
  name: 'CycleganError',
  code,
  message: expect.stringMatching(message),
});

describe('images', () => {
  it.each<[string, Partial<Record<'a' | 'b', readonly unknown[]>>, RegExp]>([
    ['an empty set', { a: [] }, /images of A: expected from 2 to 10000, got 0/],
    ['a single image', { b: [picture('b', 0, 30, 30)] }, /images of B: expected from 2 to 10000, got 1/],
    ['more than are kept', { a: new Array(10_001).fill(good.a[0]) }, /got 10001/],
    ['no list', { a: undefined as never }, /images of A: expected from 2 to 10000, got none/],
    ['one pixel', { a: [...good.a, new ImageData(1, 1)] }, /image 3 of A: .* got 1x1/],
    [
      'fewer bytes than pixels',
      { b: [...good.b, { width: 30, height: 30, channels: 3, data: new Uint8Array(5) }] },
      /image 3 of B: .* got 30x30x3 and 5 bytes/,
    ],
    [
      'fractions',
      { a: [...good.a, { width: 8.5, height: 10, channels: 4, data: new Uint8Array(340) }] },
      /got 8\.5x10/,
    ],
    [
      'NaN',
      { a: [...good.a, { width: Number.NaN, height: 10, channels: 4, data: new Uint8Array() }] },
      /image 3 of A/,
    ],
    [
      'floats',
      { a: [...good.a, { width: 8, height: 8, channels: 4, data: new Float32Array(256) }] },
      /and other values/,
    ],
    ['nothing at all', { a: [...good.a, null] }, /image 3 of A: expected pixels, got null/],
    ['another thing', { b: [...good.b, 'b.png'] }, /image 3 of B: expected pixels, got string/],
    [
      'a strip',
      { a: [...good.a, { width: 8, height: 70_000, channels: 1, data: new Uint8Array(560_000) }] },
      /at most 65535 px/,
    ],
  ])('refuses %s', async (_name, sets, message) => {
    const given = { ...good, ...sets } as { a: TrainingImage[]; b: TrainingImage[] };
    await expect(createTrainer({ ...given, ...run })).rejects.toMatchObject(refusal('input', message));
  });

  it('refuses a strip that would stay one', async () => {
    const strip = { width: 8, height: 65_000, channels: 1, data: new Uint8Array(520_000) } as const;
    const preprocess = 'scale_shortside_and_crop';
    await expect(
      createTrainer({ a: [...good.a, strip], b: good.b, ...run, preprocess }),
    ).rejects.toMatchObject(refusal('input', /at most a megapixel after it, got 27x/));
  });

  it('copies of a view no more than it shows', async () => {
    const atlas = new Uint8Array(3000 * 27 * 27 * 3).fill(80);
    const views = Array.from({ length: 1500 }, (_, i) => ({
      width: 27,
      height: 27,
      channels: 3 as const,
      data: atlas.subarray(i * 2187, (i + 1) * 2187),
    }));
    const trainer = await createTrainer({ a: views, b: good.b, ...run });
    expect((await trainer.bundle()).manifest.training?.imagesA).toBe(1500);
    trainer.dispose();
  });

  it('refuses more samples than are kept', async () => {
    const samples = { a: new Array(9).fill(good.a[0]) };
    await expect(createTrainer({ ...good, ...run, samples })).rejects.toMatchObject(
      refusal('input', /samples of A: expected from 0 to 8, got 9/),
    );
  });

  it('refuses a bitmap that was closed', async () => {
    const bitmap = await createImageBitmap(picture('a', 0, 30, 30));
    bitmap.close();
    await expect(createTrainer({ a: [...good.a, bitmap], b: good.b, ...run })).rejects.toMatchObject(
      refusal('input', /image 3 of A: .* got 0x0/),
    );
  });

  it('takes 50 megapixels, bitmaps, grey and transparency', async () => {
    const canvas = new OffscreenCanvas(8000, 6250);
    canvas.getContext('2d')?.fillRect(0, 0, 4000, 6250);
    const large = await createImageBitmap(canvas);
    const grey = { width: 30, height: 20, channels: 1, data: new Uint8Array(600).fill(90) } as const;
    const clear = { width: 20, height: 30, channels: 4, data: new Uint8ClampedArray(2400) } as const;
    const seen: ImageData[] = [];
    const trainer = await createTrainer({ a: [large, grey], b: [clear, ...good.b], ...run });
    const result = await trainer.train({ onSample: ({ AtoB }) => seen.push(...AtoB) });
    trainer.dispose();
    expect(result.finished).toBe(true);
    expect(seen).toHaveLength(4);
    // They are still the page's.
    expect([large.width, clear.data.length]).toEqual([8000, 2400]);
    large.close();
  });
});

describe('options', () => {
  it.each<[string, Partial<TrainerOptions>, RegExp]>([
    ['a device of Node', { device: 'cuda' as never }, /device: expected auto, webgpu or wasm/],
    [
      'an unknown preset',
      { preset: 'constructor' as never },
      /preset: expected quick or fine, got constructor/,
    ],
    ['a size for Node', { size: 256 }, /size: expected at most 128 in a page, got 256/],
    ['a size between', { size: 30 }, /size: expected a multiple of 4/],
    ['no number', { ngf: 'wide' as never }, /ngf: expected at most 64 in a page, got wide/],
    ['no steps', { steps: 0 }, /steps: expected/],
    ['more decay than steps', { steps: 2, decaySteps: 3 }, /decay-steps: expected at most the steps, 2/],
    ['a rate of NaN', { lr: Number.NaN }, /lr: expected a number above 0/],
    [
      'a listener',
      { onProgress: () => {} } as never,
      /options: expected size, .*, got onProgress\. Leave it out/,
    ],
    ['no interval', { sampleEvery: 0 }, /sampleEvery: expected a whole number from 1 on, got 0/],
  ])('refuses %s', async (_name, options, message) => {
    const asked = createTrainer({ ...good, ...run, ...options } as TrainerOptions);
    await expect(asked).rejects.toMatchObject(refusal('usage', message));
  });

  it('refuses a place without the .wasm files, and stops on request', async () => {
    const nowhere = createTrainer({ ...good, ...run, wasmPaths: '/no-such-folder' });
    await expect(nowhere).rejects.toMatchObject(refusal('device', /wasm: expected a session/));
    const controller = new AbortController();
    const stopped = createTrainer({ ...good, ...run, signal: controller.signal });
    controller.abort();
    await expect(stopped).rejects.toMatchObject(refusal('aborted', /stopped on request/));
    const already = createTrainer({ ...good, ...run, signal: AbortSignal.abort() });
    await expect(already).rejects.toMatchObject(refusal('aborted', /stopped on request/));
  });
});

it('says when the losses are no numbers any more', async () => {
  const trainer = await createTrainer({ ...good, ...run, lambdaA: 1e39 });
  await expect(trainer.train()).rejects.toMatchObject(refusal('run', /expected finite losses, got \w+ = /));
  trainer.dispose();
});
