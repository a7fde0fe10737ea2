/**
 * PyTorch files with bytes changed at random, the same ones at every run: each gives a network or one sentence, and
 * takes no more memory than such a file may. A hang would run into the test's time limit.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importPyTorch, importPyTorchDiscriminator } from '@cyclegan/export';
import { isCycleganError } from '@cyclegan/runtime-core';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { fixtures } from './pytorch-cases.ts';
import * as py from './pytorch-writer.ts';

const CASES = 200;

type Random = (below: number) => number;
type Mutation = (bytes: Buffer, random: Random) => Buffer;

const extremes = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

const mutations: readonly Mutation[] = [
  (bytes, random) => {
    for (let count = random(8); count >= 0; count--) bytes[random(bytes.length)] = random(256);
    return bytes;
  },
  (bytes, random) => {
    bytes.writeUInt32LE(extremes[random(extremes.length)] ?? 0, random(bytes.length - 4));
    return bytes;
  },
  (bytes, random) => bytes.subarray(0, random(bytes.length)),
  (bytes, random) => {
    const [from, to] = [random(bytes.length), random(bytes.length)];
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  (bytes, random) => {
    const [from, to] = [random(bytes.length), random(bytes.length)];
    bytes.copy(bytes, to, from, from + random(64));
    return bytes;
  },
  (bytes, random) => {
    const at = random(bytes.length);
    const fresh = Buffer.from(Array.from({ length: random(16) }, () => random(256)));
    return Buffer.concat([bytes.subarray(0, at), fresh, bytes.subarray(at)]);
  },
];

const mutate: Mutation = (bytes, random) =>
  mutations[random(mutations.length)]?.(Buffer.from(bytes), random) ?? bytes;

const fixture = (name: string) => readFileSync(join(fixtures, `${name}.pth`));

const plain = py.stateDict(py.pixel);
const legacy = py.stateDict(py.pixel, { legacy: true });
const entries = py.zipEntries(plain.root, plain.storages);

const subjects: Record<string, (random: Random) => Buffer> = {
  'zip files': (random) => mutate(py.zip(entries), random),
  'compressed zip files with ZIP64 fields': (random) =>
    mutate(py.zip(entries.map((entry) => ({ ...entry, deflated: true, zip64: true }))), random),
  // The checksums are right, so that the pickle is read.
  'pickles in zip files': (random) => {
    const pickle = mutate(py.pickle(plain.root), random);
    return py.zip(entries.map((entry) => (entry.name.endsWith('.pkl') ? { ...entry, data: pickle } : entry)));
  },
  'legacy files': (random) => mutate(py.legacyFile(legacy.root, legacy.storages), random),
  'pickles of protocol 4 in legacy files': (random) => mutate(fixture('resnet-none-resize'), random),
  'zip files of PyTorch': (random) => mutate(fixture('resnet-fp16'), random),
  'pickles of training programs': (random) => {
    const bytes = fixture('program');
    const pickle = bytes.subarray(bytes.indexOf(Buffer.of(0x80, 2)), bytes.indexOf('PK\x07\x08'));
    return py.zip([{ name: 'archive/data.pkl', data: mutate(pickle, random) }]);
  },
};

test.each(Object.entries(subjects))('%s', async (_, make) => {
  const generator = xoroshiro128plus(4);
  const random: Random = (below) => (below > 0 ? uniformInt(generator, 0, below - 1) : 0);
  const path = join(temporaryFolder(), 'net.pth');
  const before = process.resourceUsage().maxRSS;
  let refused = 0;
  for (let i = 0; i < CASES; i++) {
    writeFileSync(path, make(random));
    for (const read of [importPyTorch, importPyTorchDiscriminator]) {
      try {
        const { weights } = await read(path);
        for (const { shape, data } of weights.values()) {
          expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
        }
      } catch (error) {
        expect(isCycleganError(error), `case ${i}: ${error instanceof Error ? error.stack : error}`).toBe(
          true,
        );
        expect(String(error)).toMatch(/^CycleganError: \[export\] \P{C}{20,2000}\.$/u);
        refused++;
      }
    }
  }
  // Each is one network at most, so at least one of the two readers says no.
  expect(refused).toBeGreaterThanOrEqual(CASES);
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(250 * 1024);
});
