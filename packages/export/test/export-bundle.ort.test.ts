/** exportBundle: what is in a bundle, what it may replace, and that a failure leaves everything as it was. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type ExportOptions, type ExportResult, exportBundle } from '@cyclegan/export';
import { readOnnx } from '@cyclegan/graph';
import { type Tensor, writeCheckpoint } from '@cyclegan/model';
import { type Manifest, parseManifest } from '@cyclegan/runtime-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { type MadeRun, makeRun } from '../../../test/support/make-bundle.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';

let dir: string;
let made: MadeRun;
let out: string;
beforeEach(async () => {
  dir = temporaryFolder();
  made = await makeRun({ run: join(dir, 'painted'), step: 20 });
  out = join(dir, 'bundle');
});

const doExport = (options: Partial<ExportOptions> = {}) =>
  exportBundle({ source: made.run, out, ...options });
const manifestAt = async (folder: string): Promise<Manifest> =>
  parseManifest(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')), folder);
const answers = ({ manifest }: ExportResult) => manifest.models.map(({ selfCheck }) => selfCheck.output);
/** Every file below a folder with the hash of its content, so that two states can be compared. */
async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashes: Record<string, string> = {};
  for (const file of files.sort()) {
    hashes[file] = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  }
  return hashes;
}
/** The run again with other weights. */
const rewrite = (change: (weights: Map<string, Tensor>) => void, metadata: Record<string, string> = {}) => {
  const weights = new Map(made.weights);
  change(weights);
  const known = { networks: JSON.stringify(made.networks) };
  return writeCheckpoint({
    run: made.run,
    step: 30,
    weights,
    optimizer: new Map(),
    state: {},
    metadata: { ...known, ...metadata },
  });
};

describe('what is in a bundle', () => {
  test('both directions, described by the manifest', async () => {
    const result = await doExport({ licence: 'CC-BY-4.0' });
    expect(result.bundle).toBe(out);
    expect(result.files).toEqual(
      ['AtoB.fp32.onnx', 'BtoA.fp32.onnx', 'manifest.json'].map((file) => join(out, file)),
    );
    expect((await readdir(out)).sort()).toEqual(result.files.map((file) => basename(file)));
    const manifest = await manifestAt(out);
    expect(manifest).toEqual(result.manifest);
    expect(manifest).toMatchObject({
      name: 'painted',
      licence: 'CC-BY-4.0',
      createdBy: { tool: 'cyclegan', version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
      networks: { generator: made.networks.generator },
      training: { steps: 20, size: 64, batch: 1, seed: 1, imagesA: 12, imagesB: 9 },
    });
    for (const [i, direction] of (['AtoB', 'BtoA'] as const).entries()) {
      const entry = manifest.models[i];
      const bytes = await readFile(join(out, `${direction}.fp32.onnx`));
      expect(entry).toMatchObject({
        direction,
        precision: 'fp32',
        bytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        opset: 17,
        irVersion: 8,
        sizeMultiple: 4,
        minSize: 8,
      });
      const { metadata, opset, irVersion } = readOnnx(bytes);
      expect([opset, irVersion]).toEqual([17, 8]);
      expect(metadata).toMatchObject({ direction, name: 'painted', licence: 'CC-BY-4.0' });
      expect(metadata['tool']).toBe(`cyclegan ${manifest.createdBy.version}`);
    }
    const [first, second] = manifest.models;
    expect(first?.sha256).not.toBe(second?.sha256);
    expect(first?.selfCheck.output).not.toBe(second?.selfCheck.output);
  });

  test('nothing of where it was made', async () => {
    await doExport();
    for (const file of await readdir(out)) {
      expect((await readFile(join(out, file), 'latin1')).includes(dir)).toBe(false);
    }
  });

  test('the same bytes from the same weights', async () => {
    const one = await doExport();
    const other = await doExport({ out: join(dir, 'again') });
    expect(other.manifest.models).toEqual(one.manifest.models);
  });

  test('one direction, and a name of its own', async () => {
    const { manifest } = await doExport({ direction: 'BtoA', name: 'Ünter den Linden' });
    expect(manifest.models.map(({ direction }) => direction)).toEqual(['BtoA']);
    expect(manifest.name).toBe('Ünter den Linden');
    expect((await readdir(out)).sort()).toEqual(['BtoA.fp32.onnx', 'manifest.json']);
  });
});

describe('the source', () => {
  test('is a checkpoint’s folder or a weights file as well', async () => {
    const byRun = await doExport();
    const byStep = await doExport({ source: made.checkpoint });
    expect(answers(byStep)).toEqual(answers(byRun));
    expect(byStep.manifest.name).toBe('painted-20');
    const alone = join(dir, 'mine.safetensors');
    await rename(join(made.checkpoint, 'weights.safetensors'), alone);
    const byFile = await doExport({ source: alone });
    expect(answers(byFile)).toEqual(answers(byRun));
    expect(byFile.manifest.name).toBe('mine');
  });

  test('is passed over for an older checkpoint when it is damaged, with a warning', async () => {
    const later = await rewrite(() => undefined);
    await writeFile(join(later, 'weights.safetensors'), 'half');
    const warnings: string[] = [];
    const { manifest } = await doExport({ onWarning: (message) => warnings.push(message) });
    expect(manifest.training?.steps).toBe(20);
    expect(warnings).toHaveLength(1);
    await expect(doExport({ source: later })).rejects.toMatchObject({ code: 'bundle' });
  });

  test('may have no history', async () => {
    await rewrite(() => undefined);
    expect((await doExport()).manifest.training).toBeNull();
  });

  test.each([
    [
      'no weight',
      (weights: Map<string, Tensor>) => weights.delete('G_B.model.4.weight'),
      /G_B\.model\.4\.weight .*got none/,
    ],
    [
      'a weight of another shape',
      (weights: Map<string, Tensor>) =>
        weights.set('G_A.model.1.bias', { shape: [3], data: new Float32Array(3) }),
      /G_A\.model\.1\.bias of \[4\], got \[3\]/,
    ],
  ] as const)('with %s is named with the key and the file', async (_, change, message) => {
    const path = await rewrite(change);
    await expect(doExport()).rejects.toMatchObject({
      code: 'bundle',
      message: expect.stringMatching(message),
    });
    await expect(doExport()).rejects.toThrow(path);
    expect(await readdir(dir)).toEqual(['painted']);
  });

  test.each([
    ['networks', 'not JSON', /metadata "networks".*does not fit/],
    ['networks', '{"generator":{"kind":"resnet","blocks":1,"ngf":-4}}', /"networks".*generator\.ngf/],
    ['training', '{"steps":"many"}', /metadata "training".*steps/],
  ])('with metadata %s %s is refused', async (key, value, message) => {
    await rewrite(() => undefined, { [key]: value });
    await expect(doExport()).rejects.toMatchObject({
      code: 'bundle',
      message: expect.stringMatching(message),
    });
  });
});

describe('the options', () => {
  test.each([
    ['int8 without images', { precision: ['fp32', 'int8'] }, /expected a folder of images for int8/],
    ['int8 by its target', { target: 'cpu' }, /Name one with --calibrate/],
    ['no precision', { precision: [] }, /got none/],
    ['a size of nothing', { size: { width: 0, height: 8 } }, /sides of 1 to 16384 px, got 0x8/],
    ['a range upside down', { range: [1, 0] }, /black below white, got 1\.\.0/],
    ['a size off the model’s multiples', { size: { width: 30, height: 32 } }, /multiple of 4, got 30/],
    ['an empty name', { name: '' }, /name: expected 1 to 200 characters, got 0/],
    ['a long licence', { licence: 'x'.repeat(201) }, /licence: expected at most 200 characters/],
  ] as [string, Partial<ExportOptions>, RegExp][])('%s is refused', async (_, options, message) => {
    await expect(doExport(options)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(message),
    });
    expect(await readdir(dir)).toEqual(['painted']);
  });
});

describe('the place', () => {
  test('is made with its parents', async () => {
    const { files } = await doExport({ out: join(dir, 'a', 'b', 'c') });
    expect(files).toHaveLength(3);
    expect(await readdir(join(dir, 'a', 'b'))).toEqual(['c']);
  });

  test('may be an empty folder', async () => {
    await mkdir(out);
    await doExport();
    expect(await readdir(out)).toHaveLength(3);
  });

  test('may be an older bundle, which is gone whole', async () => {
    await doExport();
    await doExport({ direction: 'BtoA' });
    expect((await readdir(out)).sort()).toEqual(['BtoA.fp32.onnx', 'manifest.json']);
    expect((await readdir(dir)).sort()).toEqual(['bundle', 'painted']);
  });

  test('may be a link to one, which stays a link', async () => {
    await doExport();
    const link = join(dir, 'link');
    await symlink(out, link);
    await doExport({ out: link, name: 'second' });
    expect((await manifestAt(out)).name).toBe('second');
    expect((await readdir(dir)).sort()).toEqual(['bundle', 'link', 'painted']);
  });

  test.each([
    [
      'a folder with something in it',
      (place: string) => writeFile(join(place, 'thesis.txt'), 'years'),
      /holds thesis\.txt/,
    ],
    [
      'another program’s manifest',
      (place: string) => writeFile(join(place, 'manifest.json'), '{"name":"app"}'),
      /no bundle/,
    ],
    [
      'models without a manifest',
      (place: string) => writeFile(join(place, 'mine.onnx'), 'weights'),
      /no bundle/,
    ],
  ] as const)('is left alone when it is %s', async (_, fill, message) => {
    await mkdir(out);
    await fill(out);
    const before = await contents(dir);
    await expect(doExport()).rejects.toMatchObject({
      code: 'output',
      message: expect.stringMatching(message),
    });
    expect(await contents(dir)).toEqual(before);
    expect((await readdir(dir)).sort()).toEqual(['bundle', 'painted']);
  });

  test('is left alone when a bundle has a stranger’s file beside it', async () => {
    await doExport();
    await writeFile(join(out, 'README.md'), 'mine');
    const before = await contents(dir);
    await expect(doExport()).rejects.toThrow(/holds README\.md/);
    expect(await contents(dir)).toEqual(before);
  });

  test('must not be the run folder, a file, below a file, or nowhere', async () => {
    const file = join(dir, 'file');
    await writeFile(file, 'mine');
    const before = await contents(dir);
    const places = [made.run, dir, file, join(file, 'below'), '/proc/nowhere', join(dir, 'x'.repeat(300))];
    for (const place of places) {
      await expect(doExport({ out: place })).rejects.toMatchObject({
        code: 'output',
        message: expect.stringContaining(place),
      });
    }
    expect(await contents(dir)).toEqual(before);
  });
});

/** What progress tells of a plain export. */
const steps = ['AtoB: graph', 'AtoB fp32', 'BtoA: graph', 'BtoA fp32', 'manifest.json'];

describe('a failure leaves the old bundle', () => {
  let before: Record<string, string>;
  beforeEach(async () => {
    await doExport();
    before = await contents(out);
  });
  const expectUntouched = async () => {
    expect(await contents(out)).toEqual(before);
    expect((await readdir(dir)).sort()).toEqual(['bundle', 'painted']);
  };

  test('when the second model gives no numbers', async () => {
    await rewrite((weights) => {
      const { shape } = weights.get('G_B.model.1.weight') ?? { shape: [] };
      weights.set('G_B.model.1.weight', { shape, data: new Float32Array(4 * 3 * 7 * 7).fill(Number.NaN) });
    });
    await expect(doExport()).rejects.toMatchObject({
      code: 'bundle',
      message: expect.stringMatching(/BtoA: expected it to answer with numbers/),
    });
    await expectUntouched();
  });

  test('when it is stopped, at any point', async () => {
    const seen: string[] = [];
    await doExport({ out: join(dir, 'other'), onProgress: ({ what }) => seen.push(what) });
    await rm(join(dir, 'other'), { recursive: true });
    expect(seen).toEqual(steps);
    await expect(doExport({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    for (const at of seen.slice(0, -1)) {
      const controller = new AbortController();
      const onProgress = ({ what }: { what: string }) => {
        if (what === at) controller.abort();
      };
      await expect(doExport({ signal: controller.signal, onProgress })).rejects.toMatchObject({
        code: 'aborted',
      });
      await expectUntouched();
    }
  });

  test('when something else came to its place in the meantime', async () => {
    const onProgress = async () => writeFile(join(out, 'new.txt'), 'mine');
    await expect(doExport({ onProgress })).rejects.toMatchObject({ code: 'output' });
    await rm(join(out, 'new.txt'));
    await expectUntouched();
  });
});

test('progress counts models and ends full', async () => {
  const seen: string[] = [];
  await doExport({ onProgress: ({ done, total, what }) => seen.push(`${done}/${total} ${what}`) });
  expect(seen).toEqual(steps.map((step, at) => `${at}/4 ${step}`));
});
