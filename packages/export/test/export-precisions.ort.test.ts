/** Precisions, interfaces, the model card and Triton's repository: what is in a bundle with them, and that it verifies. */
import { mkdtempSync, rmSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type ExportOptions, type ExportResult, exportBundle, verifyBundle } from '@cyclegan/export';
import { readOnnx } from '@cyclegan/graph';
import { createTranslator, readBundle } from '@cyclegan/runtime-node';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MadeRun, makeRun } from '../../../test/support/make-bundle.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';

const dir = mkdtempSync(join(tmpdir(), 'cyclegan-test-'));
const images = join(dir, 'images');
let made: MadeRun;
/** One direction with everything. */
let whole: ExportResult;
const triton = join(dir, 'triton');

beforeAll(async () => {
  made = await makeRun({ run: join(dir, 'painted'), ngf: 16, blocks: 1 });
  for (const domain of ['trainA', 'trainB']) {
    await mkdir(join(images, domain), { recursive: true });
    for (let i = 0; i < 8; i += 1) {
      const noise = { type: 'gaussian', mean: 60 + 20 * i, sigma: 40 } as const;
      const create = { width: 40, height: 32 + 4 * (i % 2), channels: 3, background: 'teal', noise } as const;
      await sharp({ create })
        .blur(1)
        .toFile(join(images, domain, `${i}.png`));
    }
  }
  whole = await doExport({
    direction: 'AtoB',
    precision: ['int8', 'fp16', 'fp32', 'fp16-weights'],
    calibrate: images,
    io: 'rgba8',
    size: { width: 32, height: 24 },
    tiles: true,
    card: true,
    triton,
    licence: 'CC-BY-4.0',
    out: join(dir, 'whole'),
  });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function doExport(options: Partial<ExportOptions> & { out: string }): Promise<ExportResult> {
  return exportBundle({ source: made.run, ...options });
}

describe('precisions', () => {
  test('are in the order of their likeness to fp32, smaller, and measured', () => {
    const { models } = whole.manifest;
    expect(models.map(({ precision, file }) => `${precision} ${file}`)).toEqual(
      ['fp32', 'fp16-weights', 'fp16', 'int8'].map((precision) => `${precision} AtoB.${precision}.onnx`),
    );
    const [fp32, weights, fp16, int8] = models;
    expect([fp32?.quality, fp32?.speed]).toEqual([null, []]);
    const share = (model: typeof fp32) => (model?.bytes ?? 1) / (fp32?.bytes ?? 0);
    expect(share(weights)).toBeLessThan(0.6);
    expect(share(int8)).toBeLessThan(0.7);
    for (const model of [weights, fp16, int8]) {
      expect(model?.quality).toMatchObject({ images: 2, of: 'held-out' });
      expect(model?.quality?.psnr).toBeGreaterThan(model === int8 ? 35 : 45);
      expect(model?.speed).toEqual([expect.objectContaining({ device: 'cpu', ratio: expect.any(Number) })]);
    }
  });

  test('have self-checks against the source, wider where they round more', () => {
    const { models } = whole.manifest;
    expect(new Set(models.map(({ selfCheck }) => selfCheck.output)).size).toBe(1);
    const [fp32 = 0, weights = 0, fp16 = 0, int8 = 0] = models.map(({ selfCheck }) => selfCheck.tolerance);
    expect([fp32, weights >= 4e-3, fp16 >= 2e-2, int8 >= 2e-2]).toEqual([2e-3, true, true, true]);
    // A device that gives zeros, or the input, is found out in every precision.
    for (const { selfCheck } of models) {
      const values = (text: string) => new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
      const [input, output] = [values(selfCheck.input), values(selfCheck.output)];
      const off = output.map((value, i) => Math.abs(value - (input[i] ?? 0)));
      expect(Math.max(...output.map(Math.abs))).toBeGreaterThan(selfCheck.tolerance);
      expect(Math.max(...off)).toBeGreaterThan(selfCheck.tolerance);
    }
  });

  test('are by the target, unless they are named', async () => {
    const out = join(temporaryFolder(), 'bundle');
    const precisions = async (options: Partial<ExportOptions>) =>
      (await doExport({ out, direction: 'AtoB', ...options })).manifest.models.map(
        ({ precision }) => precision,
      );
    expect(await precisions({ target: 'browser' })).toEqual(['fp16-weights', 'fp16']);
    expect(await precisions({ target: 'gpu', precision: ['fp16'] })).toEqual(['fp16']);
  });

  test('int8 is said layer by layer', () => {
    const [report] = whole.reports;
    expect(
      report?.quantization?.convolutions.filter(({ precision }) => precision === 'int8'),
    ).not.toHaveLength(0);
    expect(report?.optimization.passes.length).toBeGreaterThan(3);
  });

  test('int8 takes the run’s own images where they are still there', async () => {
    const run = join(temporaryFolder(), 'run');
    await cp(made.run, run, { recursive: true });
    const config = { a: join(images, 'trainA'), b: join(images, 'trainB') };
    await writeFile(join(run, 'config.json'), JSON.stringify(config));
    const seen: string[] = [];
    const { manifest } = await exportBundle({
      source: run,
      out: join(run, 'bundle'),
      direction: 'BtoA',
      precision: ['int8'],
      onProgress: ({ what }) => seen.push(what),
    });
    expect(manifest.models[0]?.quality?.of).toBe('held-out');
    expect(seen).toContain('BtoA int8: calibration, image 1');
  });

  test('int8 weights take 7 bits on request', async () => {
    const largest = async (reduceRange: boolean) => {
      const out = join(temporaryFolder(), 'bundle');
      const { files } = await doExport({
        out,
        direction: 'AtoB',
        precision: ['int8'],
        calibrate: images,
        reduceRange,
      });
      const { graph } = readOnnx(await readFile(files[0] ?? ''));
      const weights = graph.nodes.flatMap(({ inputs }) =>
        inputs.flatMap((value) => (value?.constant?.dtype === 'int8' ? [value.constant.data] : [])),
      );
      return Math.max(...weights.flatMap((data) => Array.from(data as Int8Array, Math.abs)));
    };
    expect([await largest(false), await largest(true)]).toEqual([127, 63]);
  });

  test('every one of them runs in the runtime, after its self-check', async () => {
    for (const { precision } of whole.manifest.models) {
      const translator = await createTranslator(whole.bundle, { precision, device: 'cpu' });
      const image = await translator.translate(join(images, 'trainA', '1.png'));
      expect(await image.metadata()).toMatchObject({ width: 40, height: 36 });
      await translator.dispose();
    }
  });
});

test('interfaces are named in the manifest as the files have them', () => {
  const { variants } = whole.manifest;
  expect(variants.filter(({ precision }) => precision === 'fp32')).toMatchObject([
    {
      file: 'AtoB.fp32.rgba8.32x24.onnx',
      io: 'rgba8',
      size: { width: 32, height: 24 },
      inputs: [{ dtype: 'uint8', shape: [1, 24, 32, 4] }],
    },
    { file: 'AtoB.fp32.statistics.onnx', part: 'statistics' },
    { file: 'AtoB.fp32.tile.onnx', part: 'tile' },
  ]);
  expect(variants).toHaveLength(12);
});

describe('verify', () => {
  test('holds all of it against fp32 and the source, and finds it sound', async () => {
    const { ok, rows, placements } = await verifyBundle({
      bundle: whole.bundle,
      source: made.run,
      images,
      devices: ['cpu'],
    });
    expect(rows.filter((row) => !row.ok)).toEqual([]);
    expect(ok).toBe(true);
    const of = (model: string) =>
      rows.filter((row) => row.model === model).map(({ comparison }) => comparison);
    expect(of('AtoB int8')).toEqual([
      'file as the manifest says',
      'fp32 against the file',
      'self-check patch against the file',
      'file read and written again against the file',
      'batch of 2 against singles',
      'translator against the file, one 8-bit level allowed',
      'on cpu, optimised, against the file',
    ]);
    expect(of('AtoB fp16 rgba8 32x24')).toEqual(['file as the manifest says', 'against the model']);
    expect(of('AtoB int8 tile')).toHaveLength(2);
    const int8 = placements.find(({ model }) => model === 'AtoB int8');
    expect(int8?.nodes.map(({ op }) => op)).toContain('QLinearConv');
    const row = rows.find(({ model, comparison }) => model === 'AtoB int8' && comparison.startsWith('fp32'));
    expect(row?.leastPsnr).toBeGreaterThan(18);
  });

  test('finds another precision’s file that is not near fp32, and a variant of other weights', async () => {
    const bundle = join(temporaryFolder(), 'bundle');
    const other = await makeRun({ run: join(temporaryFolder(), 'other'), ngf: 16, blocks: 1, seed: 7 });
    const options = { direction: 'AtoB', precision: ['fp32', 'fp16'], io: 'rgba8' } as const;
    await exportBundle({ source: other.run, out: join(temporaryFolder(), 'b'), ...options }).then(
      async (wrong) => {
        await doExport({ out: bundle, ...options });
        const path = join(bundle, 'manifest.json');
        const manifest = JSON.parse(await readFile(path, 'utf8'));
        const [, fp16] = wrong.manifest.models;
        const [rgba8] = wrong.manifest.variants;
        manifest.models[1] = { ...fp16, selfCheck: manifest.models[1].selfCheck };
        manifest.variants[0] = rgba8;
        await writeFile(path, JSON.stringify(manifest));
        for (const entry of [fp16, rgba8]) {
          const file = entry?.file ?? '';
          await cp(join(wrong.bundle, file), join(bundle, file));
        }
      },
    );
    const { rows } = await verifyBundle({ bundle, devices: [] });
    const failed = rows.filter(({ ok }) => !ok).map(({ model, comparison }) => `${model}: ${comparison}`);
    expect(failed).toContain('AtoB fp16: fp32 against the file');
    expect(failed).toContain('AtoB fp32 rgba8: against the model');
    expect(failed.filter((row) => row.includes('manifest says'))).toEqual([]);
  });

  test('a variant whose interface is not the manifest’s fails its file', async () => {
    const bundle = join(temporaryFolder(), 'bundle');
    await cp(whole.bundle, bundle, { recursive: true });
    const path = join(bundle, 'manifest.json');
    const manifest = JSON.parse(await readFile(path, 'utf8'));
    manifest.variants[0].inputs[0].shape = [1, 24, 32, 3];
    await writeFile(path, JSON.stringify(manifest));
    const { rows } = await verifyBundle({ bundle, devices: [] });
    expect(rows.filter(({ ok }) => !ok)).toMatchObject([
      {
        model: 'AtoB fp32 rgba8 32x24',
        comparison: 'file as the manifest says',
        note: expect.stringMatching(/expected inputs image uint8\[1, 24, 32, 3\] as in the manifest, got/),
      },
    ]);
  });

  test('a device that cannot be opened is a row, not the end', async () => {
    const out = join(temporaryFolder(), 'bundle');
    await doExport({ out, direction: 'AtoB' });
    const { ok, rows } = await verifyBundle({ bundle: out, devices: ['cuda', 'cpu'] });
    expect(ok).toBe(false);
    expect(rows.filter((row) => !row.ok)).toMatchObject([
      { comparison: 'on cuda, optimised, against the file', note: expect.stringMatching(/\S/) },
    ]);
    expect(rows.at(-1)).toMatchObject({ comparison: 'on cpu, optimised, against the file', ok: true });
  });
});

describe.skipIf(process.platform !== 'linux')('verify, of a provider whose process', () => {
  /** The processes that this one has started and that run this script. */
  const children = async (script: string): Promise<number[]> => {
    const ids = (await readFile(`/proc/self/task/${process.pid}/children`, 'utf8'))
      .trim()
      .split(' ')
      .map(Number);
    const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
    return ids.filter((_, i) => lines[i]?.includes(script));
  };
  const whenProviderRuns = async (act: (id: number) => void) => {
    for (;;) {
      const [id] = await children('provider-child.js');
      if (id !== undefined) return act(id);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };

  test('crashes: a row that says so, and the next one', async () => {
    const onProgress = ({ what }: { what: string }) => {
      if (what === 'AtoB fp32: on cpu, optimised, against the file') {
        void whenProviderRuns((id) => process.kill(id, 'SIGSEGV'));
      }
    };
    const { rows } = await verifyBundle({ bundle: whole.bundle, devices: ['cpu'], onProgress });
    expect(rows.filter(({ ok }) => !ok)).toMatchObject([
      { model: 'AtoB fp32', note: 'the process of the cpu provider ended with SIGSEGV' },
    ]);
    expect(
      rows.find(({ model, comparison }) => model === 'AtoB fp16' && comparison.startsWith('on cpu'))?.ok,
    ).toBe(true);
  });

  test('is at work when it is asked to stop: it ends with the rest', async () => {
    const controller = new AbortController();
    void whenProviderRuns(() => controller.abort());
    await expect(
      verifyBundle({ bundle: whole.bundle, devices: ['cpu'], signal: controller.signal }),
    ).rejects.toMatchObject({ code: 'aborted' });
    await expect.poll(() => children('provider-child.js')).toEqual([]);
  });
});

describe('the model card', () => {
  test('says what a person and a hub want to know', async () => {
    const card = await readFile(join(whole.bundle, 'README.md'), 'utf8');
    const [, head = ''] = card.split('---\n');
    expect(head).toMatch(/^license: cc-by-4\.0\nlibrary_name: onnx\npipeline_tag: image-to-image\n/);
    const { sha256, kind } = whole.manifest.provenance ?? {};
    expect(kind).toBe('run');
    for (const text of [
      '# painted',
      `${sha256}`,
      ...whole.manifest.models.map((model) => model.sha256),
      'ResNet of 1 blocks, ngf 16, instance normalisation',
      '10 steps of 1 at 64×64, 12 images of A and 9 of B',
      'Any static file host can serve this folder',
      "createTranslator('bundle', { direction: 'AtoB' })",
      '@cyclegan/runtime-web',
    ]) {
      expect(card).toContain(text);
    }
    expect(card).not.toContain(dir);
  });

  test('shows pictures that are there, and are what the model makes', async () => {
    const card = await readFile(join(whole.bundle, 'README.md'), 'utf8');
    const shown = [...card.matchAll(/\((sample-[^)]+\.png)\)/g)].map(([, file]) => file ?? '');
    expect(shown).toHaveLength(6);
    expect(whole.files.map((file) => basename(file))).toEqual(expect.arrayContaining(shown));
    const translator = await createTranslator(whole.bundle, { precision: 'fp32', device: 'cpu' });
    const expected = await (await translator.translate(join(whole.bundle, shown[0] ?? ''))).raw().toBuffer();
    await translator.dispose();
    const got = await sharp(join(whole.bundle, shown[1] ?? ''))
      .raw()
      .toBuffer();
    const worst = got.reduce((most, byte, i) => Math.max(most, Math.abs(byte - (expected[i] ?? 0))), 0);
    expect([got.length, worst <= 1]).toEqual([expected.length, true]);
  });

  test('is replaced by the next export, unless its last line is gone', async () => {
    const out = join(temporaryFolder(), 'bundle');
    await doExport({ out, direction: 'AtoB', card: true });
    expect(await readFile(join(out, 'README.md'), 'utf8')).toContain('The inputs are synthetic');
    await doExport({ out, direction: 'AtoB' });
    expect((await readdir(out)).sort()).toEqual(['AtoB.fp32.onnx', 'manifest.json']);
    await doExport({ out, direction: 'AtoB', card: true });
    await writeFile(join(out, 'README.md'), '# mine');
    await expect(doExport({ out, direction: 'AtoB' })).rejects.toMatchObject({
      code: 'output',
      message: expect.stringMatching(/holds README\.md/),
    });
  });
});

describe('Triton', () => {
  test('has a folder for each file, with its interface and batches', async () => {
    expect(whole.triton.map((folder) => basename(folder))).toEqual(
      expect.arrayContaining(['painted_AtoB_fp32', 'painted_AtoB_int8_tile', 'painted_AtoB_fp16-weights']),
    );
    expect(whole.triton).toHaveLength(16);
    const config = async (name: string) => readFile(join(triton, name, 'config.pbtxt'), 'utf8');
    expect(await config('painted_AtoB_fp32')).toContain(`name: "painted_AtoB_fp32"
backend: "onnxruntime"
default_model_filename: "model.onnx"
max_batch_size: 8
input {
  name: "image"
  data_type: TYPE_FP32
  dims: [ 3, -1, -1 ]
}
output {
  name: "translation"
  data_type: TYPE_FP32
  dims: [ 3, -1, -1 ]
}
dynamic_batching {
  preferred_batch_size: [ 4, 8 ]
`);
    // A batch axis of one is none to gather in.
    expect(await config('painted_AtoB_fp32_rgba8_32x24')).toMatch(
      /max_batch_size: 0\ninput \{\n {2}name: "image"\n {2}data_type: TYPE_UINT8\n {2}dims: \[ 1, 24, 32, 4 \]\n\}/,
    );
    expect(await config('painted_AtoB_fp32_rgba8_32x24')).not.toContain('dynamic_batching');
    expect(await config('painted_AtoB_int8')).toContain('KIND_CPU');
    const bytes = await readFile(join(triton, 'painted_AtoB_fp32', '1', 'model.onnx'));
    expect(readOnnx(bytes).graph.inputs[0]?.name).toBe('image');
    expect(bytes.equals(await readFile(join(whole.bundle, 'AtoB.fp32.onnx')))).toBe(true);
  });

  test('replaces its own models alone', async () => {
    const folder = temporaryFolder();
    const options = {
      out: join(folder, 'bundle'),
      direction: 'AtoB',
      triton: join(folder, 'models'),
    } as const;
    await mkdir(join(folder, 'models', 'other'), { recursive: true });
    await doExport(options);
    await doExport(options);
    expect((await readdir(options.triton)).sort()).toEqual(['other', 'painted_AtoB_fp32']);
    await mkdir(join(options.triton, 'painted_AtoB_fp32', '2'));
    await expect(doExport(options)).rejects.toMatchObject({
      code: 'output',
      message: expect.stringMatching(/painted_AtoB_fp32: expected a free place or a Triton model .* holds 2/),
    });
  });
});

test('the manifest is read back as it was written', async () => {
  expect((await readBundle(whole.bundle)).manifest).toEqual(whole.manifest);
});
