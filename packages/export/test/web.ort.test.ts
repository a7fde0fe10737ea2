/** Bundles in memory, for programs without Node: the very files and manifest that a bundle on disk has. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleInMemory, type MemoryBundleOptions } from '@cyclegan/export/web';
import { parseManifest } from '@cyclegan/runtime-core';
import { expect, it } from 'vitest';
import { type MadeBundle, makeBundle } from '../../../test/support/make-bundle.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { openCpuSession } from '../dist/ort/session.js';

const optionsOf = ({ manifest, networks, weights }: MadeBundle): MemoryBundleOptions => ({
  name: manifest.name,
  licence: manifest.licence,
  training: manifest.training,
  config: networks.generator,
  weights,
  openSession: openCpuSession,
  sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
});

it.each([
  ['a resnet', {}],
  [
    'a unet with batch norm, from grey to colour',
    { kind: 'unet', downs: 5, norm: 'batch', inputChannels: 1 },
  ],
] as const)('has the files and manifest of exportBundle, of %s', async (_name, generator) => {
  const made = await makeBundle({ dir: temporaryFolder(), generator });
  const { manifest, files } = await bundleInMemory(optionsOf(made));
  expect([...files.keys()]).toEqual(['AtoB.fp32.onnx', 'BtoA.fp32.onnx']);
  for (const [file, bytes] of files) {
    expect(Buffer.compare(bytes, await readFile(join(made.bundle, file)))).toBe(0);
  }
  // Nobody knows a file that the weights came from.
  expect({ ...manifest, createdAt: '' }).toEqual({ ...made.manifest, createdAt: '', provenance: null });
  expect(parseManifest(JSON.parse(JSON.stringify(manifest)), 'memory')).toEqual(manifest);
});

it('refuses weights of another network, and those of a training that diverged', async () => {
  const made = await makeBundle({ dir: temporaryFolder() });
  const options = optionsOf(made);
  const without = new Map([...made.weights].filter(([key]) => key !== 'G_A.model.1.weight'));
  await expect(bundleInMemory({ ...options, weights: without })).rejects.toMatchObject({
    code: 'bundle',
    message: expect.stringMatching(/expected G_A\.model\.1\.weight of \[\d+, 3, 7, 7\], got none/),
  });
  const diverged = new Map(made.weights);
  const first = diverged.get('G_B.model.1.weight');
  diverged.set('G_B.model.1.weight', {
    shape: first?.shape ?? [],
    data: new Float32Array(first?.data.length ?? 0).fill(Number.NaN),
  });
  await expect(bundleInMemory({ ...options, weights: diverged })).rejects.toMatchObject({
    code: 'bundle',
    message: expect.stringMatching(/BtoA: expected it to answer with numbers, got NaN/),
  });
  await expect(bundleInMemory({ ...options, signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'aborted',
  });
});

it('names the version in its package.json', async () => {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  const { manifest } = await makeBundle({ dir: temporaryFolder(), direction: 'AtoB' });
  expect(manifest.createdBy).toEqual({ tool: 'cyclegan', version });
});
