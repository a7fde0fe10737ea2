/** What differentiating refuses and leaves out; its numbers are in autodiff.ort.test.ts. */
import {
  Add,
  Cast,
  Conv,
  ConvTranspose,
  Gather,
  Gemm,
  Graph,
  gradients,
  InstanceNormalization,
  LeakyRelu,
  Mul,
  onnxTypes,
  Pad,
  prune,
  ReduceMean,
  ReduceSum,
  Relu,
  Resize,
  type Shape,
  Slice,
  symbolicDim,
  Tanh,
  Transpose,
  type Value,
} from '@cyclegan/graph';
import { describe, expect, it } from 'vitest';

function start(shape: Shape = [2, 3]) {
  const graph = new Graph('mine');
  return { graph, x: graph.input('x', 'float32', shape) };
}
const total = (graph: Graph, value: Value) => graph.op(ReduceSum, [value], { keepdims: 0 });
const count = (graph: Graph, op: string) => graph.nodes.filter((node) => node.op.name === op).length;

describe('refuses', () => {
  it('a loss that is no single float32 of the graph, and the like to differentiate by', () => {
    const { graph, x } = start();
    const foreign = start().x;
    expect(() => gradients(graph, x, [x])).toThrow(/expected a loss of one element, got x of \[2, 3\]\./);
    const whole = graph.op(Cast, [total(graph, x)], { to: onnxTypes.int64 });
    expect(() => gradients(graph, whole, [x])).toThrow(/to be a float32 value of graph mine, got int64\./);
    expect(() => gradients(graph, total(graph, x), [foreign])).toThrow(/got another graph's\./);
  });

  const image: Shape = [1, 4, 6, 6];
  const weights = (graph: Graph, shape: Shape) => graph.input('w', 'float32', shape);
  const resize =
    (mode: string, nearest_mode: string, coordinate_transformation_mode: string) => (g: Graph, x: Value) =>
      g.op(Resize, [x, undefined, g.float([1, 1, 2, 2])], {
        mode,
        nearest_mode,
        coordinate_transformation_mode,
      });

  it.each<[string, string, (graph: Graph, x: Value) => Value, RegExp, Shape?]>([
    [
      'a choice of rows',
      'Gather',
      (g, x) => g.op(Gather, [x, g.ints([0])]),
      /an operator with a gradient, as the loss depends on it/,
    ],
    [
      'a falling slope',
      'LeakyRelu',
      (g, x) => g.op(LeakyRelu, [x], { alpha: -0.1 }),
      /slope from 0, got -0\.1/,
    ],
    [
      'edge padding',
      'Pad',
      (g, x) => g.op(Pad, [x, g.ints([0, 1, 0, 0])], { mode: 'edge' }),
      /got edge on axes 1/,
      [2, 3],
    ],
    [
      'cropping by pads',
      'Pad',
      (g, x) => g.op(Pad, [x, g.ints([0, -1, 0, 0])]),
      /pads from 0, got \[0, -1, 0, 0\]/,
      [2, 3],
    ],
    [
      'reflection of channels',
      'Pad',
      (g, x) => g.op(Pad, [x, g.ints([0, 1, 0, 0, 0, 0, 0, 0])], { mode: 'reflect' }),
      /axes 1/,
    ],
    [
      'slices from back to front',
      'Slice',
      (g, x) => g.op(Slice, [x, g.ints([5]), g.ints([-9]), g.ints([2]), g.ints([-2])]),
      /steps from 1/,
    ],
    [
      'grouped weights',
      'Conv',
      (g, x) => g.op(Conv, [x, weights(g, [4, 1, 3, 3])], { group: 4 }),
      /one group .* got 4/,
    ],
    [
      'dilated weights',
      'Conv',
      (g, x) => g.op(Conv, [x, weights(g, [2, 4, 3, 3])], { dilations: [2, 1] }),
      /got 1 and \[2, 1\]/,
    ],
    [
      'output_padding beyond the stride',
      'ConvTranspose',
      (g, x) =>
        g.op(ConvTranspose, [x, weights(g, [4, 2, 3, 3])], { dilations: [2, 2], output_padding: [0, 1] }),
      /output_padding below the strides, got \[0, 1\]/,
    ],
    [
      'affine normalisation',
      'InstanceNormalization',
      (g, x) => g.op(InstanceNormalization, [x, g.float([2, 1, 1, 1]), g.float([0, 0, 0, 0])]),
      /constant scale of 1 and bias of 0/,
    ],
    ['linear enlargement', 'Resize', resize('linear', 'floor', 'asymmetric'), /nearest enlargement/],
    [
      'nearest pixels off the grid',
      'Resize',
      resize('nearest', 'round_prefer_floor', 'asymmetric'),
      /nearest enlargement/,
    ],
    ['corners that stay', 'Resize', resize('nearest', 'floor', 'align_corners'), /nearest enlargement/],
    [
      'open sizes',
      'ReduceMean',
      (g, x) => g.op(ReduceMean, [x]),
      /fixed sizes, got \[1, 4, H, 6\]/,
      [1, 4, symbolicDim('H'), 6],
    ],
  ])('%s', (_, op, build, said, shape = image) => {
    const { graph, x } = start(shape);
    const y = build(graph, x);
    const by = graph.inputs;
    const node = graph.nodes.at(-1);
    expect(() => gradients(graph, total(graph, y), by)).toThrow(
      new RegExp(`^gradient of ${op} ${node?.name} \\(float32\\[.*\\): expected .*\\.$`),
    );
    expect(() => gradients(graph, total(graph, y), by)).toThrow(said);
  });

  it('zeros of an open size', () => {
    const { graph, x } = start();
    const other = graph.input('other', 'float32', [symbolicDim('N')]);
    expect(() => gradients(graph, total(graph, x), [other])).toThrow(
      /^gradients by other: expected a fixed dimension, got N\./,
    );
  });
});

describe('leaves out', () => {
  it('what only frozen values would need', () => {
    const build = (by: 'x' | 'w') => {
      const { graph, x } = start([1, 2, 5, 5]);
      const w = graph.input('w', 'float32', [3, 2, 3, 3]);
      const loss = total(graph, graph.op(Conv, [x, w]));
      gradients(graph, loss, [{ x, w }[by]]);
      return graph;
    };
    expect([count(build('x'), 'Gemm'), count(build('x'), 'ConvTranspose')]).toEqual([0, 1]);
    expect([count(build('w'), 'Gemm'), count(build('w'), 'ConvTranspose')]).toEqual([3, 0]);
  });

  it('what lies before the values asked for, and beside the loss', () => {
    const { graph, x } = start();
    const h = graph.op(Gather, [x, graph.ints([0])]);
    const loss = total(graph, graph.op(Tanh, [h]));
    graph.op(Gather, [h, graph.ints([0])]);
    const before = graph.nodes.length;
    const [grad] = gradients(graph, loss, [h]);
    expect(grad?.shape).toEqual([1, 3]);
    expect(graph.nodes.slice(before).some(({ inputs }) => inputs.includes(x))).toBe(false);
  });

  it('InstanceNormalization, in the place of which its parts come, at its own place', () => {
    const { graph, x } = start([1, 2, 4, 4]);
    const y = graph.op(InstanceNormalization, [x, graph.float([1, 1]), graph.float([0, 0])]);
    const z = graph.op(Relu, [y]);
    const kept = graph.op(InstanceNormalization, [
      graph.op(Mul, [x, x]),
      graph.float([1, 1]),
      graph.float([0, 0]),
    ]);
    gradients(graph, total(graph, z), [x]);
    expect(count(graph, 'InstanceNormalization')).toBe(1);
    const maker = graph.nodes.findIndex(({ outputs }) => outputs.includes(y));
    expect(maker).toBeLessThan(graph.nodes.findIndex(({ outputs }) => outputs.includes(z)));
    expect(graph.nodes.some(({ outputs }) => outputs.includes(kept))).toBe(true);
  });

  it('Gemm by an operand that is frozen', () => {
    const { graph, x } = start();
    const b = graph.float([1, 2, 3], [3, 1]);
    gradients(graph, total(graph, graph.op(Gemm, [x, b])), [x]);
    expect(count(graph, 'Gemm')).toBe(2);
  });
});

describe('adds gradients that meet', () => {
  it('before they are turned, once for both', () => {
    const { graph, x } = start();
    const factors = [graph.input('a', 'float32', [3, 2]), graph.input('b', 'float32', [3, 2])];
    const [first, second] = factors.map((y) => graph.op(Mul, [graph.op(Transpose, [x]), y]));
    const [grad] = gradients(graph, total(graph, graph.op(Add, [first, second])), [x]);
    graph.output('grad', grad as Value);
    prune(graph);
    expect([count(graph, 'Transpose'), count(graph, 'Add')]).toEqual([1, 1]);
  });

  it('within the product of matrices that makes one of them', () => {
    const { graph, x } = start();
    const factors = [graph.input('a', 'float32', [4, 2]), graph.input('b', 'float32', [4, 2])];
    const [first, second] = factors.map((a) => graph.op(Gemm, [a, x]));
    const [grad] = gradients(graph, total(graph, graph.op(Mul, [first, second])), [x]);
    graph.output('grad', grad as Value);
    prune(graph);
    expect(count(graph, 'Add')).toBe(0);
    expect(graph.nodes.filter(({ op, inputs }) => op.name === 'Gemm' && inputs.length === 3)).toHaveLength(1);
  });
});
