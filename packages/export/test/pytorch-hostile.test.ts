/** PyTorch files that nobody means well with, or that are not whole: one sentence each, nothing run, no memory lost. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importPyTorch, importPyTorchDiscriminator } from '@cyclegan/export';
import { isCycleganError } from '@cyclegan/runtime-core';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { fixtures } from './pytorch-cases.ts';
import * as py from './pytorch-writer.ts';

const sound = py.stateDict(py.pixel);
const others = py.stateDict(py.pixel.slice(1));

/** The discriminator with another first tensor, of storage `first`. */
function withFirst(first: py.Pickled, data: Uint8Array = new Uint8Array(12)) {
  const rest = py.stateDict(py.pixel.slice(1)).root.subarray(2, -1);
  const root = Buffer.concat([Buffer.of(0x7d, 0x28), py.text('net.0.weight'), first, rest, Buffer.of(0x75)]);
  return py.zipFile(root, new Map([...others.storages, ['first', data]]));
}

async function read(bytes: Uint8Array) {
  const path = join(temporaryFolder(), 'net.pth');
  writeFileSync(path, bytes);
  return importPyTorchDiscriminator(path);
}

async function refusal(bytes: Uint8Array): Promise<string> {
  const error = await read(bytes).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isCycleganError(error)) throw error ?? new Error('it was read');
  expect(error.code).toBe('bundle');
  expect(error.message).toMatch(/^\[export\] \P{C}*: expected \P{C}*, got \P{C}*\. \P{C}*\.$/u);
  expect(error.message.length).toBeLessThan(1000);
  return error.message;
}

describe('what is sound', () => {
  const first = (weights: ReadonlyMap<string, { data: Float32Array }>) => [
    ...(weights.get('net.0.weight')?.data ?? []),
  ];

  test('plain, compressed, with ZIP64 fields, legacy', async () => {
    const entries = py.zipEntries(sound.root, sound.storages);
    const deflated = py.zip(entries.map((entry) => ({ ...entry, deflated: true })));
    const zip64 = py.zip(entries.map((entry) => ({ ...entry, zip64: true })));
    const unsummed = py.zip(entries.map((entry) => ({ ...entry, crc: 0 })));
    const legacy = py.stateDict(py.pixel, { legacy: true });
    for (const bytes of [
      py.zipFile(sound.root, sound.storages),
      deflated,
      zip64,
      unsummed,
      py.legacyFile(legacy.root, legacy.storages),
    ]) {
      const { config, inputChannels, weights } = await read(bytes);
      expect(config).toEqual({ kind: 'pixel', ndf: 1, norm: 'instance' });
      expect(inputChannels).toBe(3);
      expect(first(weights)).toEqual([0.125, 1.125, 2.125]);
    }
  });

  test('an OrderedDict of Python 2: pairs in a list, strings of bytes', async () => {
    const pairs = py.pixel.map(([name, shape], key) => {
      const length = shape.reduce((product, size) => product * size, 1);
      return py.list(py.oldText(name), py.tensor(py.storage({ key: String(key), length }, true), shape));
    });
    const root = py.call(py.named('collections', 'OrderedDict'), py.list(...pairs));
    expect(first((await read(py.legacyFile(root, sound.storages))).weights)).toEqual([0.125, 1.125, 2.125]);
  });

  test('a dictionary that holds itself', async () => {
    const put = Buffer.of(0x71, 0);
    const loop = Buffer.concat([py.text('again'), Buffer.of(0x68, 0), Buffer.of(0x73)]);
    const root = Buffer.concat([sound.root.subarray(0, 1), put, sound.root.subarray(1), loop]);
    expect((await read(py.zipFile(root, sound.storages))).name).toBe('');
  });

  test('views, of one storage or with strides', async () => {
    const data = new Uint8Array(Float32Array.of(9, 1, 9, 2, 9, 3).buffer);
    const made = py.storage({ key: 'first', length: 6 });
    expect(
      first((await read(withFirst(py.tensor(made, [1, 3, 1, 1], [0, 2, 7, 7], 1), data))).weights),
    ).toEqual([1, 2, 3]);
    expect(
      first((await read(withFirst(py.tensor(made, [1, 3, 1, 1], [0, 0, 0, 0], 5), data))).weights),
    ).toEqual([3, 3, 3]);
  });
});

describe('nothing is run', () => {
  test.each([
    ['os', 'system'],
    ['posix', 'system'],
    ['builtins', 'eval'],
    ['__builtin__', 'eval'],
    ['numpy.core.multiarray', '_reconstruct'],
    ['torch', 'load'],
    ['torch.serialization', 'load'],
    ['collections', 'OrderedDict\u001b[2J'],
    ['torch._utils', '_rebuild_tensor_v2.__globals__'],
    ['constructor', 'constructor'],
    ['__proto__', 'toString'],
  ])('%s.%s is refused by name', async (module, name) => {
    const root = py.call(py.named(module, name), py.text('touch /tmp/harm'));
    expect(await refusal(py.zipFile(root))).toContain(JSON.stringify(`${module}.${name}`));
    const onStack = Buffer.concat([py.text(module), py.text(name), Buffer.of(0x93)]);
    expect(await refusal(py.legacyFile(py.call(onStack)))).toContain(JSON.stringify(`${module}.${name}`));
  });

  test.each([
    ['INST', Buffer.concat([Buffer.of(0x28, 0x69), Buffer.from('os\nsystem\n')])],
    ['OBJ', Buffer.of(0x28, 0x6f)],
    ['NEWOBJ', Buffer.of(0x81)],
    ['NEWOBJ_EX', Buffer.of(0x92)],
    ['EXT1', Buffer.of(0x82, 1)],
    ['PERSID', Buffer.from('Pid\n')],
    ['STRING', Buffer.from("S'a'\n")],
    ['BINBYTES8', Buffer.of(0x8e, 255, 255, 255, 255, 255, 255, 255, 255)],
    ['EMPTY_SET', Buffer.of(0x8f)],
  ])('opcode %s is refused by name', async (name, opcodes) => {
    expect(await refusal(py.zipFile(opcodes))).toContain(`opcode ${name}`);
  });

  test('what is no opcode, and pickles that do not add up', async () => {
    const wrong = [
      Buffer.of(0xff),
      Buffer.of(0x52),
      Buffer.of(0x74),
      Buffer.of(0x75),
      Buffer.of(0x7d, 0x4b, 1, 0x61),
      Buffer.of(0x5d, 0x4b, 1, 0x4b, 2, 0x73),
      Buffer.of(0x68, 7),
      Buffer.of(0x6a, 255, 255, 255, 255),
      Buffer.of(0x58, 255, 255, 255, 255),
      Buffer.of(0x63, 65, 65),
      Buffer.of(0x80, 9),
      Buffer.of(0x4b, 1, 0x62),
      Buffer.concat([py.text('no storage'), Buffer.of(0x51)]),
      py.call(py.named('torch', 'float32')),
      py.call(py.named('torch._utils', '_rebuild_tensor_v2')),
      py.call(py.named('torch._utils', '_rebuild_tensor_v3'), py.storage({ key: '0' }), py.none),
      py.call(py.named('torch._utils', '_rebuild_parameter'), py.text('x')),
      py.call(py.named('collections', 'OrderedDict'), py.list(py.text('x'))),
      Buffer.alloc(0),
    ];
    for (const root of wrong) {
      await refusal(py.zipFile(root));
      await refusal(py.legacyFile(root));
    }
  });
});

describe('tensors stay within their storages', () => {
  const three = py.storage({ key: 'first', length: 3 });
  const huge = 2n ** 62n;
  test.each<[string, py.Pickled]>([
    ['too many elements', py.tensor(three, [1, 4, 1, 1])],
    ['an offset beyond', py.tensor(three, [1, 3, 1, 1], undefined, 1)],
    ['a stride beyond', py.tensor(three, [1, 3, 1, 1], [0, 2, 1, 1])],
    ['a negative offset', py.tensor(three, [1, 3, 1, 1], undefined, -1)],
    ['a negative stride', py.tensor(three, [1, 3, 1, 1], [0, -1, 1, 1], 2)],
    ['a negative size', py.tensor(three, [1, -3, 1, 1], [0, 1, 1, 1])],
    ['a huge size', py.tensor(three, [1, huge, 1, 1], [0, 0, 0, 0])],
    ['sizes that overflow', py.tensor(three, [2 ** 30, 2 ** 30, 2 ** 30, 1], [0, 0, 0, 0])],
    ['a huge stride', py.tensor(three, [1, 3, 1, 1], [0, 2 ** 52, 1, 1])],
    ['fewer strides than sizes', py.tensor(three, [1, 3, 1, 1], [3, 1, 1])],
    ['many axes', py.tensor(three, new Array(40).fill(1))],
    ['a list that holds itself as its shape', loopAsShape()],
    ['a storage of 2⁶² elements', py.tensor(py.storage({ key: 'first', length: huge }), [1, 3, 1, 1])],
    ['a storage of −1 elements', py.tensor(py.storage({ key: 'first', length: -1 }), [1, 3, 1, 1])],
    ['a smaller storage than its entry', py.tensor(py.storage({ key: 'first', length: 5 }), [1, 3, 1, 1])],
    ['one of an unknown type', py.tensor(py.storage({ key: 'first', type: 'QInt8Storage' }), [1])],
    ['one that is not there', py.tensor(py.storage({ key: '../first', length: 3 }), [1, 3, 1, 1])],
  ])('%s', async (_, first) => {
    await refusal(withFirst(first));
  });

  test('one key of two sizes', async () => {
    const twice = py.list(py.storage({ key: '0', length: 3 }), py.storage({ key: '0', length: 4 }));
    expect(await refusal(py.zipFile(twice))).toContain('12 and 16 bytes');
  });

  test('a few bytes that claim to be gigabytes, by a stride of 0', async () => {
    const one = py.storage({ key: '0', length: 1 });
    const parameters: [string, number[]][] = [
      ['model.0.weight', [1024, 3, 4, 4]],
      ['model.0.bias', [1024]],
      ['model.2.weight', [2048, 1024, 4, 4]],
      ['model.2.bias', [2048]],
      ['model.5.weight', [1, 2048, 4, 4]],
      ['model.5.bias', [1]],
    ];
    const entries = parameters.map(([name, shape]): [py.Pickled, py.Pickled] => [
      py.text(name),
      py.tensor(
        one,
        shape,
        shape.map(() => 0),
      ),
    ]);
    const bytes = py.zipFile(py.dictionary(...entries), new Map([['0', new Uint8Array(4)]]));
    expect(await refusal(bytes)).toMatch(/at most \d+ bytes of weights/);
  });

  function loopAsShape(): py.Pickled {
    const loop = Buffer.concat([Buffer.of(0x5d, 0x71, 9, 0x68, 9, 0x61)]);
    const args = [three, py.integer(0), loop, loop];
    return py.call(py.named('torch._utils', '_rebuild_tensor_v2'), ...args);
  }
});

describe('containers', () => {
  const entries = py.zipEntries(sound.root, sound.storages);

  test('an entry twice', async () => {
    expect(await refusal(py.zip([...entries, entries[1] ?? expect.unreachable()]))).toContain('twice');
  });

  test('entries that overlap', async () => {
    const wide = py.stateDict([
      ['net.0.weight', [16, 3, 1, 1]],
      ['net.0.bias', [16]],
      ['net.2.weight', [32, 16, 1, 1]],
      ['net.2.bias', [32]],
      ['net.5.weight', [1, 32, 1, 1]],
      ['net.5.bias', [1]],
    ]);
    // The second storage's entry, whole and right in itself, lies in the numbers of the first.
    const bias = { name: 'archive/data/1', data: wide.storages.get('1') ?? expect.unreachable() };
    const inner = py.zip([bias]).subarray(0, 30 + bias.name.length + bias.data.length);
    wide.storages.get('0')?.set(inner);
    const sides = py.zipEntries(wide.root, wide.storages);
    const offset = py.zip(sides).indexOf(inner);
    expect((await read(py.zip(sides))).inputChannels).toBe(3);
    const over = sides.map((entry) => (entry.name === bias.name ? { ...entry, offset } : entry));
    expect(await refusal(py.zip(over))).toContain('to end before the next entry');
  });

  test('sizes, offsets and checksums other than the truth', async () => {
    for (const change of [{ size: 2 ** 31 }, { size: 11 }, { offset: 2 ** 31 }, { crc: 1 }]) {
      for (const zip64 of [false, true]) {
        const changed = entries.map((entry) =>
          entry.name.endsWith('/0') ? { ...entry, ...change, zip64 } : entry,
        );
        await refusal(py.zip(changed));
      }
    }
  });

  test('ZIP64 places beyond any file', async () => {
    const bytes = py.zip(entries.map((entry) => ({ ...entry, zip64: true })));
    // Those of data.pkl, the first in the directory.
    const extra = bytes.indexOf(Buffer.of(1, 0, 24, 0), bytes.indexOf('PK\x01\x02'));
    for (const at of [0, 8, 16])
      await refusal(Buffer.from(bytes).fill(0xff, extra + 4 + at, extra + 12 + at));
    const locator = Buffer.concat([
      Buffer.from('PK\x06\x07'),
      Buffer.alloc(4),
      Buffer.alloc(8, 0xff),
      Buffer.of(1, 0, 0, 0),
    ]);
    await refusal(Buffer.concat([bytes.subarray(0, -22), locator, bytes.subarray(-22)]));
  });

  test('what unpacks to far more than the file', async () => {
    const zeros = new Uint8Array(2 ** 26);
    const bomb = withBomb(zeros.length / 4);
    expect(
      await refusal(py.zip([...bomb, { name: 'archive/data/bomb', data: zeros, deflated: true }])),
    ).toMatch(/at most \d+ bytes of weights/);
    // Says to be small, and is not.
    const liar = { name: 'archive/data/bomb', data: zeros, deflated: true, size: 12 };
    expect(await refusal(py.zip([...withBomb(3), liar]))).toContain('too many bytes');
    const pickle = { name: 'archive/data.pkl', data: zeros, deflated: true };
    expect(await refusal(py.zip([pickle]))).toMatch(/at most \d+ bytes of archive\/data.pkl/);
  });

  function withBomb(length: number): py.ZipEntry[] {
    const first = py.tensor(py.storage({ key: 'bomb', length }), [1, 3, 1, 1]);
    const rest = py.stateDict(py.pixel.slice(1));
    const root = py.dictionary([py.text('net.0.weight'), first]);
    const all = Buffer.concat([root.subarray(0, -1), rest.root.subarray(2)]);
    return py.zipEntries(all, rest.storages);
  }

  test('a TorchScript archive, a tar file, big-endian numbers, other files', async () => {
    const script = { name: 'archive/constants.pkl', data: py.pickle(py.none) };
    expect(await refusal(py.zip([...entries, script]))).toContain('TorchScript');
    const code = { name: 'archive/code/__torch__.py', data: Buffer.from('import os') };
    expect(await refusal(py.zip([...entries, code]))).toContain('TorchScript');
    const tar = Buffer.alloc(1024);
    tar.write('storages', 0);
    tar.write('ustar', 257);
    expect(await refusal(tar)).toContain('tar archive');
    const order = { name: 'archive/byteorder', data: Buffer.from('big') };
    expect(await refusal(py.zip([...entries, order]))).toContain('"big"');
    expect(await refusal(py.legacyFile(sound.root, sound.storages, { littleEndian: false }))).toContain(
      'big-endian',
    );
    expect(await refusal(py.zip([{ name: 'word/document.xml', data: Buffer.from('<a/>') }]))).toContain(
      'none',
    );
    expect(
      await refusal(py.zip([...entries, { name: 'other/data.pkl', data: py.pickle(py.none) }])),
    ).toContain('several');
    for (const bytes of [Buffer.alloc(0), Buffer.from('PK\x03\x04'), Buffer.of(0x80), Buffer.from('{}')]) {
      await refusal(bytes);
    }
  });

  test('legacy storages that do not fit their list', async () => {
    const { root, storages } = py.stateDict(py.pixel, { legacy: true });
    for (const parts of [
      { count: 2n ** 63n },
      { count: 0n },
      { keys: py.list() },
      { keys: py.none },
      { keys: py.list(py.text('0'), py.text('0')) },
      { keys: py.list(py.text('unknown')) },
    ]) {
      await refusal(py.legacyFile(root, storages, parts));
    }
  });

  test('names that would reach the terminal as commands', async () => {
    const message = await refusal(py.zipFile(py.stateDict([['a.\u001b[2J\nb', [1]]]).root));
    expect(message).toContain('a.?[2J?b');
  });

  test('no file, and a folder', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'net.pth'));
    await expect(importPyTorch(join(folder, 'net.pth'))).rejects.toThrow(
      /expected a file, got something else/,
    );
    await expect(importPyTorch(join(folder, 'none.pth'))).rejects.toThrow(/got no such file/);
  });
});

describe('depth and length', () => {
  const million = 10 ** 6;
  test.each<[string, Buffer]>([
    ['a million lists', Buffer.alloc(million, 0x5d)],
    ['a million marks', Buffer.alloc(million, 0x28)],
    ['a million dictionaries', Buffer.alloc(million, 0x7d)],
    ['lists in lists', Buffer.concat([Buffer.alloc(100_000, 0x5d), Buffer.alloc(99_999, 0x61)])],
    ['tuples in tuples', Buffer.concat([py.none, Buffer.alloc(400_000, 0x85)])],
    ['dictionaries in dictionaries', nested(50_000)],
    ['more networks than any program has', networks(500)],
  ])('%s', async (_, root) => {
    await refusal(py.zipFile(root));
    await refusal(py.legacyFile(root));
  });

  function nested(depth: number): Buffer {
    const open = Buffer.concat([Buffer.of(0x7d), py.text('x')]);
    return Buffer.concat([...new Array<Buffer>(depth).fill(open), py.none, Buffer.alloc(depth, 0x73)]);
  }

  function networks(count: number): Buffer {
    const one = py.tensor(py.storage({ key: '0', length: 1 }), [1]);
    return py.dictionary(
      ...Array.from({ length: count }, (_, i): [Buffer, Buffer] => [py.text(`net${i}.model.0.weight`), one]),
    );
  }
});

test.each(['resnet-views.pth', 'resnet-views-legacy.pth'])('%s, cut at every 64th byte', async (name) => {
  const whole = readFileSync(join(fixtures, name));
  const path = join(temporaryFolder(), 'cut.pth');
  for (let end = 0; end < whole.length; end += 64) {
    writeFileSync(path, whole.subarray(0, end));
    const error: unknown = await importPyTorch(path).catch((error: unknown) => error);
    expect(isCycleganError(error), `${end} bytes: ${error}`).toBe(true);
  }
});
