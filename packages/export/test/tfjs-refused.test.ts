/** GraphModels that cannot be read or carried over: one sentence each, and for operators all of them at once. */
import { importTfjs } from '@cyclegan/export';
import { formatShape } from '@cyclegan/graph';
import { isCycleganError } from '@cyclegan/runtime-core';
import { expect, test } from 'vitest';
import {
  type GraphModelSpec,
  modelFiles,
  node,
  placeholder,
  randomWeight,
  shape,
  type,
  withFiles,
} from './tfjs-graph-model.ts';

type Json = { weightsManifest: { paths: string[]; weights: Record<string, unknown>[] }[] } & Record<
  string,
  unknown
>;

const plain: GraphModelSpec = {
  nodes: [placeholder(), node('Mul', ['x', 'w'])],
  weights: { w: randomWeight([3]) },
};

/** The sentence that importing ends with. */
async function refusal(
  files: Map<string, Uint8Array>,
  options: Parameters<typeof importTfjs>[1] = {},
): Promise<string> {
  return withFiles(files, async (folder) => {
    const error = await importTfjs(folder, options).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!isCycleganError(error)) throw new Error(`expected a refusal, got ${String(error)}`);
    return `${error.code}: ${error.message.replaceAll(folder, '')}`;
  });
}

/** The plain model with its model.json changed. */
function changed(change: (json: Json) => void, spec = plain): Map<string, Uint8Array> {
  const files = modelFiles(spec);
  const json = JSON.parse(Buffer.from(files.get('model.json') ?? []).toString()) as Json;
  change(json);
  return files.set('model.json', Buffer.from(JSON.stringify(json)));
}

/** The plain model with its first weight's entry changed. */
const weight = (entry: Record<string, unknown>) =>
  changed((json) => {
    Object.assign(json.weightsManifest[0]?.weights[0] ?? {}, entry);
  });

/** The plain model with other shards. */
const paths = (...list: string[]) =>
  changed((json) => {
    for (const group of json.weightsManifest) group.paths = list;
  });

test.each<[string, Map<string, Uint8Array>, RegExp]>([
  ['no JSON', new Map([['model.json', Buffer.from('{')]]), /is no JSON/],
  ['another JSON', new Map([['model.json', Buffer.from('[]')]]), /does not fit at its top/],
  [
    'neither kind of model',
    changed((json) => {
      json['modelTopology'] = {};
    }),
    /expected a graph model's nodes or a layers model's configuration, got neither/,
  ],
  ['a missing shard', paths('gone.bin'), /expected the shard gone\.bin beside it, got ENOENT/],
  ['a shard outside the folder', paths('../group1-shard1of1.bin'), /expected shards beside model\.json/],
  ['a shard by an absolute path', paths('/etc/passwd'), /expected shards beside model\.json/],
  ['a shard to be fetched', paths('https://example.com/a.bin'), /expected shards beside model\.json/],
  ['a shard twice', paths('a.bin', 'a.bin'), /expected each shard once/],
  [
    'weights longer than the shards',
    weight({ shape: [4] }),
    /expected 16 bytes of weights in group1-shard1of1\.bin, got 12/,
  ],
  ['weights shorter than the shards', weight({ shape: [2] }), /expected 8 bytes .*, got 12/],
  [
    'a weight of a size that no memory has',
    weight({ shape: [2 ** 52, 2 ** 52] }),
    /expected a weight that fits into memory/,
  ],
  [
    'a weight of text',
    weight({ dtype: 'string' }),
    /expected weights of float32, int32 or bool, got "w" of string/,
  ],
  ['complex weights', weight({ dtype: 'complex64' }), /got "w" of complex64/],
  [
    'a quantised weight without a scale',
    weight({ quantization: { dtype: 'uint8' } }),
    /expected scale and min of the quantised weight "w"/,
  ],
  [
    'two weights of one name',
    changed((json) => {
      const [group] = json.weightsManifest;
      group?.weights.push({ name: 'w', dtype: 'float32', shape: [0] });
    }),
    /got two weights "w"/,
  ],
  [
    'two nodes of one name',
    changed((json) => {
      json['modelTopology'] = { node: [placeholder(), placeholder()] };
    }),
    /expected nodes of different names, got "x" twice/,
  ],
  [
    'a node that is missing',
    modelFiles({ nodes: [placeholder(), node('Relu', ['z'])], weights: {} }),
    /expected the node "z", which "y" reads, got none/,
  ],
  [
    'a circle',
    modelFiles({
      nodes: [
        placeholder(),
        node('AddV2', ['x', 'b'], {}, 'a'),
        node('Relu', ['a'], {}, 'b'),
        node('Relu', ['b']),
      ],
      weights: {},
    }),
    /expected nodes in some order, got a circle through "b"/,
  ],
  [
    'a constant without weights',
    modelFiles({
      nodes: [placeholder(), { name: 'c', op: 'Const' }, node('AddV2', ['x', 'c'])],
      weights: {},
    }),
    /Const "c": expected its weights in the manifest, got none/,
  ],
  [
    'an output that a node has not',
    modelFiles({ nodes: [placeholder(), node('Relu', ['x:3'])], weights: {} }),
    /Relu "y": expected an input 0, got output 3 of x/,
  ],
  [
    'an attribute of the wrong kind',
    modelFiles({ nodes: [placeholder(), node('LeakyRelu', ['x'], { alpha: { s: 'AAA=' } })], weights: {} }),
    /LeakyRelu "y": expected its attribute alpha to be a number/,
  ],
  [
    'an input that is no image',
    modelFiles({ nodes: [placeholder(-1, 5), node('Relu', ['x'])], weights: {} }),
    /input "x": expected an image of 3 or 4 axes, got sizes \[-1, 5\]/,
  ],
  [
    'an output that is no image',
    modelFiles({ nodes: [placeholder(), node('Shape', ['x'])], weights: {} }),
    /expected an image as output "y", got one of 1 axes/,
  ],
])('refuses %s', async (_, files, sentence) => {
  const refused = await refusal(files);
  expect(refused).toMatch(/^bundle: \[export\] /);
  expect(refused).toMatch(sentence);
});

test('names all nodes that cannot be carried over', async () => {
  const nodes = [
    placeholder(),
    node('StatelessWhile', ['x'], {}, 'loop'),
    node('TensorListReserve', ['loop'], {}, 'list'),
    node('While', ['list'], {}, 'again'),
    node('StatelessWhile', ['again']),
  ];
  expect(await refusal(modelFiles({ nodes, weights: {} }))).toContain(
    'got StatelessWhile ("loop", "y"), TensorListReserve ("list"), While ("again").',
  );
});

const ends: GraphModelSpec = {
  nodes: [
    placeholder(),
    { name: 'style', op: 'Placeholder', attr: { dtype: type('DT_FLOAT'), shape: shape(1, 1, 1, 3) } },
    node('Mul', ['x', 'style'], {}, 'm'),
    node('Relu', ['m'], {}, 'first'),
    node('Tanh', ['x'], {}, 'second'),
  ],
  weights: {},
};
const signature = {
  inputs: { photo: { name: 'x:0' }, style: { name: 'style:0' } },
  outputs: { a: { name: 'first:0' }, b: { name: 'second:0' } },
};

test('asks for the one output and the one input that are meant', async () => {
  const files = modelFiles({ ...ends, signature });
  expect(await refusal(files)).toMatch(/^usage: .*expected the name of one output, got "a", "b"\./);
  expect(await refusal(files, { output: 'c' })).toContain('got "c", where there are "a", "b".');
  expect(await refusal(files, { output: 'a' })).toMatch(
    /expected the name of one input, got "photo", "style"\./,
  );
  expect(await refusal(files, { output: 'a', input: 'photo' })).toMatch(
    /expected one input, got also "style"\./,
  );
});

test('takes them by the names of signature, tensor and node, and the other input as it is to stay', async () => {
  await withFiles(modelFiles({ ...ends, signature }), async (folder) => {
    for (const output of ['b', 'second:0', 'second']) {
      // The second output does not need the style.
      const { graph } = await importTfjs(folder, { output });
      expect(graph.nodes.map(({ op }) => op.name)).toEqual(['Tanh']);
    }
    const fixed = {
      style: { dtype: 'float32' as const, shape: [1, 1, 1, 3], data: Float32Array.of(1, 2, 3) },
    };
    const { graph } = await importTfjs(folder, { output: 'a', fixed });
    expect(graph.nodes.map(({ op }) => op.name)).toEqual(['Mul', 'Relu']);
    expect(graph.inputs.map(({ shape: sizes }) => formatShape(sizes))).toEqual(['[N, 3, H, W]']);
  });
});

test('keeps fixed sizes fixed, and knows channels that come first', async () => {
  const inputs: [number[], string, string][] = [
    [[1, 256, 256, 3], '[1, 3, 256, 256]', 'NHWC'],
    [[-1, 3, -1, -1], '[N, 3, H, W]', 'NCHW'],
    [[-1, -1, 3], '[1, 3, H, W]', 'NHWC'],
    [[-1, -1, -1, -1], '[N, 3, H, W]', 'NHWC'],
  ];
  for (const [sizes, expected, layout] of inputs) {
    const files = modelFiles({ nodes: [placeholder(...sizes), node('Relu', ['x'])], weights: {} });
    await withFiles(files, async (folder) => {
      const imported = await importTfjs(folder);
      expect([imported.graph.inputs[0]?.shape ?? []].map(formatShape)).toEqual([expected]);
      expect(imported.layout).toBe(layout);
    });
  }
});
