/** Bundles from someone who means harm: each ends in one sentence, without a hang, and reads nothing but its own files. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Graph, Mul, symbolicDim, tensor, writeOnnx } from '@cyclegan/graph';
import { createTranslator, readBundle } from '@cyclegan/runtime-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mutations } from './mutations.ts';
import { temporaryFolder, tinyBundle } from './support.ts';

interface ManifestJson {
  models: { file: string; bytes: number; sha256: string; selfCheck: { tolerance: number } }[];
}

/** A copy of the tiny bundle, to be harmed. */
function copy(): string {
  const folder = join(temporaryFolder(), 'bundle');
  cpSync(tinyBundle, folder, { recursive: true });
  return folder;
}

const manifestOf = (folder: string) => join(folder, 'manifest.json');
const modelOf = (folder: string) => join(folder, 'AtoB.fp32.onnx');

/** Puts another model into a bundle, with its own size and hash in the manifest: what a hostile maker would do. */
function withModel(bytes: Uint8Array): string {
  const folder = copy();
  const manifest: ManifestJson = JSON.parse(readFileSync(manifestOf(folder), 'utf8'));
  const [model] = manifest.models;
  if (!model) throw new Error('the tiny bundle has no model');
  model.bytes = bytes.length;
  model.sha256 = createHash('sha256').update(bytes).digest('hex');
  model.selfCheck.tolerance = 1;
  writeFileSync(manifestOf(folder), JSON.stringify(manifest));
  writeFileSync(modelOf(folder), bytes);
  return folder;
}

/** The one sentence that opening it ends with. */
async function refusal(folder: string, code = 'bundle'): Promise<string> {
  const opened = createTranslator(folder, { device: 'cpu', threads: 1 });
  const error = await opened.then(
    async (translator) => {
      await translator.dispose();
      throw new Error(`${folder} was opened`);
    },
    (failure: Error) => failure,
  );
  expect(error).toMatchObject({ name: 'CycleganError', code });
  expect(error.message).toMatch(/^\[\w+\] \P{Cc}{20,800}\.$/u);
  return error.message;
}

describe('hostile folders', () => {
  it('refuses manifests that are not files, too large, or no JSON', async () => {
    const cases: [(path: string) => void, RegExp][] = [
      [() => undefined, /ENOENT/],
      [(path) => mkdirSync(path), /not a file/],
      [(path) => execFileSync('mkfifo', [path]), /not a file/],
      [(path) => symlinkSync('/dev/zero', path), /not a file/],
      [(path) => symlinkSync('manifest.json', path), /ELOOP/],
      [(path) => writeFileSync(path, ''), /JSON/],
      [(path) => writeFileSync(path, '{"format":"a\nb\u001b[2J"'), /JSON/],
      [(path) => writeFileSync(path, '['.repeat(1_000_000)), /JSON/],
      [
        (path) => {
          writeFileSync(path, '');
          truncateSync(path, 2 ** 40);
        },
        /1099511627776 bytes/,
      ],
    ];
    for (const [make, why] of cases) {
      const folder = copy();
      rmSync(manifestOf(folder));
      make(manifestOf(folder));
      expect(await refusal(folder)).toMatch(why);
    }
    expect(await refusal(manifestOf(tinyBundle))).toMatch(/ENOTDIR/);
  });

  it('refuses model files that are not files, or not those of the manifest', async () => {
    const cases: [(path: string) => void, RegExp][] = [
      [() => undefined, /ENOENT/],
      [(path) => mkdirSync(path), /not a file/],
      [(path) => execFileSync('mkfifo', [path]), /not a file/],
      [(path) => symlinkSync('/dev/zero', path), /not a file/],
      [(path) => symlinkSync('/etc/passwd', path), /expected \d+ bytes, got \d+/],
      [(path) => writeFileSync(path, Buffer.alloc(38_474)), /expected SHA-256/],
      [
        (path) => {
          writeFileSync(path, '');
          truncateSync(path, 2 ** 40);
        },
        /got 1099511627776/,
      ],
    ];
    for (const [make, why] of cases) {
      const folder = copy();
      rmSync(modelOf(folder));
      make(modelOf(folder));
      expect(await refusal(folder)).toMatch(why);
    }
  });

  it('follows links to the files that the manifest means', async () => {
    const folder = copy();
    const store = temporaryFolder();
    renameSync(modelOf(folder), join(store, 'blob'));
    symlinkSync(join(store, 'blob'), modelOf(folder));
    const translator = await createTranslator(folder, { device: 'cpu', threads: 1 });
    expect(translator.info.selfCheckError).toBeLessThan(0.01);
    await translator.dispose();
  });
});

describe('hostile models', () => {
  const image = (graph: Graph, channels = 3) =>
    graph.input('image', 'float32', [symbolicDim('N'), channels, symbolicDim('H'), symbolicDim('W')]);
  const half = (graph: Graph) => graph.constant(tensor('float32', [1], Float32Array.of(0.5)));

  it('refuses what is no ONNX, or an ONNX that is damaged', async () => {
    const sound = readFileSync(join(tinyBundle, 'AtoB.fp32.onnx'));
    const damaged = Uint8Array.from(sound, (byte, i) => (i % 97 === 0 ? byte ^ 0xff : byte));
    for (const bytes of [Buffer.from('not a model'), Buffer.alloc(1), sound.subarray(0, 9000), damaged]) {
      await refusal(withModel(bytes), 'device');
    }
  });

  it('refuses graphs of another interface', async () => {
    const make = (build: (graph: Graph) => void) => {
      const graph = new Graph('hostile');
      build(graph);
      return withModel(writeOnnx(graph));
    };
    const graphs = [
      make((graph) => graph.output('other', graph.op(Mul, [image(graph), half(graph)]))),
      make((graph) => {
        const other = graph.input('other', 'float32', [1, 3, symbolicDim('H'), symbolicDim('W')]);
        graph.output('translation', graph.op(Mul, [other, half(graph)]));
      }),
      make((graph) => {
        const flat = graph.input('image', 'float32', [symbolicDim('L')]);
        graph.output('translation', graph.op(Mul, [flat, half(graph)]));
      }),
      make((graph) => {
        const wide = graph.constant(tensor('float32', [1, 64, 1, 1], new Float32Array(64)));
        graph.output('translation', graph.op(Mul, [image(graph, 1), wide]));
      }),
      make((graph) => {
        const nothing = graph.constant(tensor('float32', [1], Float32Array.of(Number.NaN)));
        graph.output('translation', graph.op(Mul, [image(graph), nothing]));
      }),
    ];
    for (const folder of graphs) await refusal(folder, 'device');
  });

  it('reads no weights from outside the model file', async () => {
    const folder = temporaryFolder();
    const was = process.cwd();
    process.chdir(folder);
    onTestFinished(() => process.chdir(was));
    writeFileSync('weights.bin', new Uint8Array(4));
    expect(await refusal(withModel(externalModel('weights.bin')), 'device')).toMatch(/external data/i);
    expect(await refusal(withModel(externalModel('/etc/passwd')), 'device')).toMatch(/external data/i);
  });

  it('takes or refuses 60 damaged manifests over real files', async () => {
    const json = JSON.parse(readFileSync(manifestOf(tinyBundle), 'utf8'));
    const folder = copy();
    let opened = 0;
    for (const damaged of mutations(json, 60, 77)) {
      writeFileSync(manifestOf(folder), JSON.stringify(damaged));
      try {
        const translator = await createTranslator(folder, { device: 'cpu', threads: 1 });
        await translator.dispose();
        opened += 1;
        expect((await readBundle(folder)).manifest.models.length).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toMatchObject({
          name: 'CycleganError',
          code: expect.stringMatching(/^(bundle|device)$/),
        });
      }
    }
    expect(opened).toBeLessThan(60);
  });
});

/** ONNX by hand: a field that holds a message or a text, and one that holds a number below 128. */
const field = (number: number, ...parts: (Uint8Array | string)[]) => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.of((number << 3) | 2, (body.length & 127) | 128, body.length >> 7), body]);
};
const small = (number: number, value: number) => Buffer.of(number << 3, value);

/** A model that multiplies by one number, which lies in another file. */
function externalModel(location: string): Uint8Array {
  const end = (name: string) => {
    const dims = ['N', '', 'H', 'W'].map((dim) => field(1, dim === '' ? small(1, 3) : field(2, dim)));
    return Buffer.concat([field(1, name), field(2, field(1, small(1, 1), field(2, ...dims)))]);
  };
  const entry = (key: string, value: string) => field(13, field(1, key), field(2, value));
  const outside = Buffer.concat([entry('location', location), small(14, 1)]);
  const weight = field(5, small(1, 1), small(2, 1), field(8, 'weight'), outside);
  const node = field(1, field(1, 'image'), field(1, 'weight'), field(2, 'translation'), field(4, 'Mul'));
  const graph = [node, field(2, 'external'), weight, field(11, end('image')), field(12, end('translation'))];
  return Buffer.concat([small(1, 8), field(7, ...graph), field(8, small(2, 17))]);
}
