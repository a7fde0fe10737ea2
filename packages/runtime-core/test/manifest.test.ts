/** The manifest's schema against what a stranger's bundle may hold, and the choice of a model. */
import { readFileSync } from 'node:fs';
import { parseManifest, selectModel } from '@cyclegan/runtime-core';
import { describe, expect, it } from 'vitest';

const path = new URL('../../../test/fixtures/tiny-bundle/manifest.json', import.meta.url);
const read = () => JSON.parse(readFileSync(path, 'utf8'));

/** The tiny manifest with one field of its first model replaced. */
function withModel(change: object): unknown {
  const json = read();
  return { ...json, models: [{ ...json.models[0], ...change }] };
}

const image = { layout: 'NHWC', channels: 4, range: [0, 255] };

/** A variant as it is written: the bytes of a canvas in and out, at one size. */
const rgba8 = {
  direction: 'AtoB',
  precision: 'fp16-weights',
  file: 'AtoB.fp16-weights.rgba8.64x48.onnx',
  bytes: 1000,
  sha256: '0'.repeat(64),
  opset: 17,
  irVersion: 8,
  sizeMultiple: 4,
  minSize: 16,
  io: 'rgba8',
  layout: 'NHWC',
  size: { width: 64, height: 48 },
  part: 'whole',
  inputs: [{ name: 'image', dtype: 'uint8', shape: [1, 48, 64, 4], image }],
  outputs: [{ name: 'translation', dtype: 'uint8', shape: [1, 48, 64, 4], image }],
  statistics: null,
};

const withVariant = (change: object) => ({ ...read(), variants: [{ ...rgba8, ...change }] });
const quality = { psnr: 41.2, worst: 38, images: 12, of: 'held-out' };
const speed = { device: 'cpu', ratio: 1.9, width: 256, height: 256, threads: 2, machine: 'a CPU' };
const provenance = { kind: 'pytorch', name: 'latest_net_G.pth', sha256: 'a'.repeat(64) };

describe('parseManifest', () => {
  it('reads the tiny bundle, which is older than some fields', () => {
    const { models, variants, provenance } = parseManifest(read(), 'tiny');
    expect(models.map(({ direction }) => direction)).toEqual(['AtoB', 'BtoA']);
    expect(models[0]).toMatchObject({ quality: null, speed: [] });
    expect({ variants, provenance }).toEqual({ variants: [], provenance: null });
  });

  it('reads a foreign model with its figures, its origin and its variants', () => {
    const json = { ...read(), networks: { generator: null }, provenance, variants: [rgba8] };
    json.models[0] = { ...json.models[0], precision: 'fp16-weights', quality, speed: [speed] };
    expect(parseManifest(json, 'foreign')).toMatchObject(json);
  });

  it.each([
    ['nothing', null, 'something else'],
    ['another format', { format: 'zip', version: 1 }, 'something else'],
    ['a newer version', { ...read(), version: 2 }, 'version 1 or older, got 2. Update'],
    ['a path out of the folder', withModel({ file: '../secret.onnx' }), 'models.0.file'],
    ['an absolute path', withModel({ file: '/etc/x.onnx' }), 'models.0.file'],
    ['a Windows path', withModel({ file: 'a\\b.onnx' }), 'models.0.file'],
    ['a hidden file', withModel({ file: '.x.onnx' }), 'models.0.file'],
    ['a hash that is none', withModel({ sha256: 'abc' }), 'models.0.sha256'],
    ['no size', withModel({ bytes: 0 }), 'models.0.bytes'],
    ['an unknown direction', withModel({ direction: 'AtoC' }), 'models.0.direction'],
    ['no models', { ...read(), models: [] }, 'models'],
    ['a model twice', { ...read(), models: [...read().models, read().models[0]] }, 'one model for each'],
    ['a size without end', withModel({ bytes: JSON.parse('1e999') }), 'models.0.bytes'],
    [
      'a quality that is no number',
      withModel({ quality: { ...quality, psnr: null } }),
      'models.0.quality.psnr',
    ],
    [
      'a speed without end',
      withModel({ speed: [{ ...speed, ratio: JSON.parse('1e999') }] }),
      'speed.0.ratio',
    ],
    ['a list of speeds without end', withModel({ speed: Array(9).fill(speed) }), 'models.0.speed'],
    [
      'an origin that tells folders',
      { ...read(), provenance: { ...provenance, name: '/home/me/G.pth' } },
      'name',
    ],
    ['a variant out of the folder', withVariant({ file: '../a.onnx' }), 'variants.0.file'],
    ['a variant of no size', withVariant({ size: { width: 0, height: 8 } }), 'variants.0.size.width'],
    ['a variant of an endless size', withVariant({ size: { width: 8, height: 2 ** 40 } }), 'variants.0.size'],
    ['a variant without inputs', withVariant({ inputs: [] }), 'variants.0.inputs'],
    [
      'a hostile dimension',
      withVariant({ outputs: [{ ...rgba8.outputs[0], shape: [-1] }] }),
      'outputs.0.shape',
    ],
    ['a thousand variants', { ...read(), variants: Array(1000).fill(rgba8) }, 'variants'],
  ])('refuses %s', (_, json, message) => {
    expect(() => parseManifest(json, 'a/bundle')).toThrow(expect.objectContaining({ code: 'bundle' }));
    expect(() => parseManifest(json, 'a/bundle')).toThrow(message);
    expect(() => parseManifest(json, 'a/bundle')).toThrow('a/bundle');
  });
});

describe('selectModel', () => {
  const manifest = parseManifest(read(), 'tiny');
  const [first] = manifest.models;
  if (!first) throw new Error('the tiny bundle holds no model');
  const int8 = { ...first, precision: 'int8', file: 'AtoB.int8.onnx' } as const;
  const mixed = { ...manifest, models: [int8, ...manifest.models] };

  it('takes AtoB in fp32 unless asked otherwise', () => {
    expect(selectModel(mixed, {})).toMatchObject({ direction: 'AtoB', precision: 'fp32' });
    expect(selectModel(mixed, { precision: 'int8' })).toBe(int8);
    expect(selectModel(mixed, { direction: 'BtoA' })).toMatchObject({ direction: 'BtoA' });
  });

  it('takes what there is when there is no choice', () => {
    expect(selectModel({ ...manifest, models: [int8] }, {})).toBe(int8);
    const half = { ...int8, precision: 'fp16-weights', file: 'AtoB.fp16-weights.onnx' } as const;
    expect(selectModel({ ...manifest, models: [int8, half] }, {})).toBe(half);
    const back = { ...int8, direction: 'BtoA' } as const;
    expect(selectModel({ ...manifest, models: [back] }, {})).toBe(back);
  });

  it('says what the bundle holds when it does not hold what is asked', () => {
    expect(() => selectModel(mixed, { direction: 'BtoA', precision: 'int8' })).toThrow(
      'AtoB int8, AtoB fp32, BtoA fp32',
    );
  });
});
