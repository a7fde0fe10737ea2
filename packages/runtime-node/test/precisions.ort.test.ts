/** The contract of precisions over the Node runtime on the CPU. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTranslator, type Manifest } from '@cyclegan/runtime-node';
import sharp from 'sharp';
import { afterAll, beforeAll } from 'vitest';
import { precisionContract } from '../../../test/contract/precision-contract.ts';
import { makePrecisionBundles } from '../../../test/support/make-bundle.ts';

const dir = mkdtempSync(join(tmpdir(), 'cyclegan-test-'));
let bundles: Awaited<ReturnType<typeof makePrecisionBundles>>;
beforeAll(async () => {
  bundles = await makePrecisionBundles(dir);
  // What so small a model is measured at is chance, and would choose for it; device-choice.ort.test.ts has figures.
  for (const bundle of Object.values(bundles)) {
    const path = join(bundle, 'manifest.json');
    const manifest: Manifest = JSON.parse(readFileSync(path, 'utf8'));
    const models = manifest.models.map((model) => ({ ...model, speed: [] }));
    writeFileSync(path, JSON.stringify({ ...manifest, models }));
  }
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
