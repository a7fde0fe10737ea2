/** Checkpoints in a run folder: their places, which one is read, what goes and what stays, and what is refused. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCheckpoint, readWeights, type Tensor, writeAtomic, writeCheckpoint } from '@cyclegan/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let run: string;
beforeEach(async () => {
  run = await mkdtemp(join(tmpdir(), 'run-'));
});
afterEach(() => rm(run, { recursive: true }));

const tensor = (...values: number[]): Tensor => ({ shape: [values.length], data: Float32Array.from(values) });
const contents = (step: number) => ({
  step,
  weights: new Map([['G_A.model.1.weight', tensor(step, 0.1)]]),
  optimizer: new Map([['generators.m', tensor(step, -1)]]),
  state: { epoch: 1, random: ['a', step] },
  metadata: { networks: '{"ngf":4}' },
});
const write = (step: number, more: { keep?: number } = {}) =>
  writeCheckpoint({ run, ...contents(step), ...more });
const steps = async () => (await readdir(join(run, 'checkpoints'))).sort();
const file = (step: number, name: string) => join(run, 'checkpoints', String(step), name);

test('what is written is what is read, from the run folder and from the step folder', async () => {
  const path = await write(7);
  expect(path).toBe(join(run, 'checkpoints', '7'));
  expect((await readdir(path)).sort()).toEqual([
    'optimizer.safetensors',
    'state.json',
    'weights.safetensors',
  ]);
  expect(await readFile(join(run, 'checkpoints', 'latest'), 'utf8')).toBe('7\n');
  const expected = { path, ...contents(7), metadata: { networks: '{"ngf":4}', step: '7' } };
  expect(await readCheckpoint(run)).toEqual(expected);
  expect(await readCheckpoint(path)).toEqual(expected);
});

test('the weights read alone, from a file elsewhere too, with the networks in their metadata', async () => {
  const path = await write(7);
  const elsewhere = join(run, 'mine.safetensors');
  await rename(join(path, 'weights.safetensors'), elsewhere);
  await expect(readWeights(run)).rejects.toMatchObject({ code: 'bundle' });
  const alone = await readWeights(elsewhere);
  expect(alone.weights).toEqual(contents(7).weights);
  expect(alone.metadata['networks']).toBe('{"ngf":4}');
  await rename(elsewhere, join(path, 'weights.safetensors'));
  await rm(join(path, 'optimizer.safetensors'));
  expect((await readWeights(run)).weights).toEqual(contents(7).weights);
});

test('the newest three stay, or as many as asked; steps beyond the one written are left', async () => {
  await write(90);
  for (const step of [1, 2, 3, 4]) await write(step);
  expect(await steps()).toEqual(['2', '3', '4', '90', 'latest']);
  await write(5, { keep: 1 });
  expect(await steps()).toEqual(['5', '90', 'latest']);
  expect((await readCheckpoint(run)).step).toBe(5);
});

test('a step written again takes the place of the first', async () => {
  await write(3);
  await writeCheckpoint({ run, ...contents(3), state: 'second' });
  expect((await readCheckpoint(run)).state).toBe('second');
  expect(await steps()).toEqual(['3', 'latest']);
});

test('what a killed writer left is never read, and gone after the next write', async () => {
  await write(1);
  const folder = join(run, 'checkpoints');
  await mkdir(join(folder, '.tmp-2'));
  await writeFile(join(folder, '.tmp-2', 'weights.safetensors'), 'half');
  await writeFile(join(folder, '.tmp-0a0b0c-latest'), '2');
  // Killed between the two renames of a step that is written again.
  await rename(join(folder, '1'), join(folder, '.replaced-1'));
  expect((await readCheckpoint(run)).step).toBe(1);
  await write(2);
  expect(await steps()).toEqual(['1', '2', 'latest']);
  expect((await readCheckpoint(join(folder, '1'))).step).toBe(1);
});

describe('a damaged checkpoint is passed over with a warning', () => {
  const damages: Record<string, () => Promise<unknown>> = {
    'weights cut short': () => truncate(file(3, 'weights.safetensors'), 40),
    'no optimizer': () => rm(file(3, 'optimizer.safetensors')),
    'state that is no JSON': () => writeFile(file(3, 'state.json'), '{"step":'),
    'state of another shape': () => writeFile(file(3, 'state.json'), '{"step":"3"}'),
    'state of a newer version': () => writeFile(file(3, 'state.json'), '{"version":2,"step":3,"state":0}'),
    'state of another step': () => writeFile(file(3, 'state.json'), '{"version":1,"step":4,"state":0}'),
    'a folder that latest names and that is gone': () => rm(file(3, '.'), { recursive: true }),
  };
  test.each(Object.entries(damages))('%s', async (_, damage) => {
    for (const step of [1, 2, 3]) await write(step);
    await write(90);
    await writeFile(join(run, 'checkpoints', 'latest'), '3\n');
    await damage();
    const warnings: string[] = [];
    const read = await readCheckpoint(run, { onWarning: (message) => warnings.push(message) });
    expect(read.step).toBe(2);
    expect(warnings).toEqual([
      expect.stringMatching(/checkpoints\/3.*expected .*, got .*Went back to .*checkpoints\/2\.$/),
    ]);
    await expect(readCheckpoint(join(run, 'checkpoints', '3'))).rejects.toMatchObject({
      name: 'CycleganError',
    });
  });

  test('and an error when there is no other', async () => {
    await write(3);
    await truncate(file(3, 'weights.safetensors'), 40);
    await expect(readCheckpoint(run)).rejects.toMatchObject({
      code: 'bundle',
      message: expect.stringContaining(run),
    });
  });

  test('a missing or unreadable latest means the newest', async () => {
    await write(1);
    await write(2);
    for (const text of ['', '../../etc', '9'.repeat(40)]) {
      await writeFile(join(run, 'checkpoints', 'latest'), text);
      expect((await readCheckpoint(run)).step).toBe(2);
    }
  });
});

test('a folder without a checkpoint, a path with nothing there and a file each get one sentence', async () => {
  for (const path of [run, join(run, 'none')]) {
    await expect(readCheckpoint(path)).rejects.toMatchObject({
      code: 'run',
      message: expect.stringContaining(path),
    });
  }
  await writeFile(join(run, 'notes.txt'), 'not tensors at all');
  await expect(readWeights(join(run, 'notes.txt'))).rejects.toMatchObject({ code: 'bundle' });
});

test('a place that cannot be written: output, and what was there stays', async () => {
  const notFolder = join(run, 'file');
  await writeFile(notFolder, 'kept');
  const refused = { code: 'output', message: expect.stringContaining('a file where a folder should be') };
  await expect(writeAtomic(join(notFolder, 'x'), '')).rejects.toMatchObject(refused);
  await expect(writeCheckpoint({ ...contents(1), run: notFolder })).rejects.toMatchObject(refused);
  await expect(writeAtomic(run, 'over a folder')).rejects.toMatchObject({ code: 'output' });
  expect(await readFile(notFolder, 'utf8')).toBe('kept');
  expect(await readdir(run)).toEqual(['file']);
});

test('writeAtomic makes the folder, and replaces text and bytes', async () => {
  const path = join(run, 'deep', 'er', 'config.json');
  await writeAtomic(path, 'é');
  expect(await readFile(path, 'utf8')).toBe('é');
  await writeAtomic(path, Uint8Array.of(1, 2));
  expect([...(await readFile(path))]).toEqual([1, 2]);
  expect(await readdir(join(run, 'deep', 'er'))).toEqual(['config.json']);
});
