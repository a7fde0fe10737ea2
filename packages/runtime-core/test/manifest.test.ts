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

describe('parseManifest', () => {
  it('reads the tiny bundle', () => {
    expect(parseManifest(read(), 'tiny').models.map(({ direction }) => direction)).toEqual(['AtoB', 'BtoA']);
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
    const back = { ...int8, direction: 'BtoA' } as const;
    expect(selectModel({ ...manifest, models: [back] }, {})).toBe(back);
  });

  it('says what the bundle holds when it does not hold what is asked', () => {
    expect(() => selectModel(mixed, { direction: 'BtoA', precision: 'int8' })).toThrow(
      'AtoB int8, AtoB fp32, BtoA fp32',
    );
  });
});
