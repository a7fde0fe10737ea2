/** The networks: names, shapes and counts of the reference, the sizes that they take, and their first weights. */
import { type Dim, formatShape, Graph, GraphError, symbolicDim } from '@cyclegan/graph';
import {
  cycleganNetworks,
  discriminatorMinSize,
  generatorNames,
  initialWeights,
  MIN_SIZE,
  type Network,
  namedParameters,
  networksSchema,
  type Parameter,
  parameterCount,
  patchDiscriminator,
  resnetGenerator,
  SIZE_MULTIPLE,
} from '@cyclegan/model';
import { describe, expect, it, test } from 'vitest';

const generator = (blocks: number, ngf = 64) =>
  resnetGenerator({ kind: 'resnet', blocks, ngf, inputChannels: 3, outputChannels: 3 });
const discriminator = (layers = 3, ndf = 64) =>
  patchDiscriminator({ kind: 'patch', ndf, layers, inputChannels: 3 });

/** `model.1 [64,3,7,7]`, and a bias of as many elements as `outputs` says, for each convolution. */
const layer = (name: string, shape: number[], outputs = shape[0]) => [
  `${name}.weight ${shape}`,
  `${name}.bias ${outputs}`,
];
const listed = ({ parameters }: Network) => parameters.map(({ name, shape }) => `${name} ${shape}`);

/** The network on zeros of a size, its weights graph inputs. */
function outputShape(network: Network, shape: Dim[]): string {
  const graph = new Graph('network');
  const weights = new Map(
    network.parameters.map(({ name, shape }) => [name, graph.input(name, 'float32', shape)]),
  );
  const x = graph.input('x', 'float32', shape);
  return formatShape(network.apply(graph, x, (name) => weights.get(name) ?? expect.unreachable(name)).shape);
}

describe('the generator', () => {
  const resnet = (blocks: number) => [
    ...layer('model.1', [64, 3, 7, 7]),
    ...layer('model.4', [128, 64, 3, 3]),
    ...layer('model.7', [256, 128, 3, 3]),
    ...Array.from({ length: blocks }, (_, i) =>
      [1, 5].flatMap((at) => layer(`model.${10 + i}.conv_block.${at}`, [256, 256, 3, 3])),
    ).flat(),
    ...layer(`model.${10 + blocks}`, [256, 128, 3, 3], 128),
    ...layer(`model.${13 + blocks}`, [128, 64, 3, 3], 64),
    ...layer(`model.${17 + blocks}`, [3, 64, 7, 7]),
  ];

  it.each([
    [9, 48, 11_378_179],
    [6, 36, 7_837_699],
  ])('of %i blocks has the reference’s keys, shapes and count', (blocks, keys, count) => {
    expect(listed(generator(blocks))).toEqual(resnet(blocks));
    expect(generator(blocks).parameters).toHaveLength(keys);
    expect(parameterCount(generator(blocks).parameters)).toBe(count);
  });

  it('has the reference’s places for nine and for six blocks', () => {
    const names = (blocks: number) => generator(blocks).parameters.map(({ name }) => name);
    expect(names(9)).toEqual(
      expect.arrayContaining(['model.18.conv_block.5.weight', 'model.19.weight', 'model.26.bias']),
    );
    expect(names(6)).toEqual(
      expect.arrayContaining(['model.15.conv_block.5.weight', 'model.16.weight', 'model.23.bias']),
    );
  });

  it('gives images of the size that it takes, fixed or open', () => {
    const open = (symbol: string) => symbolicDim(symbol, SIZE_MULTIPLE);
    expect(outputShape(generator(2, 4), [symbolicDim('N'), 3, open('H'), open('W')])).toBe('[N, 3, H, W]');
    expect(outputShape(generator(2, 4), [2, 3, MIN_SIZE, 20])).toBe(`[2, 3, ${MIN_SIZE}, 20]`);
    const grey = resnetGenerator({ kind: 'resnet', blocks: 0, ngf: 1, inputChannels: 1, outputChannels: 3 });
    expect(outputShape(grey, [1, 1, 16, 8])).toBe('[1, 3, 16, 8]');
  });

  it('refuses smaller images, other channels, and open sizes of another multiple', () => {
    const least = MIN_SIZE - SIZE_MULTIPLE;
    expect(() => outputShape(generator(1, 4), [1, 3, least, 32])).toThrow(GraphError);
    expect(() => outputShape(generator(1, 4), [1, 1, 32, 32])).toThrow(/expected 3 input channels, got 1/);
    expect(() => outputShape(generator(1, 4), [1, 3, symbolicDim('H', 2), 32])).toThrow(/multiple of 2/);
  });
});

describe('the discriminator', () => {
  it('has the reference’s keys, shapes and count', () => {
    expect(listed(discriminator())).toEqual([
      ...layer('model.0', [64, 3, 4, 4]),
      ...layer('model.2', [128, 64, 4, 4]),
      ...layer('model.5', [256, 128, 4, 4]),
      ...layer('model.8', [512, 256, 4, 4]),
      ...layer('model.11', [1, 512, 4, 4]),
    ]);
    expect(parameterCount(discriminator().parameters)).toBe(2_764_737);
  });

  it('grows its channels by at most eight', () => {
    const widths = discriminator(6, 2).parameters.flatMap(({ role, shape }) =>
      role === 'weight' ? [shape[0]] : [],
    );
    expect(widths).toEqual([2, 4, 8, 16, 16, 16, 16, 1]);
  });

  it('gives 30×30 logits at 256×256', () => {
    expect(outputShape(discriminator(3, 2), [1, 3, 256, 256])).toBe('[1, 1, 30, 30]');
  });

  it.each([1, 2, 3, 4, 5])('of %i layers takes its least size, and nothing smaller', (layers) => {
    const network = discriminator(layers, 1);
    const least = discriminatorMinSize(layers);
    expect(outputShape(network, [1, 3, least, least])).toBe('[1, 1, 1, 1]');
    for (let size = 1; size < least; size++) {
      expect(() => outputShape(network, [1, 3, size, least]), `${size}`).toThrow(GraphError);
    }
  });
});

test('the four networks have their names before their parameters', () => {
  const config = networksSchema.parse({
    generator: { kind: 'resnet', blocks: 1, ngf: 2, inputChannels: 3, outputChannels: 3 },
    discriminator: { kind: 'patch', ndf: 2, layers: 1, inputChannels: 3 },
  });
  const names = namedParameters(cycleganNetworks(config), ['D_B', ...generatorNames]).map(({ name }) => name);
  expect(names[0]).toBe('D_B.model.0.weight');
  expect(names.at(-1)).toBe('G_B.model.18.bias');
  expect(new Set(names).size).toBe(names.length);
});

describe('initial weights', () => {
  const { parameters } = generator(3, 16);
  const flat = initialWeights(parameters, 7);
  const pieces = (values: Float32Array, of: readonly Parameter[]) => {
    let at = 0;
    return of.map((parameter) => {
      const size = parameterCount([parameter]);
      at += size;
      return { ...parameter, values: values.subarray(at - size, at) };
    });
  };

  it('are N(0, 0.02), every parameter by itself, and biases zero', () => {
    expect(flat).toHaveLength(parameterCount(parameters));
    for (const { name, role, values } of pieces(flat, parameters)) {
      if (role === 'bias') {
        expect(
          [...values].every((value) => value === 0),
          name,
        ).toBe(true);
        continue;
      }
      const n = values.length;
      const mean = values.reduce((sum, value) => sum + value, 0) / n;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
      const outside = values.filter((value) => Math.abs(value) > 0.04).length / n;
      // Five standard errors each; 4.55 % of a normal distribution lie outside two deviations.
      expect(Math.abs(mean), name).toBeLessThan((5 * 0.02) / Math.sqrt(n));
      expect(Math.abs(deviation / 0.02 - 1), name).toBeLessThan(5 / Math.sqrt(2 * n));
      expect(Math.abs(outside - 0.0455), name).toBeLessThan(5 * Math.sqrt((0.0455 * 0.9545) / n));
    }
  });

  it('are a function of the seed', () => {
    expect(Buffer.from(initialWeights(parameters, 7).buffer).equals(Buffer.from(flat.buffer))).toBe(true);
    const other = initialWeights(parameters, 8);
    const equal = flat.filter((value, i) => value !== 0 && value === other[i]).length;
    expect(equal).toBeLessThan(flat.length / 1000);
  });

  it('are those that earlier versions gave', () => {
    expect([...flat.subarray(0, 3)].map((value) => value.toFixed(6))).toEqual([
      '0.043146',
      '0.026918',
      '-0.008567',
    ]);
  });
});
