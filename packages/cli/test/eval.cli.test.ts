/** `cyclegan eval` as a shell sees it: the numbers, the files, what each option changes, and wrong input. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { writeFeatureModel } from '../../../test/support/feature-model.ts';
import { makeBundle } from '../../../test/support/make-bundle.ts';
import { cli, lastJson, temporaryFolder } from './support/run-cli.ts';

/** A bundle with random weights, and folders of images. */
async function scene({ endings = ['_A', '_B'], count = 3, inputChannels = 3 as 1 | 3 } = {}) {
  const dir = temporaryFolder();
  const { run, bundle } = await makeBundle({ dir, generator: { inputChannels } });
  const folders = ['a', 'b'].map((name) => join(dir, name));
  for (const [domain, folder] of folders.entries()) {
    mkdirSync(folder);
    for (let image = 0; image < count; image++) {
      const pixels = Uint8Array.from(
        { length: 3 * 40 * 40 },
        (_, at) => 120 + 100 * Math.sin(at * (0.01 + image) + domain),
      );
      const raw = { width: 40, height: 40, channels: 3 } as const;
      await sharp(pixels, { raw })
        .png()
        .toFile(join(folder, `${image}${endings[domain]}.png`));
    }
  }
  const [a = '', b = ''] = folders;
  return { dir, run, bundle, a, b, images: ['--a', a, '--b', b, '--device', 'cpu'] };
}

type Numbers = Record<string, number>;

test('measures pairs, both ways and back, and writes the numbers and the sheet', async () => {
  const { dir, bundle, images } = await scene();
  const out = join(dir, 'out');
  const args = ['eval', bundle, ...images, '--paired', '--size', '32', '--out', out, '--threads', '1'];
  const { code, stdout, stderr } = await cli(args);
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^fp32 at 32×32 on cpu, 1 threads\n/),
  });
  expect(stderr).toMatch(/^eval \d\/6 [AB]to[AB] /m);
  expect(stdout).toMatch(/^ +AtoB +\(input\) +BtoA +\(input\)\n/);
  for (const row of ['L1', 'PSNR', 'SSIM', 'structure']) {
    expect(stdout).toMatch(
      new RegExp(`^${row} +-?[\\d.]+ +\\(-?[\\d.]+\\) +-?[\\d.]+ +\\(-?[\\d.]+\\)  `, 'm'),
    );
  }
  expect(stdout).toMatch(/^cycle +[\d.]+ +[\d.]+ +L1 of there and back/m);
  expect(stdout).not.toContain('FID');
  expect(stdout).toMatch(/\nWrote .*sheet\.png and .*evaluation\.json\n$/);
  const { width, height } = await sharp(join(out, 'sheet.png')).metadata();
  expect(Math.min(width, height)).toBeGreaterThan(300);
  const written = JSON.parse(readFileSync(join(out, 'evaluation.json'), 'utf8'));
  expect(written.images.AtoB.map(({ file }: { file: string }) => file)).toEqual([
    '0_A.png',
    '1_A.png',
    '2_A.png',
  ]);
  const l1 = written.images.AtoB.map((image: Numbers) => image['l1']);
  expect(written.metrics.l1_AtoB).toBeCloseTo(l1.reduce((sum: number, value: number) => sum + value) / 3, 9);
});

test('--json: one object; a run in place of a bundle; options that change what is measured', async () => {
  const { dir, run, bundle, images } = await scene();
  const json = async (source: string, ...more: string[]) => {
    const { code, stdout, stderr } = await cli(['eval', source, ...images, '--json', ...more]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    return lastJson(stdout);
  };
  const metricsOf = (result: Record<string, unknown>) => result['metrics'] as Numbers;
  const whole = await json(bundle);
  // The size is the training's.
  expect(whole).toMatchObject({ size: 64, counts: { A: 3, B: 3 }, directions: ['AtoB', 'BtoA'], files: [] });
  expect(Object.keys(metricsOf(whole)).sort()).toEqual(['change_AtoB', 'change_BtoA', 'cycle_A', 'cycle_B']);
  const ofRun = await json(run, '--direction', 'BtoA', '--count', '2', '--size', '48');
  expect(ofRun).toMatchObject({ bundle: run, size: 48, counts: { A: 2, B: 2 }, directions: ['BtoA'] });
  expect(Object.keys(metricsOf(ofRun)).sort()).toEqual(['change_BtoA', 'cycle_B']);

  const features = await writeFeatureModel({ path: join(dir, 'features.onnx'), size: 'free' });
  const sheet = join(dir, 'only.png');
  const withFeatures = (...more: string[]) => json(bundle, '--features', features, '--size', '32', ...more);
  const sets = await withFeatures('--features-size', '24', '--sheet', sheet);
  expect(sets['files']).toEqual([sheet]);
  expect(existsSync(sheet)).toBe(true);
  expect(sets['untranslated']).toMatchObject({ fid_AtoB: expect.any(Number), kid_BtoA: expect.any(Number) });
  const usual = metricsOf(sets);
  for (const name of ['fid_AtoB', 'kid_AtoB', 'mifid_BtoA', 'memorization_BtoA'])
    expect(usual[name]).toBeDefined();
  const bytes = metricsOf(await withFeatures('--features-size', '24', '--features-range', 'bytes'));
  expect(bytes['fid_AtoB']).toBeGreaterThan(10 * (usual['fid_AtoB'] ?? 0));
  const other = metricsOf(await withFeatures('--features-size', '40', '--mifid-threshold', '2'));
  expect(other['fid_AtoB']).not.toBeCloseTo(usual['fid_AtoB'] ?? 0, 6);
  expect(other['mifid_AtoB']).toBeCloseTo((other['fid_AtoB'] ?? 0) / (other['memorization_AtoB'] ?? 0), 3);
});

test('--seed draws other subsets for KID', async () => {
  const { dir, bundle, a, b } = await scene({ count: 3 });
  await sharp(join(a, '0_A.png')).negate().toFile(join(a, '3_A.png'));
  const features = await writeFeatureModel({ path: join(dir, 'features.onnx') });
  const kid = async (seed: string) => {
    const more = ['--features', features, '--size', '32', '--direction', 'BtoA', '--seed', seed];
    const { stdout } = await cli(['eval', bundle, '--a', a, '--b', b, '--device', 'cpu', '--json', ...more]);
    return (lastJson(stdout)['metrics'] as Numbers)['kid_BtoA'];
  };
  const first = await kid('1');
  expect(first).toEqual(expect.any(Number));
  expect(await kid('2')).not.toBe(first);
});

test('grey to colour: what cannot be compared is left out; the device is the one asked for', async () => {
  const { bundle, a, b } = await scene({ inputChannels: 1 });
  const args = ['eval', bundle, '--a', a, '--b', b, '--size', '32', '--paired', '--json', '--device'];
  const { code, stdout } = await cli([...args, 'cpu']);
  expect(code).toBe(0);
  const { metrics, untranslated } = lastJson(stdout) as { metrics: Numbers; untranslated: Numbers };
  expect(Object.keys(metrics)).toContain('l1_AtoB');
  expect(Object.keys(metrics)).toContain('cycle_A');
  expect(Object.keys(metrics)).not.toContain('change_AtoB');
  expect(untranslated).toEqual({});
  const cuda = await cli([...args, 'cuda']);
  expect(cuda.code === 0 ? lastJson(cuda.stdout)['device'] : cuda.stderr).toMatch(/\bcuda\b/);
});

test('what is wrong is said in one sentence', async () => {
  const { dir, bundle, a, b, images } = await scene({ endings: ['', ''] });
  const refused = async (...args: string[]) => {
    const { code, stdout, stderr } = await cli(['eval', ...args]);
    expect(stdout).toBe('');
    expect(stderr).not.toMatch(/^ {4}at /m);
    return { code, last: stderr.trimEnd().split('\n').at(-1) };
  };
  await sharp(join(a, '0.png')).toFile(join(a, 'alone.jpg'));
  expect(await refused(bundle, ...images, '--paired')).toEqual({
    code: 1,
    last: expect.stringMatching(
      /^\[train\] pairs: expected a file in folder B of the same name as alone\.jpg in folder A, got none\./,
    ),
  });
  const empty = join(dir, 'empty');
  mkdirSync(empty);
  expect(await refused(bundle, '--a', a, '--b', empty)).toEqual({
    code: 1,
    last: expect.stringMatching(/^\[train\] folder B, .*empty: expected images .*, got none\./),
  });
  const wrong = await writeFeatureModel({ path: join(dir, 'wrong.onnx'), unpooled: true });
  expect(await refused(bundle, '--a', a, '--b', b, '--features', wrong)).toEqual({
    code: 1,
    last: expect.stringMatching(
      /^\[train\] feature model .*wrong\.onnx: expected a first output of float32 \[N, D\]/,
    ),
  });
  expect(await refused(join(dir, 'none'), ...images)).toEqual({
    code: 1,
    last: expect.stringMatching(/^\[bundle\] .*none\/manifest\.json: expected a readable manifest/),
  });
  expect(await refused(bundle, ...images, '--precision', 'int8')).toEqual({
    code: 1,
    last: expect.stringMatching(/expected a model AtoB int8, got a bundle that holds AtoB fp32, BtoA fp32/),
  });
  expect(await refused(bundle, '--a', a)).toEqual({
    code: 2,
    last: expect.stringMatching(/^\[cyclegan\] eval: expected --b, got a command line without\./),
  });
  expect(await refused(bundle, ...images, '--size', '5')).toEqual({
    code: 2,
    last: expect.stringMatching(/expected --size to be a whole number from 16 to 4096, got "5"/),
  });
});
