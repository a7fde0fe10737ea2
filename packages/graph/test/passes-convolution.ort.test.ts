/** Passes that change convolutions: affine maps and pads taken in, and transposed convolutions as sub-pixels. */
import {
  Add,
  type Attributes,
  AveragePool,
  BatchNormalization,
  Conv,
  ConvTranspose,
  Div,
  foldAffine,
  foldPads,
  type Graph,
  MaxPool,
  Mul,
  Neg,
  Pad,
  Relu,
  Sub,
  subpixelConvTranspose,
  symbolicDim,
  type Value,
} from '@cyclegan/graph';
import { describe, expect, it, test } from 'vitest';
import { applied, graphOf, operators, weights } from './passes.js';

const dynamic = [symbolicDim('N'), 4, symbolicDim('H', 4), symbolicDim('W', 4)];
const close = 1e-6;

describe('affine into convolutions', () => {
  const positive = (g: Graph, n: number) => g.float(Array.from({ length: n }, (_, i) => 0.5 + i / n));
  const batchNorm = (g: Graph, x: Value) => {
    const channels = Number(x.shape[1]);
    const [scale, bias, mean] = [weights(g, channels), weights(g, channels), weights(g, channels)];
    return g.op(BatchNormalization, [x, scale, bias, mean, positive(g, channels)], { epsilon: 1e-3 });
  };
  const affine: Record<string, (g: Graph, x: Value) => Value> = {
    BatchNormalization: batchNorm,
    'Mul by channels': (g, x) => g.op(Mul, [weights(g, Number(x.shape[1]), 1, 1), x]),
    'Mul by a scalar': (g, x) => g.op(Mul, [x, g.float(0.3)]),
    'Add of channels': (g, x) => g.op(Add, [x, weights(g, 1, Number(x.shape[1]), 1, 1)]),
    'Sub of channels': (g, x) => g.op(Sub, [x, weights(g, Number(x.shape[1]), 1, 1)]),
    'Sub from a scalar': (g, x) => g.op(Sub, [g.float([1], [1]), x]),
    'Div by a scalar': (g, x) => g.op(Div, [x, g.float(3)]),
    Neg: (g, x) => g.op(Neg, [x]),
    'BatchNormalization, Mul and Add': (g, x) =>
      g.op(Add, [g.op(Mul, [batchNorm(g, x), g.float(2)]), weights(g, Number(x.shape[1]), 1, 1)]),
  };
  const convolutions: Record<string, (g: Graph, x: Value) => Value> = {
    Conv: (g, x) => g.op(Conv, [x, weights(g, 6, 4, 3, 3), weights(g, 6)], { pads: [1, 1, 1, 1] }),
    'Conv of groups': (g, x) => g.op(Conv, [x, weights(g, 6, 2, 3, 2)], { group: 2, strides: [2, 1] }),
    ConvTranspose: (g, x) => g.op(ConvTranspose, [x, weights(g, 4, 3, 3, 3)], { strides: [2, 2] }),
    'ConvTranspose of groups': (g, x) =>
      g.op(ConvTranspose, [x, weights(g, 4, 3, 3, 2), weights(g, 6)], { group: 2, pads: [1, 0, 0, 1] }),
  };
  for (const kind of Object.keys(convolutions)) {
    test.each(Object.keys(affine))(`${kind}, then %s`, async (name) => {
      const graph = graphOf(
        (g, x) => affine[name]?.(g, convolutions[kind]?.(g, x) as Value) as Value,
        dynamic,
      );
      expect(operators(await applied(foldAffine, graph, close))).toEqual([kind.split(' ')[0]]);
    });
  }

  test.each(Object.keys(affine))('%s, then Conv without border', async (name) => {
    for (const group of [1, 2]) {
      const graph = graphOf((g, x) => {
        const w = weights(g, 6, 4 / group, 3, 3);
        return g.op(Conv, [affine[name]?.(g, x), w, weights(g, 6)], { group, strides: [2, 2] });
      }, dynamic);
      expect(operators(await applied(foldAffine, graph, close))).toEqual(['Conv']);
    }
  });

  test.each(['reflect', 'edge'])('from before a border by %s', async (mode) => {
    const build = (pads: readonly number[]) =>
      graphOf((g, x) => {
        const shifted = g.op(Div, [g.op(Sub, [x, weights(g, 4, 1, 1)]), g.float(0.5)]);
        const padded = g.op(Pad, [shifted, g.ints(pads)], { mode });
        return g.op(Conv, [padded, weights(g, 6, Number(padded.shape[1]), 3, 3)]);
      }, dynamic);
    const result = await applied(foldAffine, build([0, 0, 3, 2, 0, 0, 1, 3]), close);
    expect(operators(result)).toEqual(['Pad', 'Conv']);
    const channels = build([0, 1, 3, 2, 0, 0, 1, 3]);
    expect(await applied(foldAffine, channels)).toBe(channels);
  });

  it('takes a scale alone from before a border, and before ConvTranspose', async () => {
    const padded = graphOf((g, x) =>
      g.op(Conv, [g.op(Mul, [x, g.float(0.5)]), weights(g, 6, 4, 3, 3)], { pads: [1, 1, 1, 1] }),
    );
    expect(operators(await applied(foldAffine, padded, close))).toEqual(['Conv']);
    const transposed = graphOf((g, x) =>
      g.op(ConvTranspose, [g.op(Mul, [x, weights(g, 4, 1, 1)]), weights(g, 4, 3, 3, 3)], { group: 2 }),
    );
    expect(operators(await applied(foldAffine, transposed, close))).toEqual(['ConvTranspose']);
  });

  const kept: Record<string, (g: Graph, x: Value) => Value> = {
    'a shift before a border of zeros': (g, x) =>
      g.op(Conv, [g.op(Add, [x, g.float(1)]), weights(g, 6, 4, 3, 3)], { pads: [0, 1, 0, 0] }),
    'a shift before a border that is as wide as needed': (g, x) =>
      g.op(Conv, [g.op(Add, [x, g.float(1)]), weights(g, 6, 4, 3, 3)], { auto_pad: 'SAME_UPPER' }),
    'a shift before ConvTranspose': (g, x) =>
      g.op(ConvTranspose, [g.op(Add, [x, g.float(1)]), weights(g, 4, 3, 3, 3)]),
    'a shift before a border of zeros of its own': (g, x) => {
      const padded = g.op(Pad, [g.op(Add, [x, g.float(1)]), g.ints([0, 0, 1, 1, 0, 0, 1, 1])]);
      return g.op(Conv, [padded, weights(g, 6, 4, 3, 3)]);
    },
    'a border with other readers': (g, x) => {
      const pads = g.ints([0, 0, 1, 1, 0, 0, 1, 1]);
      const padded = g.op(Pad, [g.op(Add, [x, g.float(1)]), pads], { mode: 'reflect' });
      return g.op(Add, [padded, g.op(Conv, [padded, weights(g, 4, 4, 1, 1)])]);
    },
    'a value with other readers': (g, x) => {
      const y = g.op(Conv, [x, weights(g, 4, 4, 1, 1)]);
      return g.op(Add, [g.op(Mul, [y, g.float(2)]), y]);
    },
    'a value that is an output': (g, x) => {
      const y = g.op(Conv, [x, weights(g, 4, 4, 1, 1)]);
      g.output('between', y);
      return g.op(Mul, [y, g.float(2)]);
    },
    'weights that others read': (g, x) => {
      const w = weights(g, 4, 4, 1, 1);
      return g.op(Mul, [g.op(Conv, [g.op(Relu, [g.op(Conv, [x, w])]), w]), g.float(2)]);
    },
    'constants along another axis': (g, x) =>
      g.op(Mul, [g.op(Conv, [x, weights(g, 4, 4, 1, 1)]), weights(g, 12)]),
    'constants that make more channels': (g, x) =>
      g.op(Mul, [g.op(Conv, [x, weights(g, 1, 4, 1, 1)]), weights(g, 5, 1, 1)]),
    'what is no constant': (g, x) => g.op(Mul, [g.op(Conv, [x, weights(g, 4, 4, 1, 1)]), x]),
    'a division of a constant': (g, x) =>
      g.op(Div, [g.float(1), g.op(Conv, [x, weights(g, 4, 4, 1, 1), g.float([9, 9, 9, 9])])]),
    'batch normalisation on its own': (g, x) => batchNorm(g, x),
  };
  test.each(Object.keys(kept))('leaves %s', async (name) => {
    const graph = graphOf((g, x) => kept[name]?.(g, x) as Value);
    expect(await applied(foldAffine, graph)).toBe(graph);
  });

  it('shares the weights where only a bias is added', async () => {
    const graph = graphOf((g, x) => {
      const w = weights(g, 4, 4, 1, 1);
      return g.op(Add, [g.op(Conv, [g.op(Relu, [g.op(Conv, [x, w])]), w]), g.float(2)]);
    });
    expect(operators(await applied(foldAffine, graph, close))).toEqual(['Conv', 'Relu', 'Conv']);
  });
});

describe('pads', () => {
  const pad = (g: Graph, x: Value, pads: readonly number[], mode = 'constant', fill?: number) =>
    g.op(Pad, [x, g.ints(pads), ...(fill === undefined ? [] : [g.float(fill)])], { mode });
  const border = [0, 0, 1, 0, 0, 0, 2, 1];
  const conv = (g: Graph, x: Value, attributes: Attributes<typeof Conv.attributes> = {}) =>
    g.op(Conv, [x, weights(g, 5, 4, 3, 3), weights(g, 5)], attributes);
  const max = (g: Graph, x: Value) => g.op(MaxPool, [x], { kernel_shape: [3, 3], pads: [0, 1, 0, 1] });
  const average = (g: Graph, x: Value, attributes = {}) =>
    g.op(AveragePool, [x], { kernel_shape: [4, 4], strides: [2, 2], ...attributes });

  const taken: Record<string, { build(g: Graph, x: Value): Value; left: string[] }> = {
    'zeros into Conv': { build: (g, x) => conv(g, pad(g, x, border)), left: ['Conv'] },
    'zeros into Conv with a border': {
      build: (g, x) => conv(g, pad(g, x, border, 'constant', 0), { pads: [0, 1, 2, 0], strides: [2, 2] }),
      left: ['Conv'],
    },
    'zeros into Conv of auto_pad VALID': {
      build: (g, x) => conv(g, pad(g, x, border), { auto_pad: 'VALID' }),
      left: ['Conv'],
    },
    'zeros into AveragePool': { build: (g, x) => average(g, pad(g, x, border)), left: ['AveragePool'] },
    'zeros into AveragePool that counts its border': {
      build: (g, x) => average(g, pad(g, x, border), { pads: [1, 1, 1, 1], count_include_pad: 1 }),
      left: ['AveragePool'],
    },
    'minus infinity into MaxPool': {
      build: (g, x) => max(g, pad(g, x, [0, 0, 1, 1, 0, 0, 2, 1], 'constant', Number.NEGATIVE_INFINITY)),
      left: ['MaxPool'],
    },
    'zeros after Relu into MaxPool': {
      build: (g, x) => max(g, pad(g, g.op(Relu, [x]), border)),
      left: ['Relu', 'MaxPool'],
    },
    'two pads into one': {
      build: (g, x) => pad(g, pad(g, x, border, 'constant', 3), [0, 0, 1, 1, 0, 1, 0, 0], 'constant', 3),
      left: ['Pad'],
    },
    'two pads of edges': {
      build: (g, x) => pad(g, pad(g, x, border, 'edge'), [0, 0, 1, 1, 0, 0, 0, 0], 'edge'),
      left: ['Pad'],
    },
    'reflections along two axes': {
      build: (g, x) =>
        pad(g, pad(g, x, [0, 0, 2, 0, 0, 0, 1, 0], 'reflect'), [0, 0, 0, 3, 0, 0, 0, 0], 'reflect'),
      left: ['Pad'],
    },
    'two pads into Conv': { build: (g, x) => conv(g, pad(g, pad(g, x, border), border)), left: ['Conv'] },
  };
  test.each(Object.keys(taken))('takes %s', async (name) => {
    const graph = graphOf((g, x) => taken[name]?.build(g, x) as Value, dynamic);
    expect(operators(await applied(foldPads, graph, close))).toEqual(taken[name]?.left);
  });

  const kept: Record<string, (g: Graph, x: Value) => Value> = {
    'a border of ones': (g, x) => conv(g, pad(g, x, border, 'constant', 1)),
    'a border by reflection': (g, x) => conv(g, pad(g, x, border, 'reflect')),
    'more channels': (g, x) => g.op(Conv, [pad(g, x, [0, 1, 0, 0, 0, 0, 0, 0]), weights(g, 5, 5, 3, 3)]),
    'a border that is cut': (g, x) => conv(g, pad(g, x, [0, 0, -1, 1, 0, 0, 0, 0])),
    'SAME, which counts the border': (g, x) =>
      conv(g, pad(g, x, border), { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
    'zeros into MaxPool': (g, x) => max(g, pad(g, x, border)),
    'a border as wide as the pool': (g, x) => max(g, pad(g, g.op(Relu, [x]), [0, 0, 3, 0, 0, 0, 0, 0])),
    'zeros into AveragePool that does not count its own': (g, x) =>
      average(g, pad(g, x, border), { pads: [1, 1, 1, 1] }),
    'a value with other readers': (g, x) => {
      const padded = pad(g, x, [0, 0, 1, 1, 0, 0, 1, 1]);
      return g.op(Add, [g.op(Conv, [padded, weights(g, 4, 4, 1, 1)]), padded]);
    },
    'reflections of reflections': (g, x) =>
      pad(g, pad(g, x, [0, 0, 2, 0, 0, 0, 1, 0], 'reflect'), [0, 0, 3, 0, 0, 0, 0, 0], 'reflect'),
    'two pads of other values': (g, x) => pad(g, pad(g, x, border, 'constant', 3), border, 'constant', 2),
    'ConvTranspose, whose pads cut': (g, x) =>
      g.op(ConvTranspose, [pad(g, x, border), weights(g, 4, 3, 3, 3)]),
  };
  test.each(Object.keys(kept))('leaves %s', async (name) => {
    const graph = graphOf((g, x) => kept[name]?.(g, x) as Value);
    expect(await applied(foldPads, graph)).toBe(graph);
  });
});

describe('transposed convolutions as sub-pixels', () => {
  interface Case {
    kernel: readonly [number, number];
    attributes: Attributes<typeof ConvTranspose.attributes>;
  }
  const build = ({ kernel, attributes }: Case) =>
    graphOf((g, x) => {
      const outputs = 6 / (attributes.group ?? 1);
      return g.op(ConvTranspose, [x, weights(g, 4, outputs, ...kernel), weights(g, 6)], attributes);
    }, dynamic);
  const two = { strides: [2, 2] } as const;
  const ones = [1, 1, 1, 1];

  const done: Record<string, Case> = {
    'k3 s2 p1, output_padding 1': {
      kernel: [3, 3],
      attributes: { ...two, pads: ones, output_padding: [1, 1] },
    },
    'k4 s2 p1': { kernel: [4, 4], attributes: { ...two, pads: ones } },
    'k3 s2 of TensorFlow, pads at the end': { kernel: [3, 3], attributes: { ...two, pads: [0, 0, 1, 1] } },
    'k2 s2': { kernel: [2, 2], attributes: two },
    'k2 s2 of groups': { kernel: [2, 2], attributes: { ...two, group: 2 } },
    'k4 s4, k1 along one axis': { kernel: [4, 8], attributes: { strides: [4, 4], pads: [0, 2, 0, 2] } },
    'k9 s3 p3': { kernel: [9, 9], attributes: { strides: [3, 3], pads: [3, 3, 3, 3] } },
    'k3 s1 p1': { kernel: [3, 3], attributes: { pads: ones } },
    'k1 s2, output_padding 1': { kernel: [1, 1], attributes: { ...two, output_padding: [1, 1] } },
  };
  test.each(Object.keys(done))('%s', async (name) => {
    const graph = build(done[name] as Case);
    const result = operators(await applied(subpixelConvTranspose, graph, close));
    expect(result).toEqual(name === 'k3 s1 p1' ? ['Conv'] : ['Conv', 'DepthToSpace']);
  });

  const left: Record<string, Case> = {
    'an output of no whole blocks': { kernel: [3, 3], attributes: two },
    'other strides for H and W': { kernel: [2, 2], attributes: { strides: [2, 1] } },
    dilation: { kernel: [2, 2], attributes: { ...two, dilations: [2, 2] } },
    'pads wider than the kernel reaches': { kernel: [2, 2], attributes: { ...two, pads: [2, 2, 2, 2] } },
  };
  test.each(Object.keys(left))('leaves %s', async (name) => {
    const graph = build(left[name] as Case);
    expect(await applied(subpixelConvTranspose, graph)).toBe(graph);
  });

  it('leaves weights that others read', async () => {
    const graph = graphOf((g, x) => {
      const w = weights(g, 4, 4, 2, 2);
      return g.op(ConvTranspose, [g.op(ConvTranspose, [x, w], { strides: [2, 2] }), w], { strides: [2, 2] });
    });
    expect(await applied(subpixelConvTranspose, graph)).toBe(graph);
  });
});
