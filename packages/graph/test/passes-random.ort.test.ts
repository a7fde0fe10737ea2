/** Random graphs of all kinds of nodes: whatever they are, all passes together keep what they compute. Seeded. */
import {
  Add,
  BatchNormalization,
  Cast,
  Clip,
  Concat,
  Conv,
  ConvTranspose,
  Div,
  defaultPasses,
  Expand,
  fixedShape,
  Graph,
  Identity,
  InstanceNormalization,
  LeakyRelu,
  Max,
  Mul,
  Neg,
  onnxTypes,
  optimize,
  Pad,
  ReduceMean,
  Relu,
  Reshape,
  Resize,
  readOnnx,
  Shape,
  Sigmoid,
  Slice,
  Softmax,
  Split,
  Sqrt,
  Sub,
  subpixelConvTranspose,
  Tanh,
  Transpose,
  type Value,
  writeOnnx,
} from '@cyclegan/graph';
import { expect, it } from 'vitest';
import { evaluate, expectClose, interfaceOf, randomFrom, runGraph } from './passes.js';

class Maker {
  readonly graph: Graph;
  readonly values: Value[];
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = randomFrom(seed);
    this.graph = new Graph(`random ${seed}`);
    this.values = [
      this.graph.input('a', 'float32', [2, 3, 4, 6]),
      this.graph.input('b', 'float32', [2, 4, 6, 3]),
    ];
  }

  below(n: number): number {
    return Math.floor(((this.#next() + 1) / 2) * n);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  constant(...shape: number[]): Value {
    const count = shape.reduce((a, b) => a * b, 1);
    // Now and then the numbers that make a node do nothing.
    const plain = this.below(5);
    const values = Array.from({ length: count }, () => (plain < 2 ? plain : this.#next()));
    return this.graph.float(values, shape);
  }

  /** Of the same shape as another where there is one: what broadcasts is made of constants. */
  partner(x: Value): Value {
    const alike = this.values.filter(({ shape }) => shape.join() === x.shape.join());
    return this.below(3) > 0 ? this.pick(alike) : this.vector(x);
  }

  vector(x: Value): Value {
    const shape = fixedShape(x.shape, 'test');
    const axis = this.below(shape.length + 1);
    return this.constant(
      ...shape.map((size, i) => (i === axis ? size : 1)).slice(this.pick([0, Math.min(axis, 3)])),
    );
  }

  add(): void {
    const { graph } = this;
    const x = this.pick(this.values.slice(-6));
    const [n = 1, c = 1, h = 1, w = 1] = fixedShape(x.shape, 'test');
    const make = this.pick(steps);
    if (n * c * h * w > 4000) return;
    const made = make(this, graph, x, [n, c, h, w]);
    this.values.push(...(Array.isArray(made) ? made : [made]));
  }
}

type Step = (m: Maker, g: Graph, x: Value, shape: [number, number, number, number]) => Value | Value[];
const perms = [
  [0, 2, 3, 1],
  [0, 3, 1, 2],
  [0, 2, 3, 1],
  [0, 3, 1, 2],
  [0, 1, 3, 2],
  [3, 2, 1, 0],
];
const transpose: Step = (m, g, x) => g.op(Transpose, [x], { perm: m.pick(perms) });
const binary =
  (op: typeof Add): Step =>
  (m, g, x) =>
    g.op(op, m.below(2) ? [x, m.partner(x)] : [m.partner(x), x]);
const unary =
  (op: typeof Relu): Step =>
  (_, g, x) =>
    g.op(op, [x]);

const steps: Step[] = [
  transpose,
  transpose,
  transpose,
  ...[Add, Sub, Mul, Max, Add, Mul].map(binary),
  ...[Relu, Tanh, Sigmoid, Neg, Identity, Relu].map(unary),
  (m, g, x) => g.op(Div, [x, g.op(Add, [g.op(Sigmoid, [m.partner(x)]), g.float(0.5)])]),
  (m, g, x) => g.op(LeakyRelu, [x], { alpha: 0.25 * m.below(4) }),
  (m, g, x) => g.op(Clip, [x, g.float(-0.5 * m.below(3)), g.float(0.5)]),
  (_, g, x) => g.op(Max, [x, g.op(Mul, [x, g.float(0.2)])]),
  (m, g, x) => g.op(Cast, [x], { to: m.pick([onnxTypes.float32, onnxTypes.float32]) }),
  (m, g, x, [, c]) => {
    const k = 1 + m.below(3);
    const group = c % 2 === 0 ? m.pick([1, 2]) : 1;
    const bias = m.below(2) ? [m.constant(2 * k)] : [];
    const padded = m.below(2) ? g.op(Pad, [x, g.ints([0, 0, 1, 0, 0, 0, 1, 2])]) : x;
    return g.op(Conv, [padded, m.constant(2 * k, c / group, 1, 1), ...bias], { group });
  },
  (m, g, x, [, c]) => {
    const image = g.op(Transpose, [x], { perm: [0, 3, 1, 2] });
    const channels = Number(image.shape[1]);
    const y = g.op(Conv, [image, m.constant(c, channels, 3, 3)], { pads: [1, 1, 1, 1] });
    return g.op(Transpose, [y], { perm: [0, 2, 3, 1] });
  },
  (m, g, x, [, c]) => {
    const attributes = m.pick([{ strides: [2, 2], pads: [0, 0, 1, 1] }, { pads: [1, 1, 1, 1] }]);
    return g.op(ConvTranspose, [x, m.constant(c, 2, 3, 3), m.constant(2)], attributes);
  },
  (m, g, x, [, c]) => {
    const [mean, scale, bias] = [m.constant(c), m.constant(c), m.constant(c)];
    const variance = g.float(Array.from({ length: c }, (_, i) => 0.5 + i));
    return g.op(BatchNormalization, [x, scale, bias, mean, variance]);
  },
  (m, g, x, [, c]) => g.op(InstanceNormalization, [x, m.constant(c), m.constant(c)], { epsilon: 0.1 }),
  (m, g, x) => {
    const axes = m.pick([
      [1, 2],
      [2, 3],
      [0, 2, 3],
    ]);
    const mean = g.op(ReduceMean, [x], { axes });
    const centred = g.op(Sub, [x, mean]);
    const variance = g.op(ReduceMean, [g.op(Mul, [centred, centred])], { axes });
    return g.op(Div, [centred, g.op(Sqrt, [g.op(Add, [variance, g.float(0.1)])])]);
  },
  (m, g, x) => {
    const pads = [0, m.below(2), m.below(2), 1, 0, 0, m.below(2), 0];
    const small = fixedShape(x.shape, 'test').some((size) => size < 2);
    return g.op(Pad, [x, g.ints(pads)], {
      mode: small ? 'constant' : m.pick(['constant', 'reflect', 'edge']),
    });
  },
  (m, g, x, shape) => {
    const axis = m.below(4);
    const like = m.pick(m.values.filter((v) => v.shape.every((size, i) => i === axis || size === shape[i])));
    return g.op(Concat, m.below(4) ? [x, like] : [x], { axis });
  },
  (m, g, x, shape) => {
    const axis = m.below(4);
    const size = shape[axis] ?? 1;
    const head = m.below(size);
    return head === 0 ? x : g.ops(Split, [x, g.ints([head, size - head])], { axis });
  },
  (m, g, x) => {
    const [axis, step] = [m.below(4), m.pick([1, -1])];
    const bounds = step > 0 ? [0, 5, axis, 1] : [-1, -1000, axis, -1];
    return g.op(Slice, [x, ...bounds.map((bound) => g.ints([bound]))]);
  },
  (m, g, x) => g.op(Sub, [x, g.op(ReduceMean, [x], { axes: [m.below(4)] })]),
  (m, g, x) => g.op(Softmax, [x], { axis: m.below(4) - 2 }),
  (m, g, x, [, , h, w]) => {
    const scales = m.pick([
      [1, 1, 2, 1],
      [1, 2, 1, 1],
      [1, 1, 1, 1],
    ]);
    return h * w > 100 ? x : g.op(Resize, [x, undefined, g.float(scales)], { mode: 'nearest' });
  },
  (_, g, x, [n, c, h, w]) => g.op(Reshape, [g.op(Reshape, [x, g.ints([n, -1])]), g.ints([0, c, h, w])]),
  (_, g, x) => g.op(Reshape, [x, g.op(Shape, [x])]),
  (_, g, x, [, c]) => g.op(Expand, [x, g.ints([c, 1, 1])]),
];

const seeds = Array.from({ length: 60 }, (_, i) => i);

it.each(seeds)('seed %i', async (seed) => {
  const maker = new Maker(seed);
  while (maker.graph.nodes.length < 24) maker.add();
  const { graph } = maker;
  const outputs = [...new Set([...maker.values.slice(-2), maker.pick(maker.values)])];
  outputs.forEach((value, i) => {
    graph.output(`out ${i}`, value);
  });
  const passes = seed % 2 === 0 ? defaultPasses : [...defaultPasses, subpixelConvTranspose];
  const { graph: result } = await optimize(graph, { evaluate, passes });
  expect(interfaceOf(result)).toEqual(interfaceOf(graph));
  expect(result.nodes.length).toBeLessThanOrEqual(graph.nodes.length);
  expectClose(await runGraph(result), await runGraph(graph), 2e-5);
  const bytes = writeOnnx(result);
  expect(Buffer.compare(writeOnnx((await optimize(result, { evaluate, passes })).graph), bytes)).toBe(0);
  const read = readOnnx(bytes).graph;
  const again = (await optimize(read, { evaluate, passes })).graph;
  expectClose(await runGraph(again), await runGraph(result), 0);
});
