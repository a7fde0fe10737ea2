/** The committed tiny bundle is what its script makes: the same graph and weights, the same answers of PyTorch. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseManifest } from '@cyclegan/runtime-core';
import { expect, it } from 'vitest';
import { python } from '../../scripts/test-tools.mjs';

const fixtures = join(import.meta.dirname, '../fixtures');
const missing = !python('import torch, onnx');

it.skipIf(missing)('tiny-bundle (needs Python with torch and onnx)', ({ onTestFinished }) => {
  const folder = mkdtempSync(join(tmpdir(), 'cyclegan-oracle-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  // The script runs onnx.checker with full_check over what it writes.
  const script = join(fixtures, 'make-tiny-bundle.py');
  execFileSync(process.env['PYTHON'] ?? '/usr/bin/python3', [script, folder], { stdio: 'pipe' });

  const manifest = (root: string) =>
    parseManifest(JSON.parse(readFileSync(join(root, 'tiny-bundle', 'manifest.json'), 'utf8')), root);
  const made = manifest(folder).models;
  for (const [i, model] of manifest(fixtures).models.entries()) {
    const { file } = model;
    const bytes = (root: string) => readFileSync(join(root, 'tiny-bundle', file));
    expect(bytes(folder).equals(bytes(fixtures)), file).toBe(true);
    expect(made[i]).toMatchObject({ ...model, selfCheck: { input: model.selfCheck.input } });
    expect(largestDifference(floats(made[i]?.selfCheck.output), floats(model.selfCheck.output))).toBeLessThan(
      1e-4,
    );
  }
  const golden = (root: string) => JSON.parse(readFileSync(join(root, 'tiny-golden.json'), 'utf8')).outputs;
  for (const direction of ['AtoB', 'BtoA']) {
    const [ours, theirs] = [folder, fixtures].map((root) => Buffer.from(golden(root)[direction], 'base64'));
    expect(largestDifference(ours, theirs)).toBeLessThanOrEqual(1);
  }
});

function floats(base64 = ''): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}

function largestDifference(a: ArrayLike<number> = [], b: ArrayLike<number> = []): number {
  expect(a.length).toBe(b.length);
  expect(a.length).toBeGreaterThan(0);
  return Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - (b[i] ?? 0))), 0);
}
