/** The model that a device runs where the program does not say: by figures of this very machine, or by likeness. */
import { readFileSync } from 'node:fs';
import { chooseModels, type Manifest, type ModelEntry, parseManifest } from '@cyclegan/runtime-core';
import { describe, expect, it } from 'vitest';

const path = new URL('../../../test/fixtures/tiny-bundle/manifest.json', import.meta.url);
const tiny = parseManifest(JSON.parse(readFileSync(path, 'utf8')), 'tiny');
const [plain] = tiny.models;
if (!plain) throw new Error('the tiny bundle is empty');

const good: ModelEntry['quality'] = { psnr: 41, worst: 36, images: 8, of: 'held-out' };
const measured = (
  precision: ModelEntry['precision'],
  ratio: number,
  more: Partial<ModelEntry> = {},
): ModelEntry => ({
  ...plain,
  precision,
  quality: good,
  speed: [{ device: 'cpu', ratio, width: 256, height: 256, threads: 2, machine: 'This CPU' }],
  ...more,
});
const bundle = (...models: ModelEntry[]): Manifest => ({ ...tiny, models });
const choose = (
  manifest: Manifest,
  machine: string | undefined = 'This CPU',
  device: 'cpu' | 'cuda' = 'cpu',
) => chooseModels(manifest, { device, machine });
const precisions = (chosen: ReturnType<typeof choose>) => chosen.map(({ model }) => model.precision);

describe('chooseModels', () => {
  const int8 = measured('int8', 2.5);
  const half = measured('fp16-weights', 1.02);

  it('takes the fastest that is near enough, and then what is most like fp32', () => {
    const chosen = choose(bundle(plain, half, int8));
    expect(precisions(chosen)).toEqual(['int8', 'fp32']);
    expect(chosen[0]?.precisionReason).toBe(
      'int8 was measured 2.50 times as fast as fp32 on This CPU, at 41.0 dB to fp32 over held-out images (worst 36.0).',
    );
    expect(chosen[1]?.precisionReason).toMatch(
      /^fp32 is the most exact .*; int8, which is faster, was passed over/,
    );
  });

  const cpu = (change: Partial<ModelEntry['speed'][number]>) =>
    int8.speed.map((each) => ({ ...each, ...change }));
  it.each<[string, ModelEntry]>([
    ['a mean too far off', measured('int8', 2.5, { quality: { ...good, psnr: 39.9 } })],
    ['one image too far off', measured('int8', 2.5, { quality: { ...good, worst: 34.9 } })],
    ['calibration images alone', measured('int8', 2.5, { quality: { ...good, of: 'calibration' } })],
    ['synthetic images alone', measured('int8', 2.5, { quality: { ...good, of: 'synthetic' } })],
    ['no figures of quality', measured('int8', 2.5, { quality: null })],
    ['another processor', measured('int8', 2.5, { speed: cpu({ machine: 'Another CPU' }) })],
    ['another device', measured('int8', 2.5, { speed: cpu({ device: 'wasm' }) })],
    ['no figures of speed', measured('int8', 2.5, { speed: [] })],
    ['a gain within the noise', measured('int8', 1.19)],
  ])('keeps to fp32 where the faster one has %s', (_, model) => {
    expect(precisions(choose(bundle(plain, model)))).toEqual(['fp32']);
  });

  it('cannot know a machine without a name', () => {
    expect(precisions(chooseModels(bundle(plain, int8), { device: 'cpu', machine: undefined }))).toEqual([
      'fp32',
    ]);
  });

  it('chooses for each device by its own figures', () => {
    const onGpu = {
      device: 'cuda',
      ratio: 1.8,
      width: 256,
      height: 256,
      threads: 1,
      machine: 'GPU',
    } as const;
    const fp16 = measured('fp16', 1, { speed: [onGpu] });
    const all = bundle(plain, fp16, int8);
    expect(precisions(choose(all, 'GPU', 'cuda'))).toEqual(['fp16', 'fp32']);
    expect(precisions(choose(all))).toEqual(['int8', 'fp32']);
  });

  it('compares with the likest where there is no fp32', () => {
    expect(precisions(choose(bundle(measured('fp16-weights', 1), int8)))).toEqual(['int8', 'fp16-weights']);
    expect(precisions(choose(bundle(measured('fp16-weights', 2.4), int8)))).toEqual(['fp16-weights']);
  });

  it('takes what is asked for, or the only one, and says so', () => {
    const all = bundle(plain, int8, half);
    const [asked, ...none] = chooseModels(all, {
      device: 'cpu',
      machine: 'This CPU',
      precision: 'fp16-weights',
    });
    expect(asked).toEqual({ model: half, precisionReason: 'fp16-weights was asked for.' });
    expect(none).toEqual([]);
    expect(choose(bundle(plain))[0]?.precisionReason).toBe('The bundle has AtoB as fp32 alone.');
    expect(() => chooseModels(all, { device: 'cpu', machine: undefined, direction: 'BtoA' })).toThrow(
      'AtoB fp32',
    );
  });
});
