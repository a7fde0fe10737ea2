/** Transposes: cancelled through whatever stands between them, and left where they are needed. */
import {
  Add,
  ArgMax,
  Cast,
  Clip,
  Concat,
  Conv,
  ConvTranspose,
  cancelTransposes,
  commonSubexpressions,
  DepthToSpace,
  Expand,
  foldConstants,
  Gather,
  type Graph,
  Greater,
  InstanceNormalization,
  LeakyRelu,
  MatMul,
  Mul,
  onnxTypes,
  optimize,
  Pad,
  PRelu,
  Reciprocal,
  ReduceMean,
  ReduceSum,
  Relu,
  Reshape,
  Resize,
  Shape,
  Sigmoid,
  Slice,
  Softmax,
  Split,
  Sqrt,
  Squeeze,
  Sub,
  symbolicDim,
  Tanh,
  Tile,
  Transpose,
  toNCHW,
  Unsqueeze,
  type Value,
  Where,
} from '@cyclegan/graph';
import { describe, expect, it, test } from 'vitest';
import {
  applied,
  evaluate,
  expectClose,
  graphOf,
  interfaceOf,
  operators,
  runGraph,
  weights,
} from './passes.js';

const images = [symbolicDim('N'), symbolicDim('H', 4), symbolicDim('W', 4), 4];
const first = [0, 3, 1, 2];
const last = [0, 2, 3, 1];

const turn = (g: Graph, x: Value, perm: readonly number[]) => g.op(Transpose, [x], { perm });
/** As an importer of channels-last models writes it. */
const conv = (g: Graph, x: Value, outputs = 4, attributes = { pads: [1, 1, 1, 1] as readonly number[] }) => {
  const w = weights(g, outputs, Number(x.shape[3]), 3, 3);
  return turn(g, g.op(Conv, [turn(g, x, first), w], attributes), last);
};
const transposes = (graph: Graph) => operators(graph).filter((name) => name === 'Transpose').length;

describe('on their own', () => {
  it('become one, or none', async () => {
    const pair = graphOf((g, x) => g.op(Relu, [turn(g, turn(g, x, last), last)]));
    expect(operators(await applied(cancelTransposes, pair))).toEqual(['Transpose', 'Relu']);
    const undone = graphOf((g, x) => turn(g, turn(g, x, last), first));
    expect(operators(await applied(cancelTransposes, undone))).toEqual([]);
    const nothing = graphOf((g, x) => g.op(Relu, [turn(g, x, [0, 1, 2, 3])]));
    expect(operators(await applied(cancelTransposes, nothing))).toEqual(['Relu']);
  });

  it('stay where none can be saved', async () => {
    const graph = graphOf((g, x) => {
      const y = turn(g, x, first);
      g.output('turned', y);
      return g.op(Add, [turn(g, g.op(Relu, [y]), last), x]);
    });
    expect(transposes(await applied(cancelTransposes, graph))).toBe(1);
    const matrices = graphOf((g, x) => g.op(MatMul, [x, turn(g, x, [0, 1, 3, 2])]));
    expect(await applied(cancelTransposes, matrices)).toBe(matrices);
  });
});

describe('go through', () => {
  const ints = (g: Graph, ...list: number[]) => g.ints(list);
  /** Between two convolutions; all of rank 4. */
  const between: Record<string, (g: Graph, x: Value) => Value> = {
    Relu: (g, x) => g.op(Relu, [x]),
    LeakyRelu: (g, x) => g.op(LeakyRelu, [x], { alpha: 0.2 }),
    Clip: (g, x) => g.op(Clip, [x, g.float(0), g.float(6)]),
    'PRelu of channels': (g, x) => g.op(PRelu, [x, weights(g, 1, 1, 4)]),
    'Add of channels': (g, x) => g.op(Add, [x, weights(g, 4)]),
    'Mul by a scalar': (g, x) => g.op(Mul, [g.float(2), x]),
    'Sub of a value': (g, x) => g.op(Sub, [x, g.op(Sigmoid, [x])]),
    'Mul by a computed vector': (g, x) =>
      g.op(Mul, [x, g.op(ReduceSum, [x, ints(g, 0, 1, 2)], { keepdims: 0 })]),
    Where: (g, x) => g.op(Where, [g.op(Greater, [x, weights(g, 4)]), x, g.float(0.1)]),
    'Concat of channels': (g, x) => g.op(Concat, [x, g.op(Tanh, [x])], { axis: -1 }),
    'Split and Sub': (g, x) => {
      const [a, b] = g.ops(Split, [x, ints(g, 3, 1)], { axis: 3 });
      return g.op(Sub, [a, b]);
    },
    'Slice of channels': (g, x) => g.op(Slice, [x, ints(g, 1), ints(g, 3), ints(g, -1)]),
    'Slice of all axes': (g, x) =>
      g.op(Slice, [
        x,
        ints(g, 0, 1, 2, 0),
        ints(g, 9, 999, 999, 3),
        ints(g, 0, 1, 2, 3),
        ints(g, 1, 1, 2, 1),
      ]),
    'Slice without axes': (g, x) => g.op(Slice, [x, ints(g, 0, 2), ints(g, 99, 99)]),
    'Pad by reflection': (g, x) => g.op(Pad, [x, ints(g, 0, 3, 1, 0, 0, 2, 3, 0)], { mode: 'reflect' }),
    'Pad of channels': (g, x) => g.op(Pad, [x, ints(g, 0, 0, 0, 1, 0, 0, 0, 2), g.float(3)]),
    'mean over space': (g, x) => g.op(Sub, [x, g.op(ReduceMean, [x], { axes: [1, 2], keepdims: 1 })]),
    'sum over channels': (g, x) => g.op(Mul, [x, g.op(ReduceSum, [x, ints(g, -1)], { keepdims: 1 })]),
    Softmax: (g, x) => g.op(Softmax, [x], { axis: -1 }),
    ArgMax: (g, x) => g.op(Add, [x, g.op(Cast, [g.op(ArgMax, [x], { axis: 3 })], { to: onnxTypes.float32 })]),
    'Resize by scales': (g, x) => g.op(Resize, [x, undefined, g.float([1, 2, 3, 1])], { mode: 'linear' }),
    'Resize by computed sizes': (g, x) => {
      const sizes = g.op(Mul, [g.op(Shape, [x]), ints(g, 1, 2, 2, 1)]);
      return g.op(Resize, [x, undefined, undefined, sizes], { mode: 'nearest' });
    },
    'Expand of channels': (g, x) =>
      g.op(Add, [x, g.op(Expand, [g.op(ReduceMean, [x], { axes: [1, 2, 3] }), ints(g, 4)])]),
    'Gather of channels': (g, x) => g.op(Gather, [x, ints(g, 2, 1, 0, 3)], { axis: -1 }),
    Tile: (g, x) => g.op(Tile, [x, ints(g, 1, 2, 1, 1)]),
    'Squeeze and Unsqueeze': (g, x) => {
      const mean = g.op(ReduceMean, [x], { axes: [1, 2] });
      const gate = g.op(Sigmoid, [g.op(Squeeze, [mean, ints(g, 1, 2)])]);
      return g.op(Mul, [x, g.op(Unsqueeze, [gate, ints(g, 1, 2)])]);
    },
    'Reshape of axes of 1': (g, x) => {
      const mean = g.op(ReduceMean, [x], { axes: [1, 2], keepdims: 0 });
      const gate = g.op(MatMul, [mean, weights(g, 4, 4)]);
      return g.op(Mul, [x, g.op(Reshape, [gate, ints(g, -1, 1, 1, 4)])]);
    },
    'another output’s Relu': (g, x) => {
      const y = g.op(Relu, [x]);
      g.output('mean', g.op(ReduceMean, [y], { axes: [1, 2], keepdims: 0 }));
      return y;
    },
  };
  test.each(Object.keys(between))('%s', async (name) => {
    const graph = graphOf((g, x) => conv(g, between[name]?.(g, conv(g, x)) as Value), images);
    // Those at the ends stay: the interface is channels last.
    expect(transposes(await applied(cancelTransposes, graph, 1e-6))).toBe(2);
    const { graph: turned } = await optimize(toNCHW(graph, { names: ['x', 'y'] }), { evaluate });
    expect(transposes(turned)).toBe(0);
  });

  it('not what knows one order alone', async () => {
    const rows = graphOf((g, x) => conv(g, g.op(MatMul, [conv(g, x), weights(g, 4, 4)])), images);
    expect(transposes(await applied(cancelTransposes, rows))).toBe(4);
    const flat = graphOf(
      (g, x) => {
        const y = g.op(Reshape, [conv(g, x), g.ints([2, -1])]);
        return conv(g, g.op(Reshape, [y, g.ints([2, 8, 12, 4])]));
      },
      [2, 8, 12, 4],
    );
    expect(transposes(await applied(cancelTransposes, flat))).toBe(4);
    const normal = graphOf(
      (g, x) => {
        const y = g.op(Relu, [conv(g, x, 8)]);
        return conv(g, g.op(InstanceNormalization, [y, weights(g, 8), weights(g, 8)]));
      },
      [2, 8, 8, 4],
    );
    expect(transposes(await applied(cancelTransposes, normal))).toBe(4);
  });

  it('a value that also is an output, by one Transpose there', async () => {
    const graph = graphOf((g, x) => {
      const y = g.op(Relu, [conv(g, x)]);
      g.output('between', y);
      return conv(g, g.op(Tanh, [y]));
    }, images);
    expect(transposes(await applied(cancelTransposes, graph))).toBe(3);
  });

  it('a reduction that leaves axes in another order, by one Transpose there', async () => {
    for (const axis of [1, 2]) {
      const graph = graphOf((g, x) => {
        const y = g.op(Relu, [conv(g, x)]);
        g.output('lines', g.op(ReduceMean, [y], { axes: [axis], keepdims: 0 }));
        return conv(g, y);
      }, images);
      expect(transposes(await applied(cancelTransposes, graph, 1e-6))).toBe(3);
    }
  });

  it('a list that is not constant, and keeps shapes read before', async () => {
    const graph = graphOf((g, x) => {
      const y = g.op(Relu, [conv(g, x)]);
      const height = g.op(Gather, [g.op(Shape, [y]), g.ints([1])]);
      g.output('height', height);
      return conv(g, y);
    }, images);
    expect(transposes(await applied(cancelTransposes, graph))).toBe(2);
  });
});

/** Channels last, as TensorFlow writes a generator: reflection, residual blocks, a skip, enlargement, depth to space. */
function generator(): Graph {
  return graphOf((g, x) => {
    const reflect = (y: Value, n: number) =>
      g.op(Pad, [y, g.ints([0, n, n, 0, 0, n, n, 0])], { mode: 'reflect' });
    const bias = (y: Value) => g.op(Add, [y, weights(g, Number(y.shape[3]))]);
    const normal = (y: Value) => {
      const mean = g.op(ReduceMean, [y], { axes: [1, 2], keepdims: 1 });
      const centred = g.op(Sub, [y, mean]);
      const variance = g.op(ReduceMean, [g.op(Mul, [centred, centred])], { axes: [1, 2], keepdims: 1 });
      const root = g.op(Sqrt, [g.op(Add, [variance, g.float(1e-3)])]);
      const inverse = g.op(Mul, [g.op(Reciprocal, [root]), weights(g, Number(y.shape[3]))]);
      const shift = g.op(Sub, [weights(g, Number(y.shape[3])), g.op(Mul, [mean, inverse])]);
      return g.op(Add, [g.op(Mul, [y, inverse]), shift]);
    };
    const stem = g.op(Relu, [normal(bias(conv(g, reflect(x, 1), 8, { pads: [0, 0, 0, 0] })))]);
    let trunk = stem;
    for (let block = 0; block < 3; block++) {
      const inner = g.op(Relu, [normal(conv(g, reflect(trunk, 1), 8, { pads: [0, 0, 0, 0] }))]);
      trunk = g.op(Add, [trunk, normal(conv(g, inner, 8))]);
    }
    const skipped = g.op(Concat, [trunk, stem], { axis: 3 });
    const up = g.op(ConvTranspose, [turn(g, skipped, first), weights(g, 16, 8, 2, 2)], { strides: [2, 2] });
    const blocks = turn(g, g.op(DepthToSpace, [up], { blocksize: 2, mode: 'DCR' }), last);
    const half = g.op(Resize, [blocks, undefined, g.float([1, 0.5, 0.5, 1])], { mode: 'linear' });
    const image = conv(g, g.op(LeakyRelu, [half]), 4);
    return g.op(Add, [g.op(Tanh, [image]), g.op(Resize, [x, undefined, g.float([1, 2, 2, 1])])]);
  }, images);
}

describe('of a whole generator', () => {
  it('are left at its ends alone, and nowhere once its interface is turned', async () => {
    const graph = generator();
    const { graph: result } = await optimize(graph, { evaluate });
    expect(transposes(result)).toBe(2);
    expect(operators(result).filter((name) => name === 'InstanceNormalization')).toHaveLength(7);
    expect(interfaceOf(result)).toEqual(interfaceOf(graph));
    expectClose(await runGraph(result), await runGraph(graph), 1e-5);

    const turned = toNCHW(graph);
    const { graph: inside } = await optimize(turned, { evaluate });
    expect(transposes(inside)).toBe(0);
    expect(inside.inputs[0]?.shape.map((dim) => (typeof dim === 'number' ? dim : dim.symbol))).toEqual([
      'N',
      4,
      'H',
      'W',
    ]);
    expectClose(await runGraph(inside), await runGraph(turned), 1e-5);
    expect((await optimize(inside, { evaluate })).graph).toBe(inside);
  });

  it('are folded into constants', async () => {
    const graph = graphOf((g, x) => g.op(Conv, [x, turn(g, weights(g, 3, 3, 4, 5), [3, 2, 0, 1])]));
    expect(operators(await applied(foldConstants, graph))).toEqual(['Conv']);
    const equal = graphOf((g, x) => g.op(Add, [turn(g, x, last), turn(g, x, last)]));
    expect(operators(await applied(commonSubexpressions, equal))).toEqual(['Transpose', 'Add']);
  });
});
