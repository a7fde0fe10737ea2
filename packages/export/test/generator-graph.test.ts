/** The generator's graph as it ships: its interface, what is in it, and what it refuses. */
import { generatorGraph } from '@cyclegan/export';
import { formatShape, readOnnx, writeOnnx } from '@cyclegan/graph';
import { generatorNetwork } from '@cyclegan/model';
import { expect, test } from 'vitest';
import { randomWeights, smallNetworks } from '../../../test/support/make-bundle.ts';

const blocks = 2;
const networks = smallNetworks({ blocks });
const config = networks.generator;
const weights = randomWeights(networks, 3);
const graph = () => generatorGraph({ config, weights, direction: 'BtoA' });

test('takes and gives images of any size that is a multiple of 4, in batches', () => {
  const { inputs, outputs } = graph();
  expect(inputs.map(({ name, shape }) => `${name} ${formatShape(shape)}`)).toEqual(['image [N, 3, H, W]']);
  expect(outputs.map(({ name, value }) => `${name} ${formatShape(value.shape)}`)).toEqual([
    'translation [N, 3, H, W]',
  ]);
  expect(inputs[0]?.shape[2]).toMatchObject({ symbol: 'H', unit: 4 });
});

test('holds the direction’s weights under the reference’s keys, and InstanceNormalization in one piece', () => {
  const { nodes } = readOnnx(writeOnnx(graph())).graph;
  const constants = nodes.flatMap(({ inputs }) =>
    inputs.flatMap((input) => (input?.constant ? [input] : [])),
  );
  // What operators take besides has the layer's name and a slash.
  const named = constants.filter(({ name }) => name.startsWith('model.') && !name.includes('/'));
  const all = generatorNetwork(config).parameters.map(({ name }) => name);
  const last = Math.max(...all.map((name) => Number(name.split('.')[1])));
  const used = all.filter((name) => name.endsWith('weight') || name === `model.${last}.bias`);
  expect(named.map(({ name }) => name).sort()).toEqual(used.sort());
  for (const { name, constant } of named) {
    expect(constant?.data).toEqual(weights.get(`G_B.${name}`)?.data);
  }
  const count = (op: string) => nodes.filter((node) => node.op.name === op).length;
  expect(count('InstanceNormalization')).toBe(5 + 2 * blocks);
  expect(count('ReduceMean')).toBe(0);
});

test('names a weight that is missing, or of another shape', () => {
  const without = new Map(weights);
  without.delete('G_B.model.1.bias');
  expect(() => generatorGraph({ config, weights: without, direction: 'BtoA' })).toThrow(
    /expected G_B\.model\.1\.bias of \[4\], got none/,
  );
  expect(generatorGraph({ config, weights: without, direction: 'AtoB' }).outputs).toHaveLength(1);
  const wider = smallNetworks({ ngf: 5, blocks: 2 }).generator;
  expect(() => generatorGraph({ config: wider, weights, direction: 'AtoB' })).toThrow(
    /expected G_A\.model\.1\.weight of \[5, 3, 7, 7\], got \[4, 3, 7, 7\]/,
  );
});
