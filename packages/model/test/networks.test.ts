/** The networks: names, shapes and counts of the reference, and the sizes that they take. */
import { type Dim, formatShape, Graph, GraphError, symbolicDim } from '@cyclegan/graph';
import {
  cycleganNetworks,
  type DiscriminatorConfig,
  discriminatorMinSize,
  discriminatorNetwork,
  discriminatorSchema,
  type GeneratorConfig,
  generatorNames,
  generatorNetwork,
  generatorSchema,
  minSize,
  type Network,
  namedBuffers,
  namedParameters,
  networksSchema,
  parameterCount,
  sizeMultiple,
} from '@cyclegan/model';
import { describe, expect, it, test } from 'vitest';

const resnet = (given: object = {}) =>
  generatorSchema.parse({
    kind: 'resnet',
    blocks: 9,
    ngf: 64,
    inputChannels: 3,
    outputChannels: 3,
    ...given,
  });
const unet = (given: object = {}) =>
  generatorSchema.parse({ kind: 'unet', downs: 8, ngf: 64, inputChannels: 3, outputChannels: 3, ...given });
const patch = (given: object = {}) =>
  discriminatorSchema.parse({ kind: 'patch', ndf: 64, layers: 3, ...given });
const pixel = (given: object = {}) => discriminatorSchema.parse({ kind: 'pixel', ndf: 64, ...given });
const generator = (config: GeneratorConfig) => generatorNetwork(config);
const discriminator = (config: DiscriminatorConfig) => discriminatorNetwork(config, 3);

/** `model.1 [64,3,7,7]`, and a bias of as many elements as `outputs` says, for each convolution. */
const layer = (name: string, shape: number[], outputs = shape[0]) => [
  `${name}.weight ${shape}`,
  `${name}.bias ${outputs}`,
];
const listed = ({ parameters }: Network) => parameters.map(({ name, shape }) => `${name} ${shape}`);
const names = ({ parameters }: Network) => parameters.map(({ name }) => name);
const count = ({ parameters }: Network) => parameterCount(parameters);

/** The network on zeros of a size, its weights graph inputs. */
function outputShape(network: Network, shape: Dim[]): string {
  const graph = new Graph('network');
  const weights = new Map(
    [...network.parameters, ...network.buffers].map(({ name, shape }) => [
      name,
      graph.input(name, 'float32', shape),
    ]),
  );
  const x = graph.input('x', 'float32', shape);
  return formatShape(network.apply(graph, x, (name) => weights.get(name) ?? expect.unreachable(name)).shape);
}

describe('the resnet generator', () => {
  const keys = (blocks: number, second = 5) => [
    ...layer('model.1', [64, 3, 7, 7]),
    ...layer('model.4', [128, 64, 3, 3]),
    ...layer('model.7', [256, 128, 3, 3]),
    ...Array.from({ length: blocks }, (_, i) =>
      [1, second].flatMap((at) => layer(`model.${10 + i}.conv_block.${at}`, [256, 256, 3, 3])),
    ).flat(),
    ...layer(`model.${10 + blocks}`, [256, 128, 3, 3], 128),
    ...layer(`model.${13 + blocks}`, [128, 64, 3, 3], 64),
    ...layer(`model.${17 + blocks}`, [3, 64, 7, 7]),
  ];

  it.each([
    [9, 48, 11_378_179],
    [6, 36, 7_837_699],
  ])('of %i blocks has the reference’s keys, shapes and count', (blocks, number, total) => {
    const network = generator(resnet({ blocks }));
    expect(listed(network)).toEqual(keys(blocks));
    expect(network.parameters).toHaveLength(number);
    expect(count(network)).toBe(total);
    expect(network.buffers).toEqual([]);
  });

  it('has its second convolution one place further on with dropout', () => {
    expect(listed(generator(resnet({ dropout: true })))).toEqual(keys(9, 6));
  });

  it('has biases with instance norm alone, but for the last convolution', () => {
    const none = generator(resnet({ norm: 'none', blocks: 1, ngf: 2 }));
    const weights = names(generator(resnet({ blocks: 1, ngf: 2 }))).filter((name) => name.endsWith('weight'));
    expect(names(none)).toEqual([...weights, 'model.18.bias']);
    const batch = generator(resnet({ norm: 'batch', blocks: 1, ngf: 2 }));
    expect(names(batch).slice(0, 4)).toEqual([
      'model.1.weight',
      'model.2.weight',
      'model.2.bias',
      'model.4.weight',
    ]);
    expect(batch.buffers.slice(0, 2).map(({ name, shape, role }) => `${name} ${shape} ${role}`)).toEqual([
      'model.2.running_mean 2 mean',
      'model.2.running_var 2 variance',
    ]);
    expect(batch.buffers.map(({ name }) => name)).toContain('model.10.conv_block.6.running_var');
    expect([none, batch].map(({ perSample }) => perSample)).toEqual([true, false]);
  });

  it('resizes in three places where it would transpose in one', () => {
    const resized = listed(generator(resnet({ blocks: 1, ngf: 2, upsample: 'resize' })));
    expect(resized.slice(-6)).toEqual([
      ...layer('model.13', [4, 8, 3, 3]),
      ...layer('model.18', [2, 4, 3, 3]),
      ...layer('model.22', [3, 2, 7, 7]),
    ]);
  });
});

describe('the unet generator', () => {
  it.each([
    [7, 41_825_667],
    [8, 54_409_603],
  ])('of %i levels has the reference’s count', (downs, total) => {
    expect(count(generator(unet({ downs })))).toBe(total);
  });

  it('has the reference’s count with batch norm', () => {
    expect((count(generator(unet({ norm: 'batch' }))) / 1e6).toFixed(3)).toBe('54.414');
  });

  it('has the reference’s keys and shapes, level within level', () => {
    const within = (depth: number) =>
      `model.model${'.1.model'.repeat(Math.min(depth, 1))}${'.3.model'.repeat(Math.max(depth - 1, 0))}`;
    expect(listed(generator(unet({ downs: 5, ngf: 2 })))).toEqual([
      ...layer(`${within(0)}.0`, [2, 3, 4, 4]),
      ...layer(`${within(1)}.1`, [4, 2, 4, 4]),
      ...layer(`${within(2)}.1`, [8, 4, 4, 4]),
      ...layer(`${within(3)}.1`, [16, 8, 4, 4]),
      ...layer(`${within(4)}.1`, [16, 16, 4, 4]),
      ...layer(`${within(4)}.3`, [16, 16, 4, 4]),
      ...layer(`${within(3)}.5`, [32, 8, 4, 4], 8),
      ...layer(`${within(2)}.5`, [16, 4, 4, 4], 4),
      ...layer(`${within(1)}.5`, [8, 2, 4, 4], 2),
      ...layer(`${within(0)}.3`, [4, 3, 4, 4], 3),
    ]);
  });

  it('normalises neither outermost nor innermost down, and with batch norm has no biases but the last', () => {
    const batch = generator(unet({ downs: 5, ngf: 2, norm: 'batch' }));
    expect(batch.buffers).toHaveLength(2 * (3 + 4));
    expect(names(batch).filter((name) => /^model\.model\.[03]\./.test(name))).toEqual([
      'model.model.0.weight',
      'model.model.3.weight',
      'model.model.3.bias',
    ]);
    expect(batch.perSample).toBe(false);
  });
});

describe('a generator', () => {
  const small = [
    resnet({ blocks: 2, ngf: 4 }),
    resnet({ blocks: 1, ngf: 2, norm: 'batch', upsample: 'resize', dropout: true }),
    unet({ downs: 5, ngf: 1 }),
    unet({ downs: 6, ngf: 1, norm: 'none', upsample: 'resize', dropout: true }),
  ];

  it.each(small)('$kind $norm $upsample gives images of the size that it takes, fixed or open', (config) => {
    const [multiple, least] = [sizeMultiple(config), minSize(config)];
    const open = (symbol: string) => symbolicDim(symbol, multiple);
    const network = generator(config);
    expect(outputShape(network, [symbolicDim('N'), 3, open('H'), open('W')])).toBe('[N, 3, H, W]');
    expect(outputShape(network, [2, 3, least, 3 * multiple])).toBe(`[2, 3, ${least}, ${3 * multiple}]`);
  });

  it('a resnet promises no size for images of other multiples', () => {
    const shape = [1, 3, symbolicDim('H', 2), 64];
    expect(outputShape(generator(resnet()), shape)).toBe('[1, 3, 4*floor((H/2+1)/2), 64]');
  });

  it.each(small)('$kind $norm $upsample refuses smaller images and other channels', (config) => {
    const [multiple, least] = [sizeMultiple(config), minSize(config)];
    const network = generator(config);
    const side = 4 * multiple;
    expect(() => outputShape(network, [1, 3, least - multiple, side])).toThrow(GraphError);
    expect(() => outputShape(network, [1, 1, side, side])).toThrow(/expected 3 input channels, got 1/);
  });
});

describe('the patch discriminator', () => {
  it('has the reference’s keys, shapes and count', () => {
    const network = discriminator(patch());
    expect(listed(network)).toEqual([
      ...layer('model.0', [64, 3, 4, 4]),
      ...layer('model.2', [128, 64, 4, 4]),
      ...layer('model.5', [256, 128, 4, 4]),
      ...layer('model.8', [512, 256, 4, 4]),
      ...layer('model.11', [1, 512, 4, 4]),
    ]);
    expect(count(network)).toBe(2_764_737);
  });

  it('grows its channels by at most eight', () => {
    const widths = discriminator(patch({ layers: 6, ndf: 2 })).parameters.flatMap(({ role, shape }) =>
      role === 'weight' ? [shape[0]] : [],
    );
    expect(widths).toEqual([2, 4, 8, 16, 16, 16, 16, 1]);
  });

  it('has biases at its ends alone without instance norm', () => {
    const batch = discriminator(patch({ norm: 'batch', layers: 1, ndf: 2 }));
    expect(names(batch)).toEqual([
      'model.0.weight',
      'model.0.bias',
      'model.2.weight',
      'model.3.weight',
      'model.3.bias',
      'model.5.weight',
      'model.5.bias',
    ]);
    expect(batch.perSample).toBe(false);
  });

  it('gives 30×30 logits at 256×256', () => {
    expect(outputShape(discriminator(patch({ ndf: 2 })), [1, 3, 256, 256])).toBe('[1, 1, 30, 30]');
  });
});

describe('the pixel discriminator', () => {
  it('has the reference’s keys and shapes, and a logit for each pixel', () => {
    expect(listed(discriminator(pixel()))).toEqual([
      ...layer('net.0', [64, 3, 1, 1]),
      ...layer('net.2', [128, 64, 1, 1]),
      ...layer('net.5', [1, 128, 1, 1]),
    ]);
    expect(names(discriminator(pixel({ norm: 'none' })))).toEqual([
      'net.0.weight',
      'net.0.bias',
      'net.2.weight',
      'net.5.weight',
    ]);
    expect(outputShape(discriminator(pixel({ norm: 'batch' })), [2, 3, 7, 5])).toBe('[2, 1, 7, 5]');
  });
});

it.each([1, 2, 3, 4, 5].map((layers) => patch({ layers, ndf: 1 })))(
  'a discriminator of $layers layers takes its least size, and nothing smaller',
  (config) => {
    const least = discriminatorMinSize(config);
    expect(outputShape(discriminator(config), [1, 3, least, least])).toBe('[1, 1, 1, 1]');
    for (let size = 1; size < least; size++) {
      expect(() => outputShape(discriminator(config), [1, 3, size, least]), `${size}`).toThrow(GraphError);
    }
  },
);

describe('the four networks', () => {
  const networks = (given: object = {}) =>
    cycleganNetworks(
      networksSchema.parse({
        generator: { kind: 'resnet', blocks: 1, ngf: 2, inputChannels: 3, outputChannels: 3, ...given },
        discriminator: { kind: 'patch', ndf: 2, layers: 1 },
      }),
    );

  test('have their names before their parameters and buffers', () => {
    const parameters = namedParameters(networks(), ['D_B', ...generatorNames]).map(({ name }) => name);
    expect(parameters[0]).toBe('D_B.model.0.weight');
    expect(parameters.at(-1)).toBe('G_B.model.18.bias');
    expect(new Set(parameters).size).toBe(parameters.length);
    expect(namedBuffers(networks({ norm: 'batch' }), ['G_B'])[0]?.name).toBe('G_B.model.2.running_mean');
  });

  test('take grey and colour, each way and each judge', () => {
    const { G_A, G_B, D_A, D_B } = networks({ inputChannels: 1 });
    expect(outputShape(G_A, [1, 1, 16, 8])).toBe('[1, 3, 16, 8]');
    expect(outputShape(G_B, [1, 3, 16, 8])).toBe('[1, 1, 16, 8]');
    expect(outputShape(D_A, [1, 3, 8, 8])).toBe('[1, 1, 2, 2]');
    expect(outputShape(D_B, [1, 1, 8, 8])).toBe('[1, 1, 2, 2]');
  });

  test('of a file without the newer options are what they were', () => {
    const old = {
      generator: { kind: 'resnet', blocks: 1, ngf: 2, inputChannels: 3, outputChannels: 3 },
      discriminator: { kind: 'patch', ndf: 2, layers: 1, inputChannels: 3 },
    };
    expect(networksSchema.parse(old)).toEqual({
      generator: { ...old.generator, norm: 'instance', dropout: false, upsample: 'transpose' },
      discriminator: { kind: 'patch', ndf: 2, layers: 1, norm: 'instance' },
    });
  });
});
