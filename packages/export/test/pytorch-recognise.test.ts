/** Which network a file holds: found from keys and shapes, chosen where there are several, named where it is none. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPair, importPyTorch, importPyTorchDiscriminator } from '@cyclegan/export';
import { discriminatorNetwork, type GeneratorConfig, generatorNetwork } from '@cyclegan/model';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { fixtures } from './pytorch-cases.ts';
import * as py from './pytorch-writer.ts';

type Shapes = [string, readonly number[]][];

const common = {
  ngf: 1,
  norm: 'instance',
  dropout: false,
  upsample: 'transpose',
  inputChannels: 3,
  outputChannels: 1,
} as const;
const resnet = { kind: 'resnet', blocks: 2, ...common } satisfies GeneratorConfig;
const unet = { kind: 'unet', downs: 8, ...common } satisfies GeneratorConfig;

function shapesOf(config: GeneratorConfig): Shapes {
  const { parameters, buffers } = generatorNetwork(config);
  return [...parameters, ...buffers].map(({ name, shape }) => [name, shape]);
}

function write(shapes: Shapes, name = 'net.pth'): string {
  const path = join(temporaryFolder(), name);
  const { root, storages } = py.stateDict(shapes);
  writeFileSync(path, py.zipFile(root, storages));
  return path;
}

const norms = ['instance', 'batch', 'none'] as const;
const upsamples = ['transpose', 'resize'] as const;
const generators = norms.flatMap((norm) =>
  upsamples.flatMap((upsample): GeneratorConfig[] => [
    { ...resnet, norm, upsample },
    { ...resnet, norm, upsample, dropout: true, blocks: 7 },
    { ...resnet, norm, upsample, blocks: 0, ngf: 3 },
    { ...unet, norm, upsample, downs: 5, inputChannels: 1, outputChannels: 3 },
    { ...unet, norm, upsample },
  ]),
);

test.each(generators)('$kind, $norm norm, $upsample, dropout $dropout', async (config) => {
  const imported = await importPyTorch(write(shapesOf(config)));
  expect(imported.config).toEqual(config);
  expect([...imported.weights.keys()]).toEqual(shapesOf(config).map(([name]) => name));
  expect(imported).toMatchObject({
    kind: 'pytorch',
    network: 'generator',
    layout: 'NCHW',
    name: '',
    direction: null,
  });
});

test.each(norms.flatMap((norm) => [1, 3, 5].map((layers) => ({ norm, layers }))))(
  'discriminator of $layers layers, $norm norm',
  async (sizes) => {
    const config = { kind: 'patch', ndf: 2, ...sizes } as const;
    const { parameters, buffers } = discriminatorNetwork(config, 1);
    const path = write([...parameters, ...buffers].map(({ name, shape }) => [name, shape]));
    expect(await importPyTorchDiscriminator(path)).toMatchObject({ config, inputChannels: 1, name: '' });
    await expect(importPyTorch(path)).rejects.toThrow(/expected a generator, got a patch discriminator \(/);
  },
);

describe('what does not fit is named', () => {
  const shapes = shapesOf(resnet);
  const refusal = async (changed: Shapes) => {
    const error: unknown = await importPyTorch(write(changed)).catch((error: unknown) => error);
    return String(error);
  };
  const nearest = 'a resnet generator (2 blocks, ngf 1, instance norm, 3 to 1 channels) is the nearest';

  test('missing, unknown, of another shape, all together', async () => {
    const changed = shapes
      .filter(([name]) => name !== 'model.4.bias')
      .map(([name, shape]): Shapes[number] =>
        name === 'model.7.weight' ? [name, [4, 2, 5, 5]] : [name, shape],
      );
    const message = await refusal([...changed, ['attention.gamma', [1]]]);
    expect(message).toContain(nearest);
    expect(message).toContain(
      'without model.4.bias, and with model.7.weight of [4, 2, 5, 5] instead of [4, 2, 3, 3], and with the unknown attention.gamma.',
    );
  });

  test('ten of each, then how many more', async () => {
    const more = Array.from({ length: 14 }, (_, i): Shapes[number] => [`extra.${i}.weight`, [1]]);
    expect(await refusal([...shapes, ...more])).toMatch(/extra\.9\.weight and 4 more\./);
  });

  test('channels that no configuration has, and a network of another kind', async () => {
    const four = shapes.map(([name, shape]): Shapes[number] =>
      name === 'model.1.weight' ? [name, [1, 4, 7, 7]] : [name, shape],
    );
    expect(await refusal(four)).toContain('with model.1.weight of [1, 4, 7, 7] instead of [1, 3, 7, 7]');
    const foreign = await refusal([
      ['features.0.weight', [64, 3, 3, 3]],
      ['features.0.bias', [64]],
    ]);
    expect(foreign).toContain(
      'a network of the reference, got one with the unknown features.0.weight, features.0.bias.',
    );
  });

  test('weights and statistics of a norm behind biases, which instance norm and batch norm could have', async () => {
    const norms = shapesOf({ ...resnet, norm: 'batch' }).filter(
      ([name]) => !shapes.some(([own]) => own === name),
    );
    const message = await refusal([...shapes, ...norms]);
    expect(message).toMatch(/with the unknown model\.2\.running_mean|with the unknown model\.1\.bias/);
  });

  test('no weights at all', async () => {
    const path = join(temporaryFolder(), 'net.pth');
    writeFileSync(path, py.zipFile(py.dictionary([py.text('epoch'), py.integer(3)])));
    await expect(importPyTorch(path)).rejects.toThrow(
      /expected one to 64 networks’ weights by name, got none/,
    );
  });
});

describe('several networks in a file', () => {
  const program = join(fixtures, 'program.pth');

  test('by direction, by key, or not at all', async () => {
    await expect(importPyTorch(program)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(
        'expected one generator, got "networks.netG_A", "networks.netG_B". Choose one',
      ),
    });
    const [a, b] = [
      await importPyTorch(program, { direction: 'AtoB' }),
      await importPyTorch(program, { key: 'netG_B' }),
    ];
    expect(a).toMatchObject({ name: 'networks.netG_A', direction: 'AtoB' });
    expect(b).toMatchObject({ name: 'networks.netG_B', direction: 'BtoA' });
    expect(a.weights.get('model.1.weight')?.data).not.toEqual(b.weights.get('model.1.weight')?.data);
    expect(a.graph.name).toBe('generator_AtoB');
    expect(b.graph.name).toBe('generator_BtoA');
  });

  test('the discriminator beside them is the only one', async () => {
    expect(await importPyTorchDiscriminator(program)).toMatchObject({ name: 'networks.netD_A' });
  });

  test('a key that is not there, or of a network of the other kind', async () => {
    await expect(importPyTorch(program, { key: 'G_A' })).rejects.toMatchObject({ code: 'usage' });
    await expect(importPyTorch(program, { key: 'netD_A' })).rejects.toThrow(
      /expected a generator, got a patch/,
    );
  });

  test('under prefixes in one dictionary, behind wrappers', async () => {
    const shapes = shapesOf(resnet).flatMap(
      ([name, shape]): Shapes => [
        [`genA2B.module.${name}`, shape],
        [`genB2A.module.${name}`, shape],
      ],
    );
    const path = write([...shapes, ['vgg.features.0.weight', [1]]]);
    expect(await importPyTorch(path, { direction: 'BtoA' })).toMatchObject({
      name: 'genB2A',
      config: resnet,
    });
  });
});

describe('directions and pairs', () => {
  test.each([
    ['latest_net_G_A.pth', 'AtoB'],
    ['200_net_G_B.pth', 'BtoA'],
    ['netG_A2B.pth', 'AtoB'],
    ['genB2A.pth', 'BtoA'],
    ['G_AB.pt', 'AtoB'],
    ['latest_net_G.pth', null],
    ['horse2zebra.pth', null],
    ['training_b.pth', null],
  ])('%s', async (name, direction) => {
    const path = write(shapesOf(resnet), name);
    expect((await importPyTorch(path)).direction).toBe(direction);
    expect((await importPyTorch(path, { direction: 'BtoA' })).direction).toBe('BtoA');
  });

  test('a file finds the one of the other direction beside it', async () => {
    const folder = temporaryFolder();
    const [a, b] = [join(folder, 'latest_net_G_A.pth'), join(folder, 'latest_net_G_B.pth')];
    copyFileSync(join(fixtures, 'resnet-fp16.pth'), a);
    expect(await findPair(a)).toBe(null);
    mkdirSync(b);
    expect(await findPair(a)).toBe(null);
    const [c, d] = [join(folder, '5_net_G_A.pth'), join(folder, '5_net_G_B.pth')];
    for (const path of [c, d]) copyFileSync(a, path);
    expect(await findPair(c)).toEqual({ AtoB: c, BtoA: d });
    expect(await findPair(d)).toEqual({ AtoB: c, BtoA: d });
    expect(await findPair(join(folder, 'horse2zebra.pth'))).toBe(null);
  });

  test('of a folder the latest two are taken', async () => {
    const folder = temporaryFolder();
    expect(await findPair(folder)).toBe(null);
    const pair = (epoch: string) => ['G_A', 'G_B'].map((name) => join(folder, `${epoch}_net_${name}.pth`));
    for (const epoch of ['5', '100', '40']) {
      for (const path of pair(epoch)) writeFileSync(path, '');
    }
    expect(Object.values((await findPair(folder)) ?? {})).toEqual(pair('100'));
    for (const path of pair('latest')) writeFileSync(path, '');
    expect(Object.values((await findPair(folder)) ?? {})).toEqual(pair('latest'));
  });
});
