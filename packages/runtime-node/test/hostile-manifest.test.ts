/** Manifests from someone who means harm, or from a damaged disk: each is taken or refused with one sentence. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseManifest } from '@cyclegan/runtime-core';
import { describe, expect, it } from 'vitest';
import { mutations } from './mutations.ts';
import { tinyBundle } from './support.ts';

const text = readFileSync(join(tinyBundle, 'manifest.json'), 'utf8');
const read = () => JSON.parse(text);

function refusal(json: unknown): string {
  try {
    parseManifest(json, 'bundle');
  } catch (error) {
    expect(error).toMatchObject({ name: 'CycleganError', code: 'bundle' });
    return error instanceof Error ? error.message : '';
  }
  throw new Error('the manifest was taken');
}

/** The tiny manifest with a field of its first model, or of a variant beside it, replaced. */
function withField(field: string, value: unknown): unknown[] {
  const json = read();
  const [model] = json.models;
  const { input, output, selfCheck, ...file } = model;
  const variant = {
    ...{ ...file, io: 'float32', layout: 'NCHW', size: null, part: 'tile', statistics: 8 },
    inputs: [{ name: 'image', dtype: 'float32', shape: ['N', 3, 'H', 'W'], image: null }],
    outputs: [{ name: 'translation', dtype: 'float32', shape: ['N', 3, 'H', 'W'], image: null }],
  };
  expect(() => parseManifest({ ...json, variants: [variant] }, 'bundle')).not.toThrow();
  return [
    { ...json, models: [{ ...model, [field]: value }] },
    { ...json, variants: [{ ...variant, [field]: value }] },
  ];
}

const PATHS = [
  '../AtoB.onnx',
  '/etc/passwd',
  '..\\AtoB.onnx',
  'C:\\AtoB.onnx',
  'sub/AtoB.onnx',
  'file:///AtoB.onnx',
  'https://example.org/AtoB.onnx',
  '.onnx',
  '..onnx',
  '-AtoB.onnx',
  'AtoB.onnx\u0000.png',
  'AtoB.onnx\n',
  '%2e%2e%2fAtoB.onnx',
  `${'a'.repeat(300)}.onnx`,
  '',
  7,
  null,
  ['AtoB.onnx'],
];

describe('hostile manifests', () => {
  it.each(PATHS)('refuses the file name %j in models and in variants', (file) => {
    for (const json of withField('file', file)) expect(refusal(json)).toMatch(/\.file is not valid/);
  });

  it.each([
    ['bytes', 2 ** 31],
    ['bytes', -1],
    ['bytes', 0.5],
    ['bytes', Number.NaN],
    ['bytes', Number.POSITIVE_INFINITY],
    ['bytes', '38474'],
    ['sha256', 'A'.repeat(64)],
    ['sha256', ''],
    ['minSize', 1e9],
    ['sizeMultiple', 0],
    ['direction', '__proto__'],
    ['precision', 'constructor'],
    ['opset', 1e300],
  ])('refuses %s of %j', (field, value) => {
    for (const json of withField(field, value)) expect(refusal(json)).toContain(`.${field} is not valid`);
  });

  it.each(['\u001b[2J', 'two\nlines', '\u0000', '\u009b31m'])(
    'refuses names with control characters: %j',
    (part) => {
      const json = read();
      expect(refusal({ ...json, name: `a${part}` })).toContain('field name ');
      expect(refusal({ ...json, licence: part })).toContain('field licence ');
      expect(refusal({ ...json, createdBy: { tool: part, version: '1' } })).toContain('createdBy.tool');
    },
  );

  it('refuses more models and variants than there can be', () => {
    const json = read();
    expect(refusal({ ...json, models: Array(65).fill(json.models[0]) })).toContain('models');
    expect(refusal({ ...json, models: Array(100_000).fill({}) })).toContain('models');
    expect(refusal({ ...json, variants: Array(257).fill({}) })).toContain('variants');
  });

  it('survives nesting of any depth', () => {
    const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    expect(refusal(deep)).toMatch(/something else/);
    expect(refusal({ ...read(), models: deep })).toContain('models');
    expect(parseManifest({ ...read(), unknown: deep }, 'bundle').name).toBe('tiny');
  });

  it('takes nothing from keys of prototypes', () => {
    const hostile = JSON.parse(
      text.replace('{', '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},'),
    );
    const manifest = parseManifest(hostile, 'bundle');
    expect(Object.keys(manifest)).not.toContain('__proto__');
    expect('polluted' in manifest).toBe(false);
    expect('polluted' in {}).toBe(false);
    const onlyInherited = JSON.parse(`{"__proto__":${text}}`);
    expect(refusal(onlyInherited)).toMatch(/something else/);
  });

  it('takes or refuses 2,000 damaged manifests, each refusal in one sentence', () => {
    const taken: unknown[] = [];
    const fields = new Set<string>();
    for (const json of mutations(read(), 2000, 20_251)) {
      try {
        taken.push(parseManifest(json, 'bundle'));
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        expect(error).toMatchObject({ name: 'CycleganError', code: 'bundle' });
        expect(message).toMatch(/^\[bundle\] \P{Cc}{20,600}\.$/u);
        fields.add(/field (\S+)/.exec(message)?.[1] ?? 'head');
      }
    }
    // What is taken is a manifest in every field; and the damage was of many kinds.
    for (const manifest of taken) expect(parseManifest(manifest, 'again')).toEqual(manifest);
    expect(taken.length).toBeLessThan(1000);
    expect(fields.size).toBeGreaterThan(30);
  });
});
