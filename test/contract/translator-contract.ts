/**
 * The one suite that every runtime's translator passes, over test/fixtures/tiny-bundle. Says nothing about files,
 * canvases or devices: a runtime brings its own tests for those. Imports nothing of Node, so that a browser runs it.
 */
import type { Progress, Translator, TranslatorOptions } from '@cyclegan/runtime-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import golden from '../fixtures/tiny-golden.json' with { type: 'json' };

/** Straight (not premultiplied) RGBA, rows from the top. */
export interface Rgba {
  width: number;
  height: number;
  data: Uint8ClampedArray;
}

/** What a runtime lends to the suite. */
export interface ContractEnv<Image, Output> {
  /** A translator over the tiny bundle. */
  create(options?: TranslatorOptions): Promise<Translator<Image, Output>>;
  /** The pixels as an image of the platform, without loss. */
  image(pixels: Rgba): Image | Promise<Image>;
  /** A translation's pixels; alpha 255 where it has none. */
  pixels(output: Output): Promise<Rgba>;
}

/** A picture with gradients and edges that tells its corners apart; opaque unless `alpha` says otherwise. */
export function picture(width: number, height: number, alpha = (_x: number, _y: number) => 255): Rgba {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const stripe = (x >> 2) % 2 === (y >> 3) % 2 ? 60 : 0;
      data.set([(255 * x) / width, (255 * y) / height, 90 + stripe, alpha(x, y)], 4 * (y * width + x));
    }
  }
  return { width, height, data };
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function opaque(rgb: Uint8Array): Uint8ClampedArray {
  return Uint8ClampedArray.from({ length: (rgb.length / 3) * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : (rgb[(i >> 2) * 3 + (i % 4)] ?? 0),
  );
}

/** How many of the values differ by more than one level. */
function farOff(a: Uint8ClampedArray, b: Uint8ClampedArray): number {
  expect(a.length).toBe(b.length);
  return a.reduce((count, value, i) => count + (Math.abs(value - (b[i] ?? 0)) > 1 ? 1 : 0), 0);
}

export function translatorContract<Image, Output>(name: string, env: ContractEnv<Image, Output>): void {
  describe(`translator contract: ${name}`, () => {
    let translator: Translator<Image, Output>;
    const stages: Progress[] = [];
    const translate = async (pixels: Rgba, which = translator): Promise<Rgba> =>
      env.pixels(await which.translate(await env.image(pixels)));
    const withTranslator = async <T>(
      options: TranslatorOptions,
      use: (own: Translator<Image, Output>) => Promise<T>,
    ): Promise<T> => {
      const own = await env.create(options);
      try {
        return await use(own);
      } finally {
        await own.dispose();
      }
    };

    beforeAll(async () => {
      translator = await env.create({ onProgress: (progress) => stages.push(progress) });
    });
    afterAll(() => translator?.dispose());

    it('says what it chose', () => {
      const { info } = translator;
      expect(info).toMatchObject({ direction: 'AtoB', precision: 'fp32', fallbacks: expect.any(Array) });
      expect(['cpu', 'cuda', 'webgpu', 'wasm']).toContain(info.device);
      expect(info.manifest.name).toBe('tiny');
      expect(info.selfCheckError).toBeLessThanOrEqual(info.manifest.models[0]?.selfCheck.tolerance ?? 0);
      expect(info.threads).toBeGreaterThanOrEqual(1);
      expect(info.loadMs).toBeGreaterThan(0);
    });

    it('reports the session and the self-check while it is created', () => {
      expect(stages.map(({ stage }) => stage)).toEqual(expect.arrayContaining(['session', 'check']));
      for (const { done, total } of stages) expect(done).toBeLessThanOrEqual(total);
    });

    it.each(['AtoB', 'BtoA'] as const)('%s gives what PyTorch gave, at an odd size', async (direction) => {
      const { width, height } = golden;
      const input = { width, height, data: opaque(fromBase64(golden.rgb)) };
      const output = await withTranslator({ direction }, (own) => translate(input, own));
      const expected = opaque(fromBase64(golden.outputs[direction]));
      expect(farOff(output.data, expected)).toBeLessThanOrEqual(expected.length / 1000);
    });

    it.each([
      [8, 8],
      [9, 11],
      [64, 64],
      [63, 50],
      [8, 203],
      [301, 8],
    ])('keeps the size of a %ix%i image', async (width, height) => {
      const output = await translate(picture(width, height));
      expect([output.width, output.height]).toEqual([width, height]);
      expect(output.data.length).toBe(width * height * 4);
      expect(new Set(output.data).size).toBeGreaterThan(16);
    });

    it('keeps alpha, and does not let it touch the colours', async () => {
      // Everything can be seen, if faintly.
      const faint = picture(30, 22, (x, y) => 32 + ((x * 9 + y * 5) % 224));
      const output = await translate(faint);
      const plain = await translate(picture(30, 22));
      const alphaOf = ({ data }: Rgba) => data.filter((_, i) => i % 4 === 3);
      const coloursOf = ({ data }: Rgba) => data.filter((_, i) => i % 4 !== 3);
      expect(alphaOf(output)).toEqual(alphaOf(faint));
      expect(coloursOf(output)).toEqual(coloursOf(plain));
    });

    it('lets no hidden colour touch those that are seen', async () => {
      const hole = (x: number, y: number) => ((x - 15) ** 2 + (y - 11) ** 2 < 50 ? 0 : 255);
      const clear = picture(30, 22, hole);
      const other = { ...clear, data: clear.data.slice() };
      for (let at = 0; at < other.data.length; at += 4) {
        if (other.data[at + 3] === 0) other.data.set([255, 0, 255], at);
      }
      const output = await translate(clear);
      expect(await translate(other)).toEqual(output);
      // Opaque, the same colours do touch their neighbours.
      const seen = other.data.map((value, i) => (i % 4 === 3 ? 255 : value));
      const opaqueOutput = await translate({ ...other, data: seen });
      const visible = (_: number, i: number) => clear.data[i | 3] === 255 && i % 4 !== 3;
      expect(farOff(opaqueOutput.data.filter(visible), output.data.filter(visible))).toBeGreaterThan(50);
      expect(output.data.filter((_, i) => i % 4 === 3)).toEqual(clear.data.filter((_, i) => i % 4 === 3));
    });

    it('translates pixels at hand as it translates the image of them', async () => {
      const input = picture(37, 26);
      const { width, height } = input;
      const pixels = { width, height, channels: 4, data: Uint8Array.from(input.data) } as const;
      const frame = await translator.translatePixels(pixels);
      const expected = await translate(input);
      expect({ width: frame.pixels.width, height: frame.pixels.height }).toEqual({ width, height });
      expect(Uint8ClampedArray.from(frame.pixels.data)).toEqual(expected.data);
      expect(frame).toMatchObject({
        statistics: null,
        runMs: expect.any(Number),
        waitMs: expect.any(Number),
      });
      const taken = translator.translatePixels(pixels);
      await expect(taken).rejects.toMatchObject({ code: 'input' });
    });

    it('refuses statistics where the bundle has no pair for tiles', async () => {
      const { width, height, data } = picture(20, 20);
      const pixels = { width, height, channels: 4, data } as const;
      await expect(translator.translatePixels(pixels, { statistics: 'own' })).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringMatching(/--tiles/),
      });
    });

    it('gives the same answer every time', async () => {
      const input = picture(40, 28);
      const first = await translate(input);
      expect(await translate(input)).toEqual(first);
    });

    it('answers calls made at once as it answers them one by one', async () => {
      const inputs = [picture(16, 16), picture(33, 20), picture(20, 33), picture(48, 8), picture(17, 17)];
      const singles: Rgba[] = [];
      for (const input of inputs) singles.push(await translate(input));
      expect(await Promise.all(inputs.map((input) => translate(input)))).toEqual(singles);
    });

    it('gives the whole image where a tile holds it', async () => {
      const input = picture(50, 38);
      const whole = await withTranslator({ tile: 'none' }, (own) => translate(input, own));
      const tiled = await withTranslator({ tile: 64 }, (own) => translate(input, own));
      expect(tiled).toEqual(whole);
    });

    it('translates in tiles, reports each, and keeps the size', async () => {
      await withTranslator({ tile: 32 }, async (own) => {
        const seen: Progress[] = [];
        const image = await env.image(picture(70, 45));
        const output = await env.pixels(
          await own.translate(image, { onProgress: (progress) => seen.push(progress) }),
        );
        expect([output.width, output.height]).toEqual([70, 45]);
        const total = seen[0]?.total ?? 0;
        expect(total).toBeGreaterThan(4);
        expect(seen).toEqual(
          Array.from({ length: total }, (_, i) => ({ stage: 'tile', done: i + 1, total })),
        );
      });
    });

    it('stops between tiles when it is asked to, and goes on with the next image', async () => {
      await withTranslator({ tile: 32 }, async (own) => {
        const controller = new AbortController();
        const seen: Progress[] = [];
        const call = own.translate(await env.image(picture(400, 300)), {
          signal: controller.signal,
          onProgress: (progress) => {
            seen.push(progress);
            controller.abort();
          },
        });
        await expect(call).rejects.toMatchObject({ name: 'CycleganError', code: 'aborted' });
        const next = await translate(picture(12, 12), own);
        expect(next.width).toBe(12);
        expect(seen.at(-1)?.done).toBeLessThan(seen.at(-1)?.total ?? 0);
      });
    });

    it('does not begin when it was stopped before', async () => {
      const signal = AbortSignal.abort();
      const image = await env.image(picture(16, 16));
      await expect(translator.translate(image, { signal })).rejects.toMatchObject({ code: 'aborted' });
      await expect(env.create({ signal })).rejects.toMatchObject({ code: 'aborted' });
    });

    it('can be stopped while it is created', async () => {
      const controller = new AbortController();
      const creation = env.create({ signal: controller.signal, onProgress: () => controller.abort() });
      await expect(creation).rejects.toMatchObject({ name: 'CycleganError', code: 'aborted' });
    });

    it.each([
      [1, 1],
      [7, 40],
      [40, 7],
    ])('refuses an image of %ix%i', async (width, height) => {
      await expect(translate(picture(width, height))).rejects.toMatchObject({
        code: 'input',
        message: expect.stringContaining(`${width}x${height}`),
      });
    });

    it.each([0, -64, 64.5, Number.NaN])('refuses tiles of %d pixels', async (tile) => {
      await expect(env.create({ tile })).rejects.toMatchObject({ code: 'usage' });
    });

    it('refuses a model that the bundle does not hold, and says which it holds', async () => {
      await expect(env.create({ precision: 'int8' })).rejects.toMatchObject({
        code: 'bundle',
        message: expect.stringMatching(/AtoB fp32, BtoA fp32/),
      });
    });

    it('can be disposed twice, and translates nothing afterwards', async () => {
      const own = await env.create();
      const image = await env.image(picture(16, 16));
      await own.dispose();
      await own.dispose();
      await expect(own.translate(image)).rejects.toMatchObject({ code: 'usage' });
    });

    it('leaves no call unanswered when it is disposed', async () => {
      const own = await env.create({ tile: 32 });
      const images = await Promise.all(Array.from({ length: 6 }, () => env.image(picture(200, 150))));
      const calls = images.map((image) => own.translate(image));
      const settled = Promise.allSettled(calls);
      await own.dispose();
      const failed = (await settled).flatMap((call) => (call.status === 'rejected' ? [call.reason] : []));
      expect(failed.length).toBeGreaterThan(0);
      for (const reason of failed) expect(['aborted', 'usage']).toContain(reason.code);
    });
  });
}
