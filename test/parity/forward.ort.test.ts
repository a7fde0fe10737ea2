/** Generator and discriminators against PyTorch's answers, at several sizes and depths. */
import { generatorGraph } from '@cyclegan/export';
import { Graph, writeOnnx } from '@cyclegan/graph';
import {
  discriminatorNetwork,
  generatorSchema,
  readSafetensors,
  type StoredTensor,
  type Tensor,
} from '@cyclegan/model';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';

const tolerance = 1e-4;
let goldens: ReadonlyMap<string, StoredTensor>;
let weights: ReadonlyMap<string, StoredTensor>;

beforeAll(async () => {
  const read = (name: string) =>
    readSafetensors(new URL(`../goldens/${name}.safetensors`, import.meta.url).pathname);
  goldens = (await read('forward')).tensors;
  weights = (await read('weights')).tensors;
});

function golden(name: string): StoredTensor {
  const tensor = goldens.get(name);
  if (!tensor) throw new Error(`no golden ${name}`);
  return tensor;
}

/** A golden input as the network sees it. */
function image(name: string): OrtTensor {
  const { data, shape } = golden(name);
  const values = Float32Array.from(data as Uint8Array, (value) =>
    Math.fround((Math.fround(value / 255) - 0.5) / 0.5),
  );
  return new OrtTensor('float32', values, [...shape]);
}

async function run(bytes: Uint8Array, feeds: Record<string, OrtTensor>, output: string): Promise<OrtTensor> {
  const session = await InferenceSession.create(bytes);
  try {
    const results = await session.run(feeds);
    return results[output] as OrtTensor;
  } finally {
    await session.release();
  }
}

function expectEqual(got: OrtTensor, name: string): void {
  const { data, shape } = golden(name);
  expect(got.dims).toEqual([...shape]);
  const values = got.data as Float32Array;
  const scale = Math.max(1, ...(data as Float32Array).map(Math.abs));
  const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - Number(data[i]))), 0);
  expect(worst / scale).toBeLessThan(tolerance);
}

describe('the exported generator', () => {
  it.each(['32x32', '24x40', '36x28'])('answers as PyTorch at %s', async (size) => {
    const own = new Map([...weights].map(([name, tensor]) => [name, tensor as Tensor]));
    const graph = generatorGraph({
      config: generatorSchema.parse({
        kind: 'resnet',
        blocks: 2,
        ngf: 4,
        inputChannels: 3,
        outputChannels: 3,
      }),
      weights: own,
      direction: 'AtoB',
    });
    const output = await run(writeOnnx(graph), { image: image(`generator.${size}.input`) }, 'translation');
    expectEqual(output, `generator.${size}.output`);
  });
});

describe('the discriminator', () => {
  it.each([1, 2, 3])('of %i layers answers as PyTorch', async (layers) => {
    const graph = new Graph('discriminator');
    const input = image('discriminator.input');
    const network = discriminatorNetwork({ kind: 'patch', ndf: 4, layers, norm: 'instance' }, 3);
    const x = graph.input('x', 'float32', input.dims);
    const output = network.apply(graph, x, (name) => {
      const { shape, data } = golden(`discriminator.${layers}.${name}`);
      return graph.constant({ dtype: 'float32', shape, data: data as Float32Array }, name);
    });
    graph.output('y', output);
    expectEqual(await run(writeOnnx(graph), { x: input }, 'y'), `discriminator.${layers}.output`);
  });
});
