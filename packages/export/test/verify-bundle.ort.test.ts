/** verifyBundle: a sound bundle passes every row, and each way to spoil one fails the row that is there for it. */
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportBundle, generatorGraph, type VerifyRow, verifyBundle } from '@cyclegan/export';
import { Graph, readOnnx, Tanh, writeOnnx } from '@cyclegan/graph';
import { writeCheckpoint } from '@cyclegan/model';
import type { Manifest, ModelEntry } from '@cyclegan/runtime-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MadeBundle, makeBundle, makeRun, randomWeights } from '../../../test/support/make-bundle.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';

const dir = mkdtempSync(join(tmpdir(), 'cyclegan-test-'));
let made: MadeBundle;
beforeAll(async () => {
  made = await makeBundle({ dir });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const file = 'file as the manifest says';
const fromSource = ['source against its imported graph', 'imported graph against the file'];
const comparisons = [
  file,
  ...fromSource,
  'self-check patch against the file',
  'file read and written again against the file',
  'batch of 2 against singles',
  'translator against the file, one 8-bit level allowed',
];
const onCpu = 'on cpu, optimised, against the file';
/** Each would be a process of its own. */
const devices = [] as const;

/** A copy of the bundle that a test may spoil. */
function copy(): string {
  const folder = temporaryFolder();
  cpSync(made.bundle, folder, { recursive: true });
  return folder;
}
async function changeManifest(bundle: string, change: (manifest: Manifest) => void): Promise<void> {
  const path = join(bundle, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  change(manifest);
  await writeFile(path, JSON.stringify(manifest));
}
/** Puts another model in the place of AtoB's, with a manifest that vouches for it. */
async function replaceModel(
  bundle: string,
  bytes: Uint8Array,
  more: Partial<ModelEntry> = {},
): Promise<void> {
  await writeFile(join(bundle, 'AtoB.fp32.onnx'), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await changeManifest(bundle, ({ models: [entry] }) => {
    Object.assign(entry ?? {}, { bytes: bytes.length, sha256, ...more });
  });
}
const failed = (rows: VerifyRow[]) =>
  rows.filter(({ ok }) => !ok).map((row) => `${row.model}: ${row.comparison}`);

test('a sound bundle passes every row, with numbers', async () => {
  const { ok, rows, placements } = await verifyBundle({
    bundle: made.bundle,
    source: made.run,
    devices: ['cpu'],
  });
  expect(ok).toBe(true);
  expect(rows.map(({ model, comparison }) => `${model}: ${comparison}`)).toEqual(
    ['AtoB fp32', 'BtoA fp32'].flatMap((model) =>
      [...comparisons, onCpu].map((comparison) => `${model}: ${comparison}`),
    ),
  );
  for (const { comparison, maxError, meanError, psnr, ssim, tolerance, leastPsnr, note } of rows) {
    expect([note, leastPsnr]).toEqual([undefined, null]);
    if (comparison === file)
      expect([maxError, meanError, psnr, ssim, tolerance]).toEqual(Array(5).fill(null));
    else {
      expect(maxError).toBeLessThanOrEqual(tolerance ?? Number.NaN);
      expect(meanError).toBeLessThanOrEqual(maxError ?? Number.NaN);
      expect(psnr).toBeGreaterThan(100);
      if (!comparison.startsWith('translator')) expect(ssim).toBeCloseTo(1, 6);
    }
  }
  const optimised = rows.find(({ comparison }) => comparison === onCpu);
  expect(optimised?.maxError).toBeGreaterThan(0);
  expect(placements.map(({ model, device }) => `${model} on ${device}`)).toEqual([
    'AtoB fp32 on cpu',
    'BtoA fp32 on cpu',
  ]);
  for (const { nodes, fellBack } of placements) {
    expect(nodes).toContainEqual({ op: 'InstanceNormalization', provider: 'CPUExecutionProvider', count: 7 });
    expect(fellBack).toEqual([]);
  }
});

test('without a source that row is left out, and said so', async () => {
  const { ok, rows, skipped } = await verifyBundle({ bundle: made.bundle, devices });
  expect(ok).toBe(true);
  expect(rows).toHaveLength(2 * (comparisons.length - fromSource.length));
  expect(skipped).toContain('[verify] comparison with the source: left out, because no source was named.');
});

test('one flipped bit in a model fails its file, and nothing of it is run', async () => {
  const bundle = copy();
  const path = join(bundle, 'AtoB.fp32.onnx');
  const bytes = await readFile(path);
  bytes[20_000] = (bytes[20_000] ?? 0) ^ 1;
  await writeFile(path, bytes);
  const { ok, rows } = await verifyBundle({ bundle, devices });
  expect(ok).toBe(false);
  expect(failed(rows)).toEqual([`AtoB fp32: ${file}`]);
  expect(rows.filter(({ model }) => model === 'AtoB fp32')).toHaveLength(1);
  expect(rows[0]?.note).toMatch(/expected SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}/);
});

test.each([
  ['cut short', (path: string) => writeFile(path, 'half'), /expected \d+ bytes, got 4/],
  ['missing', (path: string) => rm(path), /ENOENT/],
] as const)('a model that is %s fails its file', async (_, spoil, note) => {
  const bundle = copy();
  await spoil(join(bundle, 'BtoA.fp32.onnx'));
  const { rows } = await verifyBundle({ bundle, devices });
  expect(failed(rows)).toEqual([`BtoA fp32: ${file}`]);
  expect(rows.at(-1)?.note).toMatch(note);
});

test('other weights fail the self-check and the checkpoint, though the manifest vouches for the file', async () => {
  const bundle = copy();
  const weights = randomWeights(made.networks, 99);
  const bytes = writeOnnx(generatorGraph({ config: made.networks.generator, weights, direction: 'AtoB' }));
  await replaceModel(bundle, bytes);
  const { rows } = await verifyBundle({ bundle, source: made.run, devices });
  expect(failed(rows)).toEqual([
    'AtoB fp32: imported graph against the file',
    'AtoB fp32: self-check patch against the file',
    // The runtime refuses what fails its self-check.
    'AtoB fp32: translator against the file, one 8-bit level allowed',
  ]);
  expect(rows.find(({ ok }) => !ok)?.maxError).toBeGreaterThan(0.1);
  expect(rows.findLast(({ ok }) => !ok)?.note).toMatch(/self-check/);
});

test('a spoiled patch fails the self-check, by itself and in the translator', async () => {
  const bundle = copy();
  await changeManifest(bundle, ({ models: [, entry] }) => {
    if (entry) entry.selfCheck.output = entry.selfCheck.input;
  });
  const { rows } = await verifyBundle({ bundle, source: made.run, devices });
  expect(failed(rows)).toEqual([
    'BtoA fp32: self-check patch against the file',
    'BtoA fp32: translator against the file, one 8-bit level allowed',
  ]);
});

test('a patch of another size is a row that says so', async () => {
  const bundle = copy();
  await changeManifest(bundle, ({ models: [entry] }) => {
    if (entry) entry.selfCheck.width = 16;
  });
  const { rows } = await verifyBundle({ bundle, devices });
  expect(failed(rows)[0]).toBe('AtoB fp32: self-check patch against the file');
});

test('NaN is no agreement', async () => {
  const bundle = copy();
  const weights = new Map(made.weights);
  for (const [key, { shape, data }] of weights) weights.set(key, { shape, data: data.map(() => Number.NaN) });
  const bytes = writeOnnx(generatorGraph({ config: made.networks.generator, weights, direction: 'AtoB' }));
  await replaceModel(bundle, bytes);
  const { rows } = await verifyBundle({ bundle, source: made.run, devices });
  expect(
    rows.filter(({ model, ok }) => model === 'AtoB fp32' && ok).map(({ comparison }) => comparison),
  ).toEqual([file]);
});

test.each([
  ['opset', { opset: 16 }, /expected opset 16 as in the manifest, got 17/],
  ['names', { input: { name: 'x' } }, /expected input x as in the manifest, got image/],
  ['channels', { output: { channels: 1 } }, /expected output channels 1 as in the manifest, got 3/],
] as const)('a manifest with other %s than the file fails the file', async (_, change, note) => {
  const bundle = copy();
  await changeManifest(bundle, ({ models: [entry] }) => {
    for (const [key, value] of Object.entries(change)) {
      const old = entry?.[key as keyof ModelEntry];
      const merged = typeof value === 'object' && typeof old === 'object' ? { ...old, ...value } : value;
      Object.assign(entry ?? {}, { [key]: merged });
    }
  });
  const { rows } = await verifyBundle({ bundle, devices });
  expect(failed(rows)).toEqual([`AtoB fp32: ${file}`]);
  expect(rows[0]?.note).toMatch(note);
});

test('a model that cannot be run fails its file, or what it cannot do', async () => {
  const bundle = copy();
  await replaceModel(bundle, new TextEncoder().encode('no model'));
  expect(failed((await verifyBundle({ bundle, devices })).rows)).toEqual([`AtoB fp32: ${file}`]);

  const fixed = new Graph('fixed');
  fixed.output('translation', fixed.op(Tanh, [fixed.input('image', 'float32', [1, 3, 20, 32])]));
  await replaceModel(bundle, writeOnnx(fixed));
  const { rows } = await verifyBundle({ bundle, devices: ['cpu'] });
  expect(failed(rows)).toContain('AtoB fp32: on cpu, optimised, against the file');
  expect(rows.find(({ comparison }) => comparison === onCpu)?.note).toMatch(/dimension|shape/i);
});

test('a source that has gone on fails its row, with the steps', async () => {
  const later = await makeRun({ run: join(temporaryFolder(), 'run'), seed: 2, step: 11 });
  const { rows } = await verifyBundle({ bundle: made.bundle, source: later.run, devices });
  expect(failed(rows)).toEqual(
    ['AtoB fp32', 'BtoA fp32'].map((model) => `${model}: imported graph against the file`),
  );
  expect(rows.find(({ ok }) => !ok)?.note).toBe('the bundle is of step 10, the source of step 11');
});

test('what is no bundle, or no source, is an error', async () => {
  const empty = temporaryFolder();
  await expect(verifyBundle({ bundle: empty })).rejects.toMatchObject({ code: 'bundle' });
  await expect(verifyBundle({ bundle: made.bundle, source: empty })).rejects.toMatchObject({ code: 'input' });
  const bundle = copy();
  await changeManifest(bundle, (manifest) => Object.assign(manifest, { version: 2 }));
  await expect(verifyBundle({ bundle, devices })).rejects.toMatchObject({
    code: 'bundle',
    message: expect.stringMatching(/version 1 or older, got 2/),
  });
});

test('stops between comparisons when it is asked to, and counts to the end when it is not', async () => {
  await expect(verifyBundle({ bundle: made.bundle, signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'aborted',
  });
  const controller = new AbortController();
  const seen: string[] = [];
  const call = verifyBundle({
    bundle: made.bundle,
    signal: controller.signal,
    devices,
    onProgress: ({ done, total, what }) => {
      seen.push(`${done}/${total} ${what}`);
      if (what.includes('batch')) controller.abort();
    },
  });
  await expect(call).rejects.toMatchObject({ code: 'aborted' });
  expect(seen.at(-1)).toBe('0/2 AtoB fp32: batch of 2 against singles');
  const ends: string[] = [];
  await verifyBundle({
    bundle: made.bundle,
    devices,
    onProgress: ({ done, total }) => ends.push(`${done}/${total}`),
  });
  expect(ends.at(-1)).toBe('2/2');
});

test('reading and writing a model gives its bytes back', async () => {
  const bytes = await readFile(join(made.bundle, 'AtoB.fp32.onnx'));
  const { graph, metadata } = readOnnx(bytes);
  const { tool, version } = made.manifest.createdBy;
  const again = writeOnnx(graph, { metadata, producer: { name: tool, version } });
  expect(Buffer.compare(again, bytes)).toBe(0);
});

test('a network that magnifies rounding is allowed what rounding makes of it, and no more', async () => {
  const folder = temporaryFolder();
  const run = join(folder, 'run');
  const { networks, weights } = await makeRun({ run, generator: { norm: 'batch' }, blocks: 2 });
  // Statistics of another scale than the values, as after no training: what is added up grows a thousandfold.
  for (const [key, { shape, data }] of weights) {
    const large = key.endsWith('running_var') && /model\.(2|5|8)\./.test(key);
    if (large) weights.set(key, { shape, data: data.map(() => 1e-3) });
  }
  const metadata = { networks: JSON.stringify(networks) };
  await writeCheckpoint({ run, step: 20, weights, optimizer: new Map(), state: {}, metadata });
  const { bundle } = await exportBundle({ source: run, out: join(folder, 'bundle'), direction: 'AtoB' });
  const sound = await verifyBundle({ bundle, source: run, devices });
  expect(failed(sound.rows)).toEqual([]);
  const row = sound.rows.find(({ comparison }) => comparison === fromSource[1]);
  expect(row?.tolerance ?? 1).toBeGreaterThan(1e-4);

  const other = randomWeights(networks, 99);
  const bytes = writeOnnx(generatorGraph({ config: networks.generator, weights: other, direction: 'AtoB' }));
  await replaceModel(bundle, bytes);
  expect(failed((await verifyBundle({ bundle, source: run, devices })).rows)).toContain(
    `AtoB fp32: ${fromSource[1]}`,
  );
});
