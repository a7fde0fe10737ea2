/**
 * Shape inference of every operator against the shapes that onnxruntime returns: with sizes fixed, and with symbols
 * for N, H and W that two different sizes are put in for.
 */
import * as operators from '@cyclegan/graph';
import {
  Abs,
  Add,
  BatchNormalization,
  Cast,
  Concat,
  Conv,
  ConvTranspose,
  type Dim,
  Div,
  Exp,
  Expand,
  Gather,
  Gemm,
  Graph,
  GraphError,
  Greater,
  Identity,
  InstanceNormalization,
  int64,
  LeakyRelu,
  Log,
  Loop,
  MatMul,
  Mul,
  Neg,
  onnxTypes,
  Pad,
  ReduceMean,
  ReduceSum,
  Relu,
  Reshape,
  Resize,
  Sigmoid,
  Sign,
  Slice,
  Softplus,
  Split,
  Sqrt,
  Sub,
  symbolicDim,
  Tanh,
  Transpose,
  tensor,
  type Value,
  Where,
  writeOnnx,
} from '@cyclegan/graph';
import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it, test } from 'vitest';

type Symbols = Record<'N' | 'H' | 'W', number>;
const substitutions: Symbols[] = [
  { N: 1, H: 8, W: 12 },
  { N: 3, H: 20, W: 16 },
];
const image = ['N', 3, 'H', 'W'] as const;
type Size = number | keyof Symbols;

interface Case {
  build(graph: Graph, inputs: Value[]): Value | Value[];
  shapes?: readonly (readonly Size[])[];
}

const each = (op: typeof Abs): Case => ({ build: (g, [x]) => g.op(op, [x]) });
const pair = (op: typeof Add, ...shapes: Size[][]): Case => ({
  build: (g, [x, y]) => g.op(op, [x, y]),
  shapes,
});
const zeros = (graph: Graph, shape: readonly number[]) =>
  graph.float(new Array(shape.reduce((a, b) => a * b, 1)).fill(0), shape);

const cases: Record<string, Case> = {
  ...Object.fromEntries(
    [Abs, Exp, Identity, LeakyRelu, Log, Neg, Relu, Sigmoid, Sign, Softplus, Sqrt, Tanh].map((op) => [
      op.name,
      each(op),
    ]),
  ),
  Add: pair(Add, ['N', 3, 'H', 'W'], ['N', 3, 'H', 'W']),
  'Add of channels': pair(Add, ['N', 3, 'H', 'W'], [3, 1, 1]),
  'Sub of a row from a column': pair(Sub, ['H', 1], ['W']),
  'Mul of a scalar': pair(Mul, [], ['N', 'H']),
  Div: pair(Div, ['N', 1, 'W'], [1, 'H', 1]),
  Greater: pair(Greater, ['N', 'H'], ['H']),
  Where: {
    build: (g, [x, y]) => g.op(Where, [g.op(Greater, [x, g.float(0)]), x, y]),
    shapes: [
      ['H', 1],
      [1, 'W'],
    ],
  },
  Cast: { build: (g, [x]) => g.op(Cast, [x], { to: onnxTypes.int32 }) },
  Conv: {
    build: (g, [x]) =>
      g.op(Conv, [x, zeros(g, [5, 3, 3, 3]), zeros(g, [5])], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  },
  'Conv of kernel 4, stride 2': {
    build: (g, [x]) => g.op(Conv, [x, zeros(g, [5, 3, 4, 4])], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  },
  'Conv of groups, dilated': {
    build: (g, [x]) =>
      g.op(Conv, [x, zeros(g, [6, 1, 3, 2])], { group: 3, dilations: [2, 3], pads: [2, 0, 0, 1] }),
  },
  ConvTranspose: {
    build: (g, [x]) =>
      g.op(ConvTranspose, [x, zeros(g, [3, 5, 3, 3])], {
        strides: [2, 2],
        pads: [1, 1, 1, 1],
        output_padding: [1, 1],
      }),
  },
  'ConvTranspose of groups, dilated': {
    build: (g, [x]) =>
      g.op(ConvTranspose, [x, zeros(g, [3, 2, 3, 2])], { group: 3, dilations: [2, 1], strides: [1, 3] }),
  },
  BatchNormalization: {
    build: (g, [x]) => {
      const [zero, one] = [zeros(g, [3]), g.float([1, 1, 1])];
      return g.op(BatchNormalization, [x, one, zero, zero, one], { epsilon: 1e-5, momentum: 0.9 });
    },
  },
  InstanceNormalization: {
    build: (g, [x]) => g.op(InstanceNormalization, [x, zeros(g, [3]), zeros(g, [3])]),
  },
  'Pad, constant': { build: (g, [x]) => g.op(Pad, [x, g.ints([0, 1, 2, 3, 0, 0, 1, 0]), g.float(1)]) },
  'Pad, cropping': { build: (g, [x]) => g.op(Pad, [x, g.ints([0, 0, -2, 3, 0, 0, -1, -1])]) },
  'Pad, reflect': {
    build: (g, [x]) => g.op(Pad, [x, g.ints([0, 0, 3, 3, 0, 0, 3, 3])], { mode: 'reflect' }),
  },
  'Pad, edge': { build: (g, [x]) => g.op(Pad, [x, g.ints([0, 0, 0, 9, 0, 0, 9, 0])], { mode: 'edge' }) },
  'Resize, larger': { build: (g, [x]) => g.op(Resize, [x, undefined, g.float([1, 1, 2, 3])]) },
  'Resize, smaller': { build: (g, [x]) => g.op(Resize, [x, undefined, g.float([1, 1, 0.25, 0.5])]) },
  ReduceMean: { build: (g, [x]) => g.op(ReduceMean, [x], { axes: [2, -1] }) },
  'ReduceMean to a scalar': { build: (g, [x]) => g.op(ReduceMean, [x], { keepdims: 0 }) },
  ReduceSum: { build: (g, [x]) => g.op(ReduceSum, [x, g.ints([-3])], { keepdims: 0 }) },
  'ReduceSum over an empty list, which means all': { build: (g, [x]) => g.op(ReduceSum, [x, g.ints([])]) },
  MatMul: pair(MatMul, ['N', 3, 'H', 'W'], ['W', 5]),
  'MatMul of batches': pair(MatMul, ['N', 1, 'H', 3], [2, 3, 'W']),
  Gemm: {
    build: (g, [x, y]) => g.op(Gemm, [x, y, g.float([1, 2, 3])], { transA: 1, transB: 1 }),
    shapes: [
      ['H', 'N'],
      [3, 'H'],
    ],
  },
  Reshape: { build: (g, [x]) => g.op(Reshape, [x, g.ints([0, 1, 3, 0])]), shapes: [['N', 3, 1, 'H']] },
  'Reshape with what is left': {
    build: (g, [x]) => g.op(Reshape, [x, g.ints([0, -1, 2])]),
    shapes: [['N', 4, 3]],
  },
  Transpose: { build: (g, [x]) => g.op(Transpose, [x], { perm: [2, 0, 3, 1] }) },
  'Transpose, all axes turned round': { build: (g, [x]) => g.op(Transpose, [x]) },
  Concat: { build: (g, [x]) => g.op(Concat, [x, x, x], { axis: -3 }) },
  'Concat of one': { build: (g, [x]) => g.op(Concat, [x], { axis: 2 }) },
  Split: { build: (g, [x]) => g.ops(Split, [x, g.ints([2, 0, 1])], { axis: 1 }) },
  Slice: { build: (g, [x]) => g.op(Slice, [x, g.ints([2]), g.ints([-100]), g.ints([1]), g.ints([-2])]) },
  'Slice, axes left out': {
    build: (g, [x]) => g.op(Slice, [x, g.ints([1, 0]), g.ints([9, -1]), undefined, g.ints([1, 2])]),
    shapes: [[5, 6, 'W']],
  },
  Expand: { build: (g, [x]) => g.op(Expand, [x, g.ints([2, 1, 3, 1])]), shapes: [['N', 1, 'W']] },
  Loop: {
    build: (g, [x]) => {
      const body = g.subgraph('turn');
      body.input('turn', 'int64', []);
      body.input('goes_on', 'bool', []);
      const state = body.input('state', 'float32', (x as Value).shape);
      body.output('goes_on_next', body.constant(tensor('bool', [], Uint8Array.of(1))));
      body.output('next', body.op(Neg, [state]));
      body.output('kept', body.op(ReduceSum, [state, body.ints([1])], { keepdims: 0 }));
      return g.ops(Loop, [g.constant(int64([5], [])), undefined, x], { body });
    },
  },
  Gather: { build: (g, [x]) => g.op(Gather, [x, g.constant(int64([0, 2, 1, 1], [2, 2]))], { axis: 1 }) },
};

function build({ build: make, shapes = [image] }: Case, dimOf: (size: Size) => Dim) {
  const graph = new Graph('shapes');
  const inputs = shapes.map((shape, i) => graph.input(`x${i}`, 'float32', shape.map(dimOf)));
  const outputs = [make(graph, inputs)].flat();
  outputs.forEach((output, i) => {
    graph.output(`y${i}`, output);
  });
  return { graph, outputs };
}

async function runShapes(
  session: InferenceSession,
  { shapes = [image] }: Case,
  symbols: Symbols,
): Promise<number[][]> {
  const feeds = shapes.map((shape, i): [string, Tensor] => {
    const dims = shape.map((size) => (typeof size === 'number' ? size : symbols[size]));
    return [`x${i}`, new Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b, 1)), dims)];
  });
  const results = await session.run(Object.fromEntries(feeds));
  return session.outputNames.map((name) => [...(results[name]?.dims ?? [])]);
}

const symbol = (size: Size): Dim =>
  typeof size === 'number' ? size : symbolicDim(size, size === 'N' ? 1 : 4);
const substitute = (dim: Dim, symbols: Symbols) =>
  typeof dim === 'number' ? dim : (dim.scale * symbols[dim.symbol as keyof Symbols]) / dim.unit + dim.offset;

describe('the shapes that onnxruntime returns', () => {
  it.each(Object.entries(cases))('%s', async (_, definition) => {
    const { graph, outputs } = build(definition, symbol);
    const session = await InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 4 });
    for (const symbols of substitutions) {
      const returned = await runShapes(session, definition, symbols);
      expect(outputs.map(({ shape }) => shape.map((dim) => substitute(dim, symbols)))).toEqual(returned);
      const fixed = build(definition, (size) => (typeof size === 'number' ? size : symbols[size]));
      expect(fixed.outputs.map(({ shape }) => shape)).toEqual(returned);
    }
    await session.release();
  });

  test('the table has every operator', () => {
    const all = Object.values(operators).flatMap((value) =>
      typeof value === 'object' && 'infer' in value ? [value.name] : [],
    );
    const named = new Set(Object.keys(cases).map((name) => name.split(/[ ,]/)[0]));
    expect(all.length).toBeGreaterThan(30);
    expect(all.filter((name) => !named.has(name))).toEqual([]);
  });
});

/** Builds and runs: the inferred shape must be the one returned; what cannot be built is refused with a GraphError. */
async function expectAgreement(definition: Case): Promise<'same' | 'refused'> {
  let built: ReturnType<typeof build>;
  try {
    built = build(definition, Number);
  } catch (error) {
    expect(error).toBeInstanceOf(GraphError);
    return 'refused';
  }
  const session = await InferenceSession.create(writeOnnx(built.graph), { logSeverityLevel: 4 });
  const returned = await runShapes(session, definition, substitutions[0] as Symbols);
  await session.release();
  expect(built.outputs.map(({ shape }) => shape)).toEqual(returned);
  return 'same';
}

describe('any attributes', () => {
  const int = (min: number, max: number) => fc.integer({ min, max });
  const properties: Record<string, fc.Arbitrary<Case>> = {
    Slice: fc
      .record({
        size: int(1, 6),
        start: int(-8, 8),
        end: int(-8, 8),
        step: int(-3, 3).filter((n) => n !== 0),
      })
      .map(({ size, start, end, step }) => ({
        build: (g, [x]) => g.op(Slice, [x, g.ints([start]), g.ints([end]), g.ints([1]), g.ints([step])]),
        shapes: [[2, size]],
      })),
    Resize: fc
      .record({ size: int(1, 40), scale: fc.float({ min: Math.fround(0.1), max: 4, noNaN: true }) })
      .map(({ size, scale }) => ({
        build: (g, [x]) => g.op(Resize, [x, undefined, g.float([1, 1, scale, 1])]),
        shapes: [[1, 1, size, 3]],
      })),
    Conv: fc
      .record({
        size: int(1, 9),
        kernel: int(1, 4),
        stride: int(1, 3),
        pads: fc.array(int(0, 3), { minLength: 4, maxLength: 4 }),
        dilation: int(1, 2),
      })
      .map(({ size, kernel, stride, pads, dilation }) => ({
        build: (g, [x]) =>
          g.op(Conv, [x, zeros(g, [1, 1, kernel, 2])], {
            strides: [stride, 1],
            pads,
            dilations: [dilation, 1],
          }),
        shapes: [[1, 1, size, 5]],
      })),
  };

  it.each(Object.entries(properties))('of %s', async (_, arbitrary) => {
    const seen = { same: 0, refused: 0 };
    const count = async (definition: Case) => {
      seen[await expectAgreement(definition)]++;
    };
    await fc.assert(fc.asyncProperty(arbitrary, count), { seed: 1, numRuns: 100 });
    expect(seen.same).toBeGreaterThan(50);
  });
});
