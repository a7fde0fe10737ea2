/** Passes that drop, join and compute beforehand: what they do, what they leave alone, and that outputs stay the same. */
import {
  Add,
  Cast,
  Clip,
  Concat,
  Conv,
  commonSubexpressions,
  DequantizeLinear,
  Div,
  Dropout,
  deadCode,
  Expand,
  float32,
  foldConstants,
  fuseLeakyRelu,
  Gather,
  Graph,
  Identity,
  int64,
  Max,
  Mul,
  Neg,
  onnxTypes,
  Pad,
  Pow,
  Relu,
  Reshape,
  Resize,
  Shape,
  Sigmoid,
  Slice,
  Split,
  Sub,
  shapeParameters,
  simplify,
  symbolicDim,
  Tanh,
  Transpose,
  tensor,
  type Value,
} from '@cyclegan/graph';
import { describe, expect, it, test } from 'vitest';
import { applied, evaluate, graphOf, operators, weights } from './passes.js';

const dynamic = [symbolicDim('N'), 4, symbolicDim('H', 4), symbolicDim('W', 4)];

describe('dead code', () => {
  it('drops what no output depends on, and keeps inputs', async () => {
    const graph = graphOf((g, x) => {
      g.op(Tanh, [g.op(Sigmoid, [x])]);
      return g.op(Relu, [x]);
    });
    graph.input('unused', 'float32', [1]);
    expect(operators(await applied(deadCode, graph))).toEqual(['Relu']);
    expect(graph.nodes).toHaveLength(3);
  });
});

describe('common subexpressions', () => {
  it('joins equal nodes, in turn those that read them, and equal constants of any size', async () => {
    const kernel = Float32Array.from({ length: 4 * 4 * 9 }, (_, i) => Math.sin(i));
    const graph = graphOf((g, x) => {
      const branch = () => {
        const w = g.constant(tensor('float32', [4, 4, 3, 3], kernel.slice()));
        return g.op(Relu, [g.op(Conv, [x, w], { kernel_shape: [3, 3] })]);
      };
      return g.op(Add, [branch(), branch()]);
    });
    expect(operators(await applied(commonSubexpressions, graph))).toEqual(['Conv', 'Relu', 'Add']);
  });

  it('keeps apart what differs in one bit, in an attribute, in its inputs or in their order', async () => {
    const kernel = Float32Array.from({ length: 4 * 4 * 9 }, (_, i) => Math.sin(i));
    const graph = graphOf((g, x) => {
      const constant = (data: Float32Array<ArrayBuffer>) => g.constant(tensor('float32', [4, 4, 3, 3], data));
      const [a, b] = [constant(kernel), constant(kernel.with(143, 1))];
      const convolved = [
        g.op(Conv, [x, a]),
        g.op(Conv, [x, b]),
        g.op(Conv, [x, a], { dilations: [1, 1] }),
        g.op(Conv, [g.op(Relu, [x]), a]),
      ];
      const differences = [g.op(Sub, [convolved[0], convolved[1]]), g.op(Sub, [convolved[1], convolved[0]])];
      return g.op(Concat, [...convolved, ...differences], { axis: 1 });
    });
    expect(await applied(commonSubexpressions, graph)).toBe(graph);
  });
});

it('tells constants of one hash apart', async () => {
  const graph = graphOf(
    (g, x) => {
      const [a, b] = [g.constant(float32([56.378, 71.927]), 'a'), g.constant(float32([96.215, 26.34]), 'b')];
      return g.op(Sub, [g.op(Mul, [x, a]), b]);
    },
    [3, 2],
  );
  expect(await applied(commonSubexpressions, graph)).toBe(graph);
});

describe('clean-up', () => {
  const one = (g: Graph) => g.float(1);
  const zero = (g: Graph) => g.float([0, 0, 0, 0], [4, 1, 1]);
  const neutral: Record<string, (g: Graph, x: Value) => Value> = {
    Identity: (g, x) => g.op(Identity, [x]),
    Dropout: (g, x) => g.op(Dropout, [x, g.float(0.5)]),
    'Cast to the same type': (g, x) => g.op(Cast, [x], { to: onnxTypes.float32 }),
    'Reshape to the same shape': (g, x) => g.op(Reshape, [x, g.ints([2, 4, 8, -1])]),
    'Reshape there and back': (g, x) =>
      g.op(Reshape, [g.op(Reshape, [x, g.ints([2, 32, 12])]), g.ints([2, 4, 8, 12])]),
    'Slice of all': (g, x) => g.op(Slice, [x, g.ints([0]), g.ints([2 ** 31]), g.ints([2])]),
    'Concat of one': (g, x) => g.op(Concat, [x], { axis: 1 }),
    'Split into one': (g, x) => g.op(Split, [x, g.ints([4])], { axis: 1 }),
    'Resize by 1': (g, x) => g.op(Resize, [x, undefined, g.float([1, 1, 1, 1])], { mode: 'linear' }),
    'Pad by 0': (g, x) => g.op(Pad, [x, g.ints([0, 0, 0, 0, 0, 0, 0, 0])], { mode: 'reflect' }),
    'Mul by 1': (g, x) => g.op(Mul, [one(g), x]),
    'Div by 1': (g, x) => g.op(Div, [x, one(g)]),
    'Add of 0': (g, x) => g.op(Add, [x, zero(g)]),
    'Sub of 0': (g, x) => g.op(Sub, [x, zero(g)]),
    'Pow of 1': (g, x) => g.op(Pow, [x, one(g)]),
    'Expand to the same shape': (g, x) => g.op(Expand, [x, g.ints([4, 1, 12])]),
    'Clip without bounds': (g, x) => g.op(Clip, [x]),
    'Neg of Neg': (g, x) => g.op(Neg, [g.op(Neg, [x])]),
    'Casts that lose nothing': (g, x) =>
      g.op(Cast, [g.op(Cast, [x], { to: onnxTypes.float64 })], { to: onnxTypes.float32 }),
  };
  test.each(Object.keys(neutral))('drops %s', async (name) => {
    const graph = graphOf((g, x) => g.op(Relu, [neutral[name]?.(g, g.op(Sigmoid, [x])) as Value]));
    expect(operators(await applied(simplify, graph))).toEqual(['Sigmoid', 'Relu']);
    const alone = graphOf((g, x) => neutral[name]?.(g, x) as Value);
    expect(operators(await applied(simplify, alone))).toEqual([]);
  });

  const joined: Record<string, { build: (g: Graph, x: Value) => Value; left: string[] }> = {
    'Relu of Relu': { build: (g, x) => g.op(Relu, [g.op(Relu, [x])]), left: ['Relu'] },
    'Clip of Clip': {
      build: (g, x) => g.op(Clip, [g.op(Clip, [x, g.float(-0.5), g.float(0.6)]), g.float(-0.2)]),
      left: ['Clip'],
    },
    'Reshape of Reshape': {
      build: (g, x) => g.op(Reshape, [g.op(Reshape, [x, g.ints([2, -1])]), g.ints([0, 32, 12])]),
      left: ['Reshape'],
    },
    'Gather of Gather': {
      build: (g, x) => {
        const flat = g.op(Reshape, [x, g.ints([-1])]);
        return g.op(Gather, [g.op(Gather, [flat, g.ints([3, -1, 7])]), g.ints([2, -3])]);
      },
      left: ['Reshape', 'Gather'],
    },
    'Cast of Cast': {
      build: (g, x) => {
        const wide = g.op(Cast, [g.op(Cast, [x], { to: onnxTypes.int32 })], { to: onnxTypes.int64 });
        return g.op(Cast, [wide], { to: onnxTypes.float32 });
      },
      left: ['Cast', 'Cast'],
    },
  };
  test.each(Object.keys(joined))('joins %s', async (name) => {
    const graph = graphOf((g, x) => joined[name]?.build(g, x) as Value);
    expect(operators(await applied(simplify, graph))).toEqual(joined[name]?.left);
  });

  const kept: Record<string, (g: Graph, x: Value) => Value> = {
    'Add of 0 that broadcasts': (g, x) => g.op(Add, [x, g.float([0, 0], [2, 1, 1, 1, 1])]),
    'Sub from 0': (g, x) => g.op(Sub, [zero(g), x]),
    'Div of 1': (g, x) => g.op(Div, [one(g), g.op(Add, [x, g.float(3)])]),
    'a Slice backwards': (g, x) => {
      const [from, to, axis, step] = [-1, -100, 2, -1].map((n) => g.ints([n]));
      return g.op(Slice, [x, from, to, axis, step]);
    },
    'a Pad that shifts': (g, x) => g.op(Pad, [x, g.ints([0, 0, 1, 0, 0, 0, -1, 0])]),
    'a Resize by 1.05': (g, x) =>
      g.op(Resize, [x, undefined, g.float([1, 1, 1.05, 1.05])], { mode: 'linear' }),
    'Casts that round': (g, x) =>
      g.op(Cast, [g.op(Cast, [x], { to: onnxTypes.float16 })], { to: onnxTypes.float32 }),
    'Clips whose ranges do not meet': (g, x) =>
      g.op(Clip, [g.op(Clip, [x, g.float(0.5), g.float(0.6)]), g.float(-0.2), g.float(0)]),
    'Mul by what is no constant': (g, x) => g.op(Mul, [x, g.op(Sigmoid, [x])]),
  };
  test.each(Object.keys(kept))('keeps %s', async (name) => {
    const graph = graphOf((g, x) => kept[name]?.(g, x) as Value);
    expect(await applied(simplify, graph)).toBe(graph);
  });

  it('keeps a value that is an output', async () => {
    const graph = graphOf((g, x) => {
      const first = g.op(Relu, [x]);
      g.output('first', first);
      return g.op(Relu, [first]);
    });
    const result = await applied(simplify, graph);
    expect(result.outputs.map(({ name }) => name)).toEqual(['first', 'y']);
    expect(operators(result)).toEqual(['Relu']);
  });
});

describe('constant folding', () => {
  it('computes all that depends on constants alone in one run', async () => {
    let runs = 0;
    const graph = graphOf((g, x) => {
      const w = g.op(Transpose, [weights(g, 3, 3, 4, 5)], { perm: [3, 2, 0, 1] });
      const bias = g.op(Mul, [weights(g, 5), g.op(Sigmoid, [weights(g, 1)])]);
      return g.op(Conv, [x, w, bias]);
    });
    const result = await foldConstants.apply(graph, {
      evaluate(model) {
        runs++;
        return evaluate(model);
      },
    });
    expect(operators(result)).toEqual(['Conv']);
    expect(runs).toBe(1);
    expect(operators(await applied(foldConstants, graph))).toEqual(['Conv']);
  });

  it('takes from shapes what is known of them, and from an output the node', async () => {
    const graph = graphOf((g, x) => {
      const channels = g.op(Gather, [g.op(Shape, [x]), g.ints([1])]);
      g.output('channels', channels);
      return g.op(Reshape, [x, g.op(Concat, [channels, g.ints([-1])], { axis: 0 })]);
    }, dynamic);
    const result = await applied(foldConstants, graph);
    expect(operators(result)).toEqual(['Reshape']);
    expect(result.outputs[0]?.value.constant?.data).toEqual(int64([4]).data);
  });

  it('lets the file not grow: neither spreads constants nor unpacks weights', async () => {
    const graph = graphOf((g, x) => {
      const spread = g.op(Expand, [weights(g, 1), g.ints([64, 12, 8])]);
      const half = g.constant(tensor('float16', [64, 4, 3, 3], new Uint16Array(2304).fill(0x3800)));
      const quantised = g.constant(tensor('int8', [64, 64, 1, 1], new Int8Array(4096).fill(3)));
      const scale = g.float(0.1);
      const w = g.op(Cast, [half], { to: onnxTypes.float32 });
      const convolved = g.op(Conv, [x, w], { pads: [1, 1, 1, 1] });
      const second = g.op(Conv, [convolved, g.op(DequantizeLinear, [quantised, scale])]);
      return g.op(Add, [second, g.op(Transpose, [spread], { perm: [0, 2, 1] })]);
    });
    expect(await applied(foldConstants, graph)).toBe(graph);
  });

  it('says what cannot be computed', async () => {
    const graph = graphOf((g, x) => g.op(Mul, [x, g.op(Gather, [weights(g, 4), g.ints([9])])]));
    await expect(foldConstants.apply(graph, { evaluate })).rejects.toThrow(
      /^graph case: expected constants that can be computed, got: .*out of.*bounds/s,
    );
  });
});

describe('computed sizes', () => {
  const sizesOf = (g: Graph, x: Value, ...parts: (number | { axis: number; times?: number })[]) => {
    const shape = g.op(Shape, [x]);
    const each = parts.map((part) => {
      if (typeof part === 'number') return g.ints([part]);
      const own = g.op(Gather, [shape, g.ints([part.axis])]);
      return part.times ? g.op(Mul, [own, g.ints([part.times])]) : own;
    });
    return g.op(Concat, each, { axis: 0 });
  };

  it('gives Reshape sizes of its own', async () => {
    const graph = graphOf(
      (g, x) => g.op(Reshape, [x, sizesOf(g, x, { axis: 0 }, 4, { axis: 2 }, { axis: 3 }, 1)]),
      dynamic,
    );
    expect(operators(await applied(shapeParameters, graph))).toEqual(['Unsqueeze']);
    const flat = graphOf((g, x) => g.op(Reshape, [x, sizesOf(g, x, { axis: 0 }, 2, 2, -1)]), dynamic);
    expect(operators(await applied(shapeParameters, flat))).toEqual(['Reshape']);
  });

  it('gives Resize scales instead of sizes', async () => {
    const build = (times: number) =>
      graphOf((g, x) => {
        const sizes = sizesOf(g, x, { axis: 0 }, 4, { axis: 2, times }, { axis: 3, times });
        return g.op(Resize, [x, undefined, undefined, sizes], { mode: 'linear' });
      }, dynamic);
    expect(operators(await applied(shapeParameters, build(2)))).toEqual(['Resize']);
  });

  it('leaves sizes that are another tensor’s', async () => {
    const graph = new Graph('skips');
    const x = graph.input('x', 'float32', dynamic);
    const other = graph.input('other', 'float32', [1, 1, symbolicDim('Q'), symbolicDim('R')]);
    const sizes = graph.op(
      Concat,
      [
        graph.op(Gather, [graph.op(Shape, [x]), graph.ints([0, 1])]),
        graph.op(Gather, [graph.op(Shape, [other]), graph.ints([2, 3])]),
      ],
      { axis: 0 },
    );
    graph.output('y', graph.op(Resize, [x, undefined, undefined, sizes]));
    expect(await applied(shapeParameters, graph)).toBe(graph);
  });
});

describe('leaky ReLU', () => {
  const leaky = (alpha: number, flip = false) =>
    graphOf((g, x) => {
      const scaled = g.op(Mul, flip ? [g.float(alpha), x] : [x, g.float(alpha)]);
      return g.op(Max, flip ? [x, scaled] : [scaled, x]);
    });

  it('is recognised in either order', async () => {
    expect(operators(await applied(fuseLeakyRelu, leaky(0.2)))).toEqual(['LeakyRelu']);
    expect(operators(await applied(fuseLeakyRelu, leaky(0.2, true)))).toEqual(['LeakyRelu']);
  });

  it('is none with a slope above 1 or below 0, or of another value', async () => {
    for (const graph of [leaky(1.5), leaky(-0.5)]) expect(await applied(fuseLeakyRelu, graph)).toBe(graph);
    const other = graphOf((g, x) => g.op(Max, [g.op(Mul, [g.op(Tanh, [x]), g.float(0.2)]), x]));
    expect(await applied(fuseLeakyRelu, other)).toBe(other);
  });
});
