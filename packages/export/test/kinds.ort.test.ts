/** Bundles of every kind of generator: what the manifest says of them, what is in the files, and that they verify. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportBundle, verifyBundle } from '@cyclegan/export';
import { readOnnx } from '@cyclegan/graph';
import type { GeneratorConfig } from '@cyclegan/model';
import { writeCheckpoint } from '@cyclegan/model';
import { expect, test } from 'vitest';
import { makeBundle, makeRun } from '../../../test/support/make-bundle.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';

interface Kind {
  generator: Partial<GeneratorConfig>;
  sizes: { sizeMultiple: number; minSize: number };
}

const resnet = { sizeMultiple: 4, minSize: 8 };
const kinds: Record<string, Kind> = {
  'resnet, batch norm, dropout': { generator: { norm: 'batch', dropout: true }, sizes: resnet },
  'resnet, no norm, resized, grey to colour': {
    generator: { norm: 'none', upsample: 'resize', inputChannels: 1 },
    sizes: resnet,
  },
  'resnet, grey to grey': { generator: { inputChannels: 1, outputChannels: 1 }, sizes: resnet },
  'unet, instance norm, dropout': {
    generator: { kind: 'unet', downs: 6, ngf: 2, dropout: true },
    sizes: { sizeMultiple: 64, minSize: 64 },
  },
  'unet, batch norm, resized, colour to grey': {
    generator: { kind: 'unet', downs: 5, ngf: 2, norm: 'batch', upsample: 'resize', outputChannels: 1 },
    sizes: { sizeMultiple: 32, minSize: 32 },
  },
};

test.each(Object.entries(kinds))('%s', async (_, { generator, sizes }) => {
  const made = await makeBundle({ dir: temporaryFolder(), generator });
  const { generator: config } = made.manifest.networks;
  if (!config) throw new Error('a run gave a bundle without its generator');
  expect(config).toMatchObject(generator);
  const ends = [config.inputChannels, config.outputChannels];
  expect(made.manifest.models).toMatchObject([
    { ...sizes, input: { channels: ends[0] }, output: { channels: ends[1] } },
    { ...sizes, input: { channels: ends[1] }, output: { channels: ends[0] } },
  ]);

  const { graph } = readOnnx(await readFile(join(made.bundle, 'BtoA.fp32.onnx')));
  const operators = graph.nodes.map(({ op }) => op.name);
  const has = (name: string) => operators.includes(name);
  // Batch norm is part of the convolution before it.
  expect(['Where', 'Sqrt', 'ReduceMean', 'BatchNormalization'].filter(has)).toEqual([]);
  expect(has('InstanceNormalization')).toBe(config.norm === 'instance');
  expect(has('Resize')).toBe(config.upsample === 'resize');
  expect(has('ConvTranspose')).toBe(config.upsample === 'transpose');

  const { rows } = await verifyBundle({ bundle: made.bundle, source: made.run, devices: ['cpu'] });
  expect(rows.filter(({ ok }) => !ok)).toEqual([]);
  expect(rows).toHaveLength(16);
});

test('a checkpoint without the running statistics is refused, by name', async () => {
  const run = join(temporaryFolder(), 'run');
  const { networks, weights } = await makeRun({ run, generator: { norm: 'batch' } });
  weights.delete('G_B.model.2.running_var');
  const metadata = { networks: JSON.stringify(networks) };
  await writeCheckpoint({ run, step: 20, weights, optimizer: new Map(), state: {}, metadata });
  await expect(exportBundle({ source: run, out: join(run, 'bundle') })).rejects.toMatchObject({
    code: 'bundle',
    message: expect.stringMatching(/expected G_B\.model\.2\.running_var of \[4\], got none/),
  });
});
