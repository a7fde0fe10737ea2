/** Which model on which device: by the manifest's figures, by files, and by the self-check. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Manifest, ModelEntry } from '@cyclegan/runtime-core';
import { cpuName, createTranslator } from '@cyclegan/runtime-node';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, tinyBundle } from './support.ts';

/** The tiny bundle with an `int8` that was measured here; it is the same file, so that any answer of it is right. */
function measuredBundle(change: Partial<ModelEntry> = {}, machine = cpuName()): string {
  const folder = join(temporaryFolder(), 'bundle');
  cpSync(tinyBundle, folder, { recursive: true });
  const manifest: Manifest = JSON.parse(readFileSync(join(tinyBundle, 'manifest.json'), 'utf8'));
  const [plain] = manifest.models;
  if (!plain) throw new Error('the tiny bundle is empty');
  const int8: ModelEntry = {
    ...plain,
    precision: 'int8',
    quality: { psnr: 44, worst: 38, images: 8, of: 'held-out' },
    speed: [{ device: 'cpu', ratio: 2.5, width: 256, height: 256, threads: 2, machine }],
    ...change,
  };
  writeFileSync(
    join(folder, 'manifest.json'),
    JSON.stringify({ ...manifest, models: [...manifest.models, int8] }),
  );
  return folder;
}

async function infoOf(bundle: string) {
  const translator = await createTranslator(bundle, { device: 'cpu', direction: 'AtoB' });
  await translator.dispose();
  return translator.info;
}

describe('the precision', () => {
  it('is the one that was measured to be faster on this processor and near enough', async () => {
    expect(await infoOf(measuredBundle())).toMatchObject({
      precision: 'int8',
      precisionReason: expect.stringContaining(`2.50 times as fast as fp32 on ${cpuName()}, at 44.0 dB`),
      fallbacks: [],
    });
  });

  it('is fp32 where the figures are of another processor', async () => {
    expect(await infoOf(measuredBundle({}, 'Another CPU'))).toMatchObject({
      precision: 'fp32',
      precisionReason: expect.stringMatching(/^fp32 is the most exact .* no other was measured on cpu/),
      fallbacks: [],
    });
  });

  it('falls back on the same device when the faster one does not pass its self-check', async () => {
    const manifest: Manifest = JSON.parse(readFileSync(join(tinyBundle, 'manifest.json'), 'utf8'));
    const [own, other] = manifest.models.map(({ selfCheck }) => selfCheck);
    if (!own || !other) throw new Error('the tiny bundle lacks a model');
    const bundle = measuredBundle({ selfCheck: { ...own, output: other.output } });
    expect(await infoOf(bundle)).toMatchObject({
      device: 'cpu',
      precision: 'fp32',
      fallbacks: [{ device: 'cpu', reason: expect.stringMatching(/^\[self-check\] output: expected/) }],
    });
  });
});

describe('TensorRT', () => {
  /** What `absence` says in a package folder of its own, where onnxruntime-node has the files given. */
  async function absenceWith(files: readonly string[], libraries: readonly string[] = []) {
    const root = temporaryFolder();
    const built = dirname(fileURLToPath(import.meta.resolve('@cyclegan/runtime-node')));
    cpSync(join(built, 'translator', 'devices.js'), join(root, 'devices.mjs'));
    const modules = join(root, 'node_modules');
    mkdirSync(join(modules, '@cyclegan'), { recursive: true });
    const core = dirname(dirname(fileURLToPath(import.meta.resolve('@cyclegan/runtime-core'))));
    symlinkSync(core, join(modules, '@cyclegan', 'runtime-core'));
    const ort = join(modules, 'onnxruntime-node');
    const providers = join(ort, 'bin', 'napi-v6', process.platform, process.arch);
    const loaded = join(root, 'lib');
    for (const folder of [join(ort, 'dist'), providers, loaded]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(ort, 'dist', 'index.js'), '');
    writeFileSync(join(ort, 'package.json'), JSON.stringify({ main: 'dist/index.js' }));
    for (const file of files) writeFileSync(join(providers, file), '');
    for (const file of libraries) writeFileSync(join(loaded, file), '');
    const program = `import { absence } from './devices.mjs';
      console.log(JSON.stringify(['tensorrt', 'cuda'].map((device) => absence(device) ?? null)));`;
    const env = { ...process.env, LD_LIBRARY_PATH: loaded };
    const args = ['--input-type=module', '-e', program];
    return JSON.parse((await promisify(execFile)(process.execPath, args, { cwd: root, env })).stdout);
  }
  const tensorrt = 'libonnxruntime_providers_tensorrt.so';
  const cuda = 'libonnxruntime_providers_cuda.so';

  it.skipIf(process.platform !== 'linux' || process.arch !== 'x64')(
    'is told absent from files: its provider, and TensorRT itself (needs Linux on x64)',
    async () => {
      const missing = (name: string) => expect.stringContaining(`${name} is not beside onnxruntime-node`);
      expect(await absenceWith([])).toEqual([missing(tensorrt), missing(cuda)]);
      expect(await absenceWith([tensorrt, cuda])).toEqual([
        expect.stringMatching(/^libnvinfer\.so.* is nowhere that the loader looks/),
        null,
      ]);
      expect(await absenceWith([tensorrt], ['libnvinfer.so.10'])).toEqual([null, missing(cuda)]);
    },
  );
});
