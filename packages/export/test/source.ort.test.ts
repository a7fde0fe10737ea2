/** openSource: every kind of model by what is in it, and one sentence for everything else. */
import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSource } from '@cyclegan/export';
import { formatShape, Graph, symbolicDim, Tanh, writeOnnx } from '@cyclegan/graph';
import { expect, test } from 'vitest';
import { makeRun } from '../../../test/support/make-bundle.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';

const fixture = (path: string) => fileURLToPath(new URL(`../../../test/fixtures/${path}`, import.meta.url));
const sha256 = async (...files: string[]) => {
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex');
};

function tanhModel(): Uint8Array {
  const graph = new Graph('tanh');
  const image = graph.input('x', 'float32', [1, 3, symbolicDim('h'), symbolicDim('w')]);
  graph.output('y', graph.op(Tanh, [image]));
  return writeOnnx(graph);
}

test('a run, a checkpoint and a weights file', async () => {
  const { run, checkpoint } = await makeRun({ run: join(temporaryFolder(), 'monet'), step: 20 });
  const weights = join(checkpoint, 'weights.safetensors');
  const hash = await sha256(weights);
  for (const [path, name, kind, original] of [
    [run, 'monet', 'run', 'monet'],
    [checkpoint, 'monet-20', 'checkpoint', 'monet-20'],
    [join(run, 'checkpoints', 'latest'), 'monet-latest', 'checkpoint', 'monet-latest'],
    [weights, 'monet-20', 'checkpoint', 'monet-20'],
  ] as const) {
    const source = await openSource(path);
    expect(source).toMatchObject({
      name,
      provenance: { kind, name: original, sha256: hash },
      directions: ['AtoB', 'BtoA'],
      training: { steps: 20 },
    });
    expect((await source.open('BtoA')).config).toMatchObject({ kind: 'resnet', ngf: 4 });
  }
});

test('a run names its images as long as they are there', async () => {
  const { run } = await makeRun({ run: join(temporaryFolder(), 'monet') });
  const images = join(run, '..', 'photos');
  await mkdir(images);
  await writeFile(join(run, 'config.json'), JSON.stringify({ a: images, b: join(run, 'gone') }));
  expect((await openSource(run)).pictures).toEqual({ AtoB: images });
  await writeFile(join(run, 'config.json'), 'no JSON');
  expect((await openSource(run)).pictures).toEqual({});
});

test('PyTorch: one file, a pair of them, a folder, and a file of both generators', async () => {
  const folder = temporaryFolder();
  const [a, b] = [join(folder, '5_net_G_A.pth'), join(folder, '5_net_G_B.pth')];
  await copyFile(fixture('pytorch/resnet6.pth'), a);
  const alone = await openSource(a);
  expect(alone).toMatchObject({
    name: '5_net_G_A',
    training: null,
    directions: ['AtoB'],
    provenance: { kind: 'pytorch', name: '5_net_G_A.pth', sha256: await sha256(a) },
  });
  await expect(alone.open('BtoA')).rejects.toMatchObject({ code: 'usage' });
  expect((await openSource(a, { direction: 'BtoA' })).directions).toEqual(['BtoA']);

  await rename(a, b);
  expect((await openSource(b)).directions).toEqual(['BtoA']);
  await copyFile(b, a);
  for (const path of [a, b, folder]) {
    const pair = await openSource(path);
    expect(pair.directions).toEqual(['AtoB', 'BtoA']);
    expect(pair.provenance).toMatchObject({
      name: '5_net_G_A.pth + 5_net_G_B.pth',
      sha256: await sha256(a, b),
    });
    expect((await pair.open('BtoA')).kind).toBe('pytorch');
  }
  expect((await openSource(a, { direction: 'BtoA' })).provenance.sha256).toBe(await sha256(b));

  const both = await openSource(fixture('pytorch/program.pth'));
  expect(both.directions).toEqual(['AtoB', 'BtoA']);
  expect((await both.open('AtoB')).config).not.toBeNull();
});

test('tfjs: the model.json or its folder, hashed with its weights', async () => {
  const folder = join(temporaryFolder(), 'horses-BtoA');
  await cp(fixture('tfjs/cyclegan-uint8'), folder, { recursive: true });
  const files = ['model.json', 'group1-shard1of2.bin', 'group1-shard2of2.bin'].map((file) =>
    join(folder, file),
  );
  for (const path of [folder, join(folder, 'model.json')]) {
    const source = await openSource(path);
    expect(source).toMatchObject({
      name: 'horses-BtoA',
      directions: ['BtoA'],
      provenance: { kind: 'tfjs', name: 'horses-BtoA', sha256: await sha256(...files) },
    });
    expect(await source.open('BtoA')).toMatchObject({ kind: 'tfjs-graph', layout: 'NHWC' });
  }
});

test('ONNX', async () => {
  const path = join(temporaryFolder(), 'anime.onnx');
  await writeFile(path, tanhModel());
  const source = await openSource(path);
  expect(source).toMatchObject({
    name: 'anime',
    directions: ['AtoB'],
    provenance: { kind: 'onnx', name: 'anime.onnx' },
  });
  const { graph } = await source.open('AtoB');
  expect(formatShape(graph.inputs[0]?.shape ?? [])).toBe('[1, 3, h, w]');
});

test('what is in a file counts more than its name', async () => {
  const folder = temporaryFolder();
  const place = async (name: string, bytes: Uint8Array | string) => {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return path;
  };
  expect((await openSource(await place('model.pth', tanhModel()))).provenance.kind).toBe('onnx');
  const pth = await readFile(fixture('pytorch/resnet6.pth'));
  expect((await openSource(await place('model.onnx', pth))).provenance.kind).toBe('pytorch');
  expect((await openSource(await place('no-extension', pth))).provenance.kind).toBe('pytorch');
  const legacy = await readFile(fixture('pytorch/resnet9-legacy.pth'));
  expect((await openSource(await place('legacy.json', legacy))).provenance.kind).toBe('pytorch');
});

test.each([
  ['nothing', undefined, /nothing there/],
  ['nothing.pth', undefined, /nothing there/],
  ['keras.h5', Buffer.from('\x89HDF\r\n\x1a\nmore', 'latin1'), /a Keras HDF5 file/],
  ['model.tflite', Buffer.from('\x1c\0\0\0TFL3more'), /a TensorFlow Lite file/],
  ['photo.jpg', Buffer.from('\xff\xd8\xff\xe0', 'latin1'), /a file of another kind \(\.jpg\)/],
  ['words', Buffer.from('words'), /a file of another kind \(no extension\)/],
  ['empty', Buffer.alloc(0), /an empty file/],
])('%s is no source', async (name, bytes, got) => {
  const path = join(temporaryFolder(), name);
  if (bytes) await writeFile(path, bytes);
  const refused = expect(openSource(path)).rejects;
  await refused.toMatchObject({ code: 'input', message: expect.stringMatching(got) });
  await refused.toThrow(/expected a run folder, .* or an \.onnx, got [^\n]*\. Choose one of those\.$/);
});

test('folders without a model say what they are', async () => {
  const folder = temporaryFolder();
  const refusal = () => openSource(folder).catch(({ message }: Error) => message);
  expect(await refusal()).toMatch(/got an empty folder/);
  await writeFile(join(folder, 'photo.jpg'), '');
  expect(await refusal()).toMatch(/got a folder without a model in it/);
  await writeFile(join(folder, 'saved_model.pb'), '');
  expect(await refusal()).toMatch(/got a TensorFlow SavedModel/);
  expect(await openSource(fixture('exported/bundle')).catch(({ message }: Error) => message)).toMatch(
    /got a bundle, whose \.onnx files are to be given one by one/,
  );
});
