/**
 * What every runtime's translator does with a bundle of several precisions: opens each, takes the one most like fp32
 * unless asked, and gives much the same picture. Imports nothing of Node, so that a browser runs it.
 */
import type { Precision, Translator, TranslatorOptions } from '@cyclegan/runtime-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ContractEnv, picture, type Rgba } from './translator-contract.ts';

/** What a runtime lends to the suite, over the two bundles that make-bundle.ts makes. */
export interface PrecisionEnv<Image, Output> extends Omit<ContractEnv<Image, Output>, 'create'> {
  /** `all` holds four precisions, `small` is without fp32. */
  create(bundle: 'all' | 'small', options?: TranslatorOptions): Promise<Translator<Image, Output>>;
}

/** The least PSNR to fp32, in dB; random weights are harder on integers than trained ones. */
const LEAST = { 'fp16-weights': 40, fp16: 35, int8: 20 } as const;

export function precisionContract<Image, Output>(name: string, env: PrecisionEnv<Image, Output>): void {
  describe(`precisions: ${name}`, () => {
    const image = picture(52, 40);
    const translate = async (bundle: 'all' | 'small', precision?: Precision) => {
      const translator = await env.create(bundle, { direction: 'AtoB', precision });
      try {
        const { precision: taken } = translator.info;
        return { taken, pixels: await env.pixels(await translator.translate(await env.image(image))) };
      } finally {
        await translator.dispose();
      }
    };
    let plain: Rgba;
    beforeAll(async () => {
      const { taken, pixels } = await translate('all');
      expect(taken).toBe('fp32');
      plain = pixels;
    });

    it.each(['fp16-weights', 'fp16', 'int8'] as const)(
      'opens %s, whose picture is near',
      async (precision) => {
        const { taken, pixels } = await translate('all', precision);
        expect(taken).toBe(precision);
        expect(psnr(pixels, plain)).toBeGreaterThan(LEAST[precision]);
      },
    );

    it('takes what is most like fp32 where that is left out', async () => {
      const { taken, pixels } = await translate('small');
      expect(taken).toBe('fp16-weights');
      expect(psnr(pixels, plain)).toBeGreaterThan(LEAST['fp16-weights']);
      await expect(env.create('small', { precision: 'fp32' })).rejects.toMatchObject({
        code: 'bundle',
        message: expect.stringContaining('a bundle that holds AtoB fp16-weights, AtoB int8'),
      });
    });
  });
}

function psnr(a: Rgba, b: Rgba): number {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  const squares = a.data.reduce((sum, value, i) => sum + (value - (b.data[i] ?? 0)) ** 2, 0);
  return 10 * Math.log10(255 ** 2 / (squares / a.data.length));
}
