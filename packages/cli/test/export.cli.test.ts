/** `cyclegan export` and `cyclegan verify` as a shell sees them: any source in, words, JSON and exit codes out. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { makeRun } from '../../../test/support/make-bundle.ts';
import { cli, lastJson, temporaryFolder } from './support/run-cli.ts';

const fixture = (path: string) => fileURLToPath(new URL(`../../../test/fixtures/${path}`, import.meta.url));
const run = fixture('exported/run');

test.each([
  ['a run', run, ['AtoB', 'BtoA']],
  ['a PyTorch file', fixture('pytorch/resnet6.pth'), ['AtoB']],
  ['a tfjs model', fixture('tfjs/cyclegan-float16/model.json'), ['AtoB']],
  ['an ONNX file', fixture('exported/bundle/BtoA.fp32.onnx'), ['BtoA']],
])('%s becomes a bundle that verifies', async (_, source, directions) => {
  const out = join(temporaryFolder(), 'bundle');
  const exported = await cli(['export', source, '--out', out, '--json']);
  expect(exported).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\{.*\}\n$/) });
  expect(lastJson(exported.stdout)).toMatchObject({
    bundle: out,
    models: directions.map((direction) => ({ direction, precision: 'fp32' })),
    variants: [],
    triton: [],
    reports: directions.map((direction) => ({ direction, quantization: null })),
  });
  const verified = await cli(['verify', out, '--source', source, '--device', 'cpu', '--json']);
  expect(verified.code).toBe(0);
  expect(lastJson(verified.stdout)).toMatchObject({ ok: true });
});

test('precisions and all that may go with them', async () => {
  const folder = temporaryFolder();
  const photos = join(folder, 'photos');
  await mkdir(photos);
  for (let i = 0; i < 6; i += 1) {
    const noise = { type: 'gaussian', mean: 80 + 20 * i, sigma: 30 } as const;
    await sharp({ create: { width: 32, height: 32, channels: 3, background: 'teal', noise } }).toFile(
      join(photos, `${i}.png`),
    );
  }
  const out = join(folder, 'bundle');
  const options = ['--precision', 'fp16-weights,fp32', '--calibrate', photos, '--direction', 'AtoB'];
  const extras = [
    '--io',
    'rgba8',
    '--size',
    '32x16',
    '--tiles',
    '--card',
    '--triton',
    join(folder, 'models'),
  ];
  const { code, stdout, stderr } = await cli([
    'export',
    run,
    '--out',
    out,
    ...options,
    ...extras,
    '--verbose',
  ]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Exported run to .*bundle:\n {2}AtoB\.fp32\.onnx, /);
  expect(stdout).toMatch(
    / {2}AtoB\.fp16-weights\.onnx, .*, PSNR to fp32 [\d.]+ dB \(worst [\d.]+ of 2 held-out images\), [\d.]+ times/,
  );
  expect(stdout).toMatch(/ {2}AtoB\.fp32\.rgba8\.32x16\.onnx, /);
  expect(stdout).toMatch(/\nNext: cyclegan verify .*bundle --source .*run\n$/);
  expect(stderr).toMatch(/^AtoB [\w ]+: \d+ → \d+ nodes$/m);
  expect(readFileSync(join(out, 'README.md'), 'utf8')).toContain('# run');
  expect(readFileSync(join(folder, 'models', 'run_AtoB_fp32', 'config.pbtxt'), 'utf8')).toContain(
    'onnxruntime',
  );
});

test('what int8 is made with changes it', async () => {
  const folder = temporaryFolder();
  for (let i = 0; i < 6; i += 1) {
    const noise = { type: 'gaussian', mean: 60 + 25 * i, sigma: 40 } as const;
    const create = { width: 32, height: 32, channels: 3, background: 'teal', noise } as const;
    await sharp({ create }).toFile(join(folder, `${i}.png`));
  }
  // The tiny fixture's convolutions are too narrow to be worth integers.
  const { run: wide } = await makeRun({ run: join(folder, 'run'), ngf: 16, blocks: 1 });
  const out = join(folder, 'bundle');
  const made = async (...options: string[]) => {
    const named = ['--precision', 'int8', '--direction', 'AtoB', '--calibrate', folder];
    const { code, stderr } = await cli(['export', wide, '--out', out, ...named, ...options]);
    expect(code).toBe(0);
    const { models } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
    return { sha256: models[0].sha256, stderr };
  };
  const usual = await made();
  expect(usual.stderr).not.toContain('no convolution');
  const others = [
    await made('--calibrate-method', 'entropy'),
    await made('--reduce-range'),
    await made('--psnr', '140'),
  ];
  expect(new Set([usual, ...others].map(({ sha256 }) => sha256)).size).toBe(4);
  expect(others[2]?.stderr).toContain('no convolution could be put on integers at 140 dB');
});

test('what cannot be exported is one sentence', async () => {
  const out = join(temporaryFolder(), 'bundle');
  for (const [args, code, message] of [
    [[run, '--target', 'cpu'], 2, /expected a folder of images for int8/],
    [[fixture('pytorch/patch3.pth')], 1, /expected a generator, got a patch discriminator/],
    [
      [fixture('tfjs/mobile')],
      1,
      /turns \[N, 3, H, W\] into .* It can be imported by a program, but not bundled\./,
    ],
    [[fixture('make-tiny-bundle.py')], 1, /or an \.onnx, got a file of another kind \(\.py\)/],
    [[fixture('exported/bundle/BtoA.fp32.onnx'), '--input-name', 'x'], 1, /input "x", got none of that name/],
    [[fixture('exported/bundle/BtoA.fp32.onnx'), '--size', '30'], 2, /multiple of 4, got 30/],
  ] as const) {
    const result = await cli(['export', ...args, '--out', out]);
    expect(result.stderr.replace(/^export .*\n/gm, '')).toMatch(/^\[export\] [^\n]*\.\n$/);
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
  }
});

test('verify prints the comparisons and where nodes run, and ends with 1 when one is beyond its limit', async () => {
  const out = join(temporaryFolder(), 'bundle');
  await cp(fixture('exported/bundle'), out, { recursive: true });
  const sound = await cli(['verify', out, '--device', 'cpu']);
  expect(sound.code).toBe(0);
  expect(sound.stdout).toMatch(/^ +model +compared +largest +mean +PSNR +SSIM +allowed$/m);
  expect(sound.stdout).toMatch(
    /^ok +AtoB fp32 +on cpu, optimised, against the file +\S+ +\S+ +\S+ +\S+ +1\.0e-4$/m,
  );
  expect(sound.stdout).toMatch(/^AtoB fp32 +cpu +\d+ +none$/m);
  expect(sound.stderr).toMatch(
    /^\[verify\] comparison with the source: left out, because no source was named\.$/m,
  );

  const path = join(out, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  manifest.models[0].selfCheck.output = manifest.models[0].selfCheck.input;
  writeFileSync(path, JSON.stringify(manifest));
  const spoiled = await cli(['verify', out, '--device', 'cpu']);
  expect(spoiled.code).toBe(1);
  expect(spoiled.stdout).toMatch(/^FAIL +AtoB fp32 +self-check patch against the file/m);
});
