/** InstanceNormalization recognised in the forms in which frameworks write it, and in nothing else. */
import {
  Add,
  Conv,
  Div,
  fuseInstanceNormalization,
  type Graph,
  Mul,
  Neg,
  Pow,
  prune,
  Reciprocal,
  ReduceMean,
  Relu,
  Reshape,
  Sqrt,
  Squeeze,
  Sub,
  symbolicDim,
  Unsqueeze,
  type Value,
} from '@cyclegan/graph';
import { describe, expect, it, test } from 'vitest';
import { applied, graphOf, operators, weights } from './passes.js';

const [n, h, w] = [symbolicDim('N'), symbolicDim('H'), symbolicDim('W')];
const channelsFirst = [n, 4, h, w];
const channelsLast = [n, h, w, 4];

/** How one step is written. */
interface Parts {
  g: Graph;
  x: Value;
  axes: readonly number[];
  epsilon: Value;
  scale: Value;
  bias: Value;
  mean(x: Value): Value;
}
type Form = (parts: Parts) => Value;

const centre = ({ g, x, mean }: Parts) => g.op(Sub, [x, mean(x)]);
const square = ({ g }: Parts, x: Value) => g.op(Mul, [x, x]);
const variance = (parts: Parts) => parts.mean(square(parts, centre(parts)));
const deviation = (parts: Parts) => {
  const { g, epsilon } = parts;
  return g.op(Sqrt, [g.op(Add, [variance(parts), epsilon])]);
};

const plain: Record<string, Form> = {
  '(x − μ) / σ': (p) => p.g.op(Div, [centre(p), deviation(p)]),
  '(x − μ) · (1 / σ)': (p) => p.g.op(Mul, [p.g.op(Reciprocal, [deviation(p)]), centre(p)]),
  '(x − μ) · 1/σ, by Div': (p) => p.g.op(Mul, [centre(p), p.g.op(Div, [p.g.float(1), deviation(p)])]),
  '(x − μ) · √(1/σ²)': (p) => {
    const sum = p.g.op(Add, [p.epsilon, variance(p)]);
    return p.g.op(Mul, [centre(p), p.g.op(Sqrt, [p.g.op(Div, [p.g.float(1), sum])])]);
  },
  '(x − μ) · √(reciprocal of σ²)': (p) => {
    const sum = p.g.op(Add, [variance(p), p.epsilon]);
    return p.g.op(Mul, [centre(p), p.g.op(Sqrt, [p.g.op(Reciprocal, [sum])])]);
  },
  '(x − μ) · σ² to the power of −½': (p) => {
    const squared = p.mean(p.g.op(Pow, [centre(p), p.g.float(2)]));
    const sum = p.g.op(Add, [squared, p.epsilon]);
    return p.g.op(Mul, [centre(p), p.g.op(Pow, [sum, p.g.float(-0.5)])]);
  },
  '(x − μ) / σ² to the power of ½': (p) => {
    const sum = p.g.op(Add, [variance(p), p.epsilon]);
    return p.g.op(Div, [centre(p), p.g.op(Pow, [sum, p.g.float(0.5)])]);
  },
  'square of μ − x': (p) => {
    const turned = p.g.op(Sub, [p.mean(p.x), p.x]);
    const sum = p.g.op(Add, [p.mean(square(p, turned)), p.epsilon]);
    return p.g.op(Neg, [p.g.op(Div, [turned, p.g.op(Sqrt, [sum])])]);
  },
};

const scaled: Record<string, Form> = {
  '((x − μ) / σ) · s + b': (p) => {
    const normal = p.g.op(Div, [centre(p), deviation(p)]);
    return p.g.op(Add, [p.g.op(Mul, [normal, p.scale]), p.bias]);
  },
  's · (x − μ) / σ + b': (p) => {
    const product = p.g.op(Mul, [p.scale, centre(p)]);
    return p.g.op(Add, [p.bias, p.g.op(Div, [product, deviation(p)])]);
  },
  '(x − μ) · (s / σ) + b': (p) =>
    p.g.op(Add, [p.g.op(Mul, [centre(p), p.g.op(Div, [p.scale, deviation(p)])]), p.bias]),
  'TensorFlow’s x · (s / σ) + (b − μ · s / σ)': (p) => {
    const inverse = p.g.op(Mul, [p.g.op(Reciprocal, [deviation(p)]), p.scale]);
    const shift = p.g.op(Sub, [p.bias, p.g.op(Mul, [p.mean(p.x), inverse])]);
    return p.g.op(Add, [p.g.op(Mul, [p.x, inverse]), shift]);
  },
  'TensorFlow’s without a bias': (p) => {
    const inverse = p.g.op(Mul, [p.g.op(Reciprocal, [deviation(p)]), p.scale]);
    return p.g.op(Sub, [p.g.op(Mul, [p.x, inverse]), p.g.op(Mul, [p.mean(p.x), inverse])]);
  },
};

function build(form: Form, shape = channelsFirst, keepdims = true): Graph {
  return graphOf((g, x) => {
    const first = shape === channelsFirst;
    const axes = first ? [2, 3] : [1, 2];
    const vector = () => (first ? weights(g, 4, 1, 1) : weights(g, 4));
    const dropped = (y: Value) =>
      g.op(Unsqueeze, [g.op(ReduceMean, [y], { axes, keepdims: 0 }), g.ints(axes)]);
    const kept = (y: Value) => g.op(ReduceMean, [y], { axes, keepdims: 1 });
    const made = new Map<Value, Value>();
    const mean = (y: Value) => {
      const known = made.get(y) ?? (keepdims ? kept : dropped)(y);
      made.set(y, known);
      return known;
    };
    const parts = { g, axes, epsilon: g.float(1e-3), scale: vector(), bias: vector(), mean };
    return g.op(Relu, [form({ ...parts, x: g.op(Neg, [x]) })]);
  }, shape);
}

describe.each([
  ['channels first', channelsFirst, ['InstanceNormalization']],
  ['channels last', channelsLast, ['Transpose', 'InstanceNormalization', 'Transpose']],
] as const)('%s', (_, shape, nodes) => {
  const forms = { ...plain, ...scaled };
  test.each(Object.keys(forms))('%s', async (name) => {
    for (const keepdims of [true, false]) {
      const graph = build(forms[name] as Form, shape as never, keepdims);
      const result = await applied(fuseInstanceNormalization, graph, 1e-5);
      expect(operators(result)).toEqual(['Neg', ...nodes, 'Relu']);
      expect(result.nodes.find(({ op }) => op.name === 'InstanceNormalization')?.attributes).toEqual({
        epsilon: Math.fround(1e-3),
      });
    }
  });
});

it('is found with an axis of groups of one channel, as TensorFlow Addons writes it', async () => {
  const graph = graphOf((g, x) => {
    const grouped = g.op(Unsqueeze, [x, g.ints([4])]);
    const axes = { axes: [1, 2, 4] };
    const mean = g.op(ReduceMean, [grouped], axes);
    const centred = g.op(Sub, [grouped, mean]);
    const sum = g.op(Add, [g.op(ReduceMean, [g.op(Mul, [centred, centred])], axes), g.float(1e-3)]);
    const inverse = g.op(Mul, [g.op(Reciprocal, [g.op(Sqrt, [sum])]), weights(g, 1, 1, 1, 4, 1)]);
    const shift = g.op(Sub, [weights(g, 1, 1, 1, 4, 1), g.op(Mul, [mean, inverse])]);
    return g.op(Squeeze, [g.op(Add, [g.op(Mul, [grouped, inverse]), shift]), g.ints([4])]);
  }, channelsLast);
  expect(operators(await applied(fuseInstanceNormalization, graph, 1e-5))).toContain('InstanceNormalization');
});

it('is found in every layer, with what follows left alone', async () => {
  const graph = graphOf((g, x) => {
    const layer = (y: Value) => {
      const axes = { axes: [-1, -2] };
      const centred = g.op(Sub, [y, g.op(ReduceMean, [y], axes)]);
      const sum = g.op(Add, [g.op(ReduceMean, [g.op(Mul, [centred, centred])], axes), g.float(1e-5)]);
      return g.op(Div, [centred, g.op(Sqrt, [sum])]);
    };
    const first = layer(g.op(Conv, [x, weights(g, 4, 4, 1, 1)]));
    return g.op(Add, [first, layer(layer(first))]);
  }, channelsFirst);
  expect(operators(await applied(fuseInstanceNormalization, graph, 1e-5))).toEqual([
    'Conv',
    ...new Array(3).fill('InstanceNormalization'),
    'Add',
  ]);
});

describe('is none', () => {
  function over(g: Graph, x: Value, axes: number[], epsilon = g.float(1e-3)) {
    const mean = g.op(ReduceMean, [x], { axes });
    const centred = g.op(Sub, [x, mean]);
    const variance = g.op(ReduceMean, [g.op(Mul, [centred, centred])], { axes });
    const normal = g.op(Div, [centred, g.op(Sqrt, [g.op(Add, [variance, epsilon])])]);
    return { mean, centred, variance, normal };
  }
  const space = [2, 3];
  const others: Record<string, (g: Graph, x: Value) => Value> = {
    'over the batch too': (g, x) => over(g, x, [0, 2, 3]).normal,
    'over channels too': (g, x) => over(g, x, [1, 2, 3]).normal,
    'over one axis of space': (g, x) => over(g, x, [2]).normal,
    'with an ε for each channel': (g, x) => over(g, x, space, g.float([1, 2, 3, 4], [4, 1, 1])).normal,
    'with a scale for each column inside': (g, x) => {
      const { mean, variance } = over(g, x, space);
      const inverse = g.op(Reciprocal, [g.op(Sqrt, [g.op(Add, [variance, g.float(1)])])]);
      return g.op(Mul, [g.op(Sub, [x, mean]), g.op(Mul, [inverse, weights(g, 12)])]);
    },
    'with another mean’s variance': (g, x) => {
      const { mean } = over(g, x, space);
      const apart = g.op(Sub, [x, over(g, x, [1, 2, 3]).mean]);
      const variance = g.op(ReduceMean, [g.op(Mul, [apart, apart])], { axes: space });
      return g.op(Div, [g.op(Sub, [x, mean]), g.op(Sqrt, [g.op(Add, [variance, g.float(1)])])]);
    },
    'with the squares of x + μ': (g, x) => {
      const { mean, centred } = over(g, x, space);
      const sum = g.op(Add, [x, mean]);
      const squares = g.op(ReduceMean, [g.op(Mul, [sum, sum])], { axes: space });
      return g.op(Div, [centred, g.op(Sqrt, [g.op(Add, [squares, g.float(1)])])]);
    },
    'with the squares of x − 2μ': (g, x) => {
      const { mean, centred } = over(g, x, space);
      const apart = g.op(Sub, [centred, mean]);
      const squares = g.op(ReduceMean, [g.op(Mul, [apart, apart])], { axes: space });
      return g.op(Div, [centred, g.op(Sqrt, [g.op(Add, [squares, g.float(1)])])]);
    },
    'without the mean taken away': (g, x) => {
      const squares = g.op(ReduceMean, [g.op(Mul, [x, x])], { axes: space });
      return g.op(Div, [x, g.op(Sqrt, [g.op(Add, [squares, g.float(1)])])]);
    },
    'with the mean taken away twice': (g, x) => {
      const { normal, mean } = over(g, x, space);
      return g.op(Sub, [normal, mean]);
    },
    'that shows its mean': (g, x) => {
      const { mean, normal } = over(g, x, space);
      g.output('mean', mean);
      return normal;
    },
    'whose variance others read': (g, x) => {
      const { variance, normal } = over(g, x, space);
      return g.op(Mul, [normal, g.op(Relu, [variance])]);
    },
    'of a matrix': (g, x) => over(g, g.op(Reshape, [x, g.ints([2, 4, 96])]), [2]).normal,
  };
  test.each(Object.keys(others))('%s', async (name) => {
    const graph = graphOf((g, x) => others[name]?.(g, x) as Value);
    prune(graph);
    expect(await applied(fuseInstanceNormalization, graph, 1e-5)).toBe(graph);
  });
});
