/** All passes in turn: on our own generators, the table, the caller's passes, abortion, subgraphs, and large graphs. */
import {
  Add,
  BatchNormalization,
  Conv,
  countNodes,
  deadCode,
  defaultPasses,
  foldConstants,
  Graph,
  Identity,
  Loop,
  Mul,
  optimize,
  Relu,
  readOnnx,
  type Shape,
  Sigmoid,
  simplify,
  symbolicDim,
  Tanh,
  Transpose,
  tensor,
  toNCHW,
  writeOnnx,
} from '@cyclegan/graph';
import { type GeneratorConfig, generatorNetwork, sizeMultiple } from '@cyclegan/model';
import { describe, expect, it, test } from 'vitest';
import {
  evaluate,
  expectClose,
  graphOf,
  interfaceOf,
  operators,
  randomFrom,
  runGraph,
  weights,
} from './passes.js';

function generator(config: GeneratorConfig, shape: Shape): Graph {
  const graph = new Graph('generator');
  const image = graph.input('image', 'float32', shape);
  const next = randomFrom(3);
  const network = generatorNetwork(config);
  const parameters = new Map(
    [...network.parameters, ...network.buffers].map(({ name, shape }) => [name, shape]),
  );
  const result = network.apply(graph, image, (name) => {
    const sizes = parameters.get(name) ?? [];
    const count = sizes.reduce((a, b) => a * b, 1);
    // A variance is above 0.
    const data = Float32Array.from({ length: count }, () => next() / 4 + (name.endsWith('var') ? 1 : 0));
    return graph.constant(tensor('float32', sizes, data), name);
  });
  graph.output('translation', result);
  return graph;
}

describe('our own generators', () => {
  const common = { inputChannels: 3, outputChannels: 3, ngf: 4, dropout: true } as const;
  const resnet = { kind: 'resnet', blocks: 2, upsample: 'transpose', norm: 'instance', ...common } as const;
  const kinds: Record<string, GeneratorConfig> = {
    resnet,
    'resnet of batch norm': { ...resnet, norm: 'batch' },
    'resnet of enlargements': { ...resnet, upsample: 'resize' },
    unet: { kind: 'unet', downs: 5, upsample: 'transpose', norm: 'batch', ...common },
  } as Record<string, GeneratorConfig>;
  test.each(Object.keys(kinds))('%s', async (name) => {
    const config = kinds[name] as GeneratorConfig;
    const [h, w] = ['H', 'W'].map((symbol) => symbolicDim(symbol, sizeMultiple(config)));
    const graph = generator(config, [symbolicDim('N'), 3, h ?? 0, w ?? 0]);
    const { graph: result } = await optimize(graph, { evaluate });
    expect(interfaceOf(result)).toEqual(interfaceOf(graph));
    const sizes = { N: 2, H: 32, W: 64 };
    expectClose(await runGraph(result, sizes), await runGraph(graph, sizes), 1e-5);
    expect((await optimize(result, { evaluate })).graph).toBe(result);
    const counts = countNodes(result);
    expect(counts.get('BatchNormalization') ?? 0).toBe(0);
    // There is nothing else to be had.
    if (config.norm === 'instance') expect(result).toBe(graph);
  });
});

it('tells what each pass has done, and how many nodes of each operator are left', async () => {
  const graph = graphOf((g, x) => {
    const convolved = g.op(Conv, [x, weights(g, 4, 4, 1, 1)]);
    const [scale, bias, mean] = [weights(g, 4), weights(g, 4), weights(g, 4)];
    const normal = g.op(BatchNormalization, [convolved, scale, bias, mean, g.float([1, 2, 3, 4])]);
    const turned = g.op(Transpose, [g.op(Transpose, [normal], { perm: [0, 2, 3, 1] })], {
      perm: [0, 3, 1, 2],
    });
    g.op(Tanh, [x]);
    return g.op(Relu, [g.op(Mul, [g.op(Identity, [turned]), g.op(Sigmoid, [g.float(0)])])]);
  });
  const { graph: result, table } = await optimize(graph, { evaluate });
  expect(operators(result)).toEqual(['Conv', 'Relu']);
  expect(table.operators).toEqual([
    { operator: 'Conv', before: 1, after: 1 },
    { operator: 'BatchNormalization', before: 1, after: 0 },
    { operator: 'Transpose', before: 2, after: 0 },
    { operator: 'Tanh', before: 1, after: 0 },
    { operator: 'Identity', before: 1, after: 0 },
    { operator: 'Sigmoid', before: 1, after: 0 },
    { operator: 'Mul', before: 1, after: 0 },
    { operator: 'Relu', before: 1, after: 1 },
  ]);
  expect(table.passes.map(({ pass }) => pass)).toEqual(defaultPasses.map(({ name }) => name));
  const removed = Object.fromEntries(table.passes.map(({ pass, before, after }) => [pass, before - after]));
  expect(removed).toMatchObject({
    'dead code': 1,
    'constant folding': 1,
    'clean-up': 1,
    transposes: 2,
    'affine into convolutions': 2,
  });
  expect(
    table.passes.every(({ before, after, rounds }) => (before !== after ? rounds > 0 : rounds === 0)),
  ).toBe(true);
  expect(Object.values(removed).reduce((sum, n) => sum + n, 0)).toBe(
    graph.nodes.length - result.nodes.length,
  );
});

it('runs the passes that it is given, and changes no graph', async () => {
  const graph = graphOf((g, x) => g.op(Identity, [g.op(Mul, [x, g.op(Sigmoid, [g.float(0)])])]));
  const before = writeOnnx(graph);
  const { graph: result, table } = await optimize(graph, { evaluate, passes: [simplify] });
  expect(operators(result)).toEqual(['Sigmoid', 'Mul']);
  expect(table.passes).toEqual([{ pass: 'clean-up', before: 3, after: 2, rounds: 1 }]);
  expect(Buffer.compare(writeOnnx(graph), before)).toBe(0);
});

it('stops when it is told to', async () => {
  const reason = new Error('enough');
  const graph = graphOf((g, x) => g.op(Relu, [x]));
  await expect(optimize(graph, { evaluate, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

it('keeps subgraphs, and what they read from around them', async () => {
  const graph = graphOf((g, x) => {
    const factor = g.op(Identity, [g.op(Relu, [g.op(Identity, [x])])]);
    const inner = g.subgraph('turn');
    inner.input('index', 'int64', []);
    inner.input('goes_on', 'bool', []);
    const state = inner.input('state', 'float32', x.shape);
    inner.output('on', inner.constant(tensor('bool', [], Uint8Array.of(1))));
    inner.output('next', inner.op(Add, [inner.op(Identity, [state]), factor]));
    const turns = g.constant(tensor('int64', [], BigInt64Array.of(3n)));
    return g.op(Loop, [turns, undefined, x], { body: inner });
  });
  const { graph: result } = await optimize(graph, { evaluate });
  expect(operators(result)).toEqual(['Relu', 'Loop']);
  expectClose(await runGraph(result), await runGraph(graph), 0);
});

it('takes outputs that are inputs or constants, and one value under two names', async () => {
  const graph = graphOf((g, x) => {
    const y = g.op(Identity, [x]);
    g.output('same', y);
    g.output('computed', g.op(Sigmoid, [g.float([0, 1])]));
    g.output('input', x);
    return y;
  });
  const { graph: result } = await optimize(graph, { evaluate });
  expect(result.nodes).toEqual([]);
  expect(interfaceOf(result)).toEqual(interfaceOf(graph));
  const read = readOnnx(writeOnnx(result)).graph;
  expectClose(await runGraph(read), await runGraph(graph), 0);
});

it('turns the interface of a graph of images alone, or of those named', () => {
  const graph = new Graph('two');
  const image = graph.input('image', 'float32', [1, 8, 12, 3]);
  const style = graph.input('style', 'float32', [1, 6]);
  graph.output('y', graph.op(Relu, [image]));
  graph.output('z', graph.op(Relu, [style]));
  const shapes = (g: Graph) =>
    [...g.inputs, ...g.outputs.map(({ value }) => value)].map(({ shape }) => shape);
  expect(shapes(toNCHW(graph))).toEqual([
    [1, 3, 8, 12],
    [1, 6],
    [1, 3, 8, 12],
    [1, 6],
  ]);
  expect(shapes(toNCHW(graph, { names: ['y'] }))[0]).toEqual([1, 8, 12, 3]);
});

it('is fast on long chains and wide fans, and deep in no stack', async () => {
  const graph = graphOf((g, x) => {
    let y = x;
    for (let i = 0; i < 500; i++) {
      const turned = g.op(Transpose, [g.op(Relu, [g.op(Transpose, [y], { perm: [0, 2, 3, 1] })])], {
        perm: [0, 3, 1, 2],
      });
      y = g.op(Add, [turned, x]);
    }
    return y;
  });
  const { graph: result } = await optimize(graph, { evaluate });
  expect(countNodes(result)).toEqual(
    new Map([
      ['Relu', 500],
      ['Add', 500],
    ]),
  );
  const none = { evaluate: () => Promise.reject(new Error('nothing to compute')) };
  expect(await foldConstants.apply(result, none)).toBe(result);
  expect(await deadCode.apply(result, none)).toBe(result);
}, 20_000);
