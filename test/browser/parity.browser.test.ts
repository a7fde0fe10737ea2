/**
 * One model, three runtimes: onnxruntime-node, WebAssembly and WebGPU in the browser give the same tensors, and
 * both translators the same picture. Takes any bundle under test/fixtures.
 */
import { type Manifest, paddedSide, parseManifest, toPlanes } from '@cyclegan/runtime-core';
import { createTranslator, type Direction, type WebTranslator } from '@cyclegan/runtime-web';
import * as webAssembly from 'onnxruntime-web/wasm';
import * as webGpu from 'onnxruntime-web/webgpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from 'vitest/browser';
import { picture } from '../contract/translator-contract.ts';
import { fromBase64, toBase64 } from './bytes.ts';

/** Folders under test/fixtures, each address spelled out so that Vite sees it. */
const BUNDLES = [
  { bundle: 'tiny-bundle', address: new URL('../fixtures/tiny-bundle/manifest.json', import.meta.url).href },
  // Made by export-bundle.setup.ts.
  {
    bundle: 'exported/bundle',
    address: new URL('../fixtures/exported/bundle/manifest.json', import.meta.url).href,
  },
  {
    bundle: 'exported/unet/bundle',
    address: new URL('../fixtures/exported/unet/bundle/manifest.json', import.meta.url).href,
  },
];
const BACKENDS = [
  { provider: 'wasm', ort: webAssembly, tolerance: 1e-4 },
  { provider: 'webgpu', ort: webGpu, tolerance: 2e-3 },
] as const;
const DIRECTIONS: Direction[] = ['AtoB', 'BtoA'];

describe.each(BUNDLES)('$bundle', ({ bundle, address }) => {
  let manifest: Manifest;
  beforeAll(async () => {
    manifest = parseManifest(await (await fetch(address)).json(), bundle);
  });

  describe.each(BACKENDS)('on $provider', ({ provider, ort, tolerance }) => {
    it.each(DIRECTIONS)(`gives onnxruntime-node's tensor, %s, within ${tolerance}`, async (direction) => {
      const model = manifest.models.find((entry) => entry.direction === direction);
      if (!model) throw new Error(`internal: ${bundle} has no ${direction}`);
      const session = await ort.InferenceSession.create(new URL(model.file, address).href, {
        executionProviders: [provider],
      });
      for (const sides of [
        [32, 32],
        [44, 28],
      ]) {
        const [width = 0, height = 0] = sides.map((side) => paddedSide(side, model));
        const { data } = toPlanes({ ...picture(width, height), channels: 4 }, model.input.channels);
        const dims = [1, model.input.channels, height, width];
        const { [model.output.name]: output } = await session.run({
          [model.input.name]: new ort.Tensor('float32', data, dims),
        });
        const golden = await commands.runInNode({
          bundle,
          file: model.file,
          input: model.input.name,
          output: model.output.name,
          data: toBase64(data),
          dims,
        });
        const found = output?.data as Float32Array;
        expect(largestDifference(found, new Float32Array(fromBase64(golden).buffer))).toBeLessThan(tolerance);
      }
      await session.release();
    });
  });

  describe.each(DIRECTIONS)('%s', (direction) => {
    let translator: WebTranslator;
    beforeAll(async () => {
      translator = await createTranslator(address, { direction, device: 'wasm' });
    });
    afterAll(() => translator?.dispose());

    it.each([
      ['PNG', { format: 'png' }],
      ['PNG with alpha', { format: 'png', alpha: true }],
      ['WebP with alpha', { format: 'webp', alpha: true }],
      ['JPEG lying on its side', { format: 'jpeg', orientation: 6 }],
    ] as const)("gives the bytes of Node's PNG from a %s", async (_name, { format, ...more }) => {
      const alpha = 'alpha' in more ? (x: number, y: number) => (x * 9 + y * 5) % 256 : undefined;
      const { width, height, data } = picture(61, 42, alpha);
      const image = await commands.encodeImage({ width, height, rgba: toBase64(data), format, ...more });
      const inNode = await commands.translateInNode({ bundle, direction, image });
      const inBrowser = await translator.translate(new Blob([fromBase64(image)]));
      expect([inBrowser.width, inBrowser.height]).toEqual([inNode.width, inNode.height]);
      expect([inBrowser.width, inBrowser.height]).toEqual('orientation' in more ? [42, 61] : [61, 42]);
      const off = countFarOff(Uint8Array.from(inBrowser.data), fromBase64(inNode.rgba));
      expect(off).toBeLessThanOrEqual(inBrowser.data.length / 1000);
    });
  });
});

/** NaN where either is NaN. */
function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (b[i] ?? Number.NaN))), 0);
}

/** Values that differ by more than one level. */
function countFarOff(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((count, value, i) => count + (Math.abs(value - (b[i] ?? Number.NaN)) <= 1 ? 0 : 1), 0);
}
