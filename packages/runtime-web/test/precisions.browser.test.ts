/** The contract of precisions over the browser's runtime, on WebAssembly. */
import { createTranslator } from '@cyclegan/runtime-web';
import { precisionContract } from '../../../test/contract/precision-contract.ts';
import { pixelsOf } from './support.ts';

// Made by export-bundle.setup.ts; each address spelled out so that Vite sees it.
const bundles = {
  all: new URL('../../../test/fixtures/exported/precisions/all/manifest.json', import.meta.url).href,
  small: new URL('../../../test/fixtures/exported/precisions/small/manifest.json', import.meta.url).href,
};

precisionContract('browser, WebAssembly', {
  create: (bundle, options) => createTranslator(bundles[bundle], { ...options, device: 'wasm' }),
  image: ({ width, height, data }) => new ImageData(new Uint8ClampedArray(data), width, height),
  pixels: async (output) => pixelsOf(output),
});
