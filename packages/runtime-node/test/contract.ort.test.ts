/** The contract suite over the Node runtime on the CPU. */
import { fileURLToPath } from 'node:url';
import { createTranslator } from '@cyclegan/runtime-node';
import sharp from 'sharp';
import { translatorContract } from '../../../test/contract/translator-contract.ts';

const bundle = fileURLToPath(new URL('../../../test/fixtures/tiny-bundle', import.meta.url));

translatorContract('runtime-node, cpu', {
  create: (options) => createTranslator(bundle, { device: 'cpu', ...options }),
  image: ({ width, height, data }) => sharp(data, { raw: { width, height, channels: 4 } }),
  async pixels(output) {
    const { data, info } = await output.ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: new Uint8ClampedArray(data) };
  },
});
