/** The suite that both runtimes pass, in a real browser on WebAssembly, its pictures PNG files made by sharp. */
import { createTranslator } from '@cyclegan/runtime-web';
import { commands } from 'vitest/browser';
import { fromBase64, toBase64 } from '../../../test/browser/bytes.ts';
import { translatorContract } from '../../../test/contract/translator-contract.ts';
import { pixelsOf, TINY } from './support.ts';

translatorContract('browser, WebAssembly', {
  create: (options) => createTranslator(TINY, { ...options, device: 'wasm' }),
  async image({ width, height, data }) {
    const png = await commands.encodeImage({ width, height, rgba: toBase64(data), format: 'png' });
    return new Blob([fromBase64(png)]);
  },
  pixels: async (output) => pixelsOf(output),
});
