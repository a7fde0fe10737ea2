/** The contract of precisions over the Node runtime on the CPU. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTranslator } from '@cyclegan/runtime-node';
import sharp from 'sharp';
import { afterAll, beforeAll } from 'vitest';
import { precisionContract } from '../../../test/contract/precision-contract.ts';
import { makePrecisionBundles } from '../../../test/support/make-bundle.ts';

const dir = mkdtempSync(join(tmpdir(), 'cyclegan-test-'));
let bundles: Awaited<ReturnType<typeof makePrecisionBundles>>;
beforeAll(async () => {
  bundles = await makePrecisionBundles(dir);
}, 60_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

precisionContract('runtime-node, cpu', {
  create: (bundle, options) => createTranslator(bundles[bundle], { ...options, device: 'cpu' }),
  image: ({ width, height, data }) => sharp(data, { raw: { width, height, channels: 4 } }),
  async pixels(output) {
    const { data, info } = await output.ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: new Uint8ClampedArray(data) };
  },
});
