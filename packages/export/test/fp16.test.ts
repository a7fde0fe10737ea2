/** What becomes of numbers and of graphs in half precision; what onnxruntime makes of them is in fp16.ort.test.ts. */
import { toFp16 } from '@cyclegan/export';
import {
  Cast,
  Conv,
  Graph,
  InstanceNormalization,
  Mul,
  Pad,
  Pow,
  QuantizeLinear,
  ReduceMean,
  Relu,
  Resize,
  Sqrt,
  Sub,
  type Tensor,
  tensor,
  writeOnnx,
} from '@cyclegan/graph';
import { describe, expect, test } from 'vitest';
import { halfValue, kinds, makeGraph } from './precision-support.ts';

/** A graph that adds up nothing but one constant. */
function graphOf(values: Float32Array<ArrayBuffer>): Graph {
  const graph = new Graph('constant');
  const image = graph.input('image', 'float32', [values.length]);
  const constant = graph.constant(tensor('float32', [values.length], values), 'weights');
  graph.output('result', graph.op(Mul, [image, constant]));
  return graph;
}

function halves(graph: Graph): Tensor[] {
  const read = graph.nodes.flatMap(({ inputs }) => inputs.flatMap((value) => value?.constant ?? []));
  return read.filter(({ dtype }) => dtype === 'float16');
}

/** Raw bits of the halves that the numbers become, with what is reported of them. */
function convert(values: ArrayLike<number>, mode: 'weights' | 'full' = 'weights') {
  const padded = new Float32Array(Math.max(values.length, 1024));
  padded.set(values);
  const { graph, report } = toFp16(graphOf(padded), { mode });
  return { bits: [...(halves(graph)[0]?.data ?? [])].slice(0, values.length), report };
}

describe('numbers', () => {
  const finite = Array.from({ length: 0x7c00 }, (_, bits) => bits);
  const signed = [...finite, ...finite.map((bits) => bits | 0x8000)];

  test('that are halves stay what they are, subnormals and both zeros included', () => {
    expect(convert(signed.map(halfValue)).bits).toEqual(signed);
  });

  test('between two halves become the nearer one, and in the middle the even one', () => {
    const lower = finite.slice(1, -1);
    const middle = lower.map((bits) => (halfValue(bits) + halfValue(bits + 1)) / 2);
    const apart = lower.map((bits) => (halfValue(bits + 1) - halfValue(bits)) / 64);
    expect(convert(middle).bits).toEqual(lower.map((bits) => bits + (bits % 2)));
    expect(convert(middle.map((value, i) => value - (apart[i] ?? 0))).bits).toEqual(lower);
    expect(convert(middle.map((value, i) => value + (apart[i] ?? 0))).bits).toEqual(
      lower.map((bits) => bits + 1),
    );
  });

  test('NaN and infinity stay', () => {
    const { bits, report } = convert([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    expect(bits).toEqual([0x7e00, 0x7c00, 0xfc00]);
    expect(report).toEqual({ tensors: 1, tooSmall: 0, tooLarge: 0 });
  });

  test('too small ones keep their sign, and are counted', () => {
    const { bits, report } = convert([1e-12, -1e-12, 0, -0, 5e-8, 2 ** -24]);
    expect(bits).toEqual([1, 0x8001, 0, 0x8000, 1, 1]);
    expect(report).toEqual({ tensors: 1, tooSmall: 3, tooLarge: 0 });
  });

  test('too large ones become the largest, or with weights alone keep their tensor in float32', () => {
    const large = [65504, 65519, 65520, 1e9, -1e9];
    const full = convert(large, 'full');
    expect(full.bits).toEqual([0x7bff, 0x7bff, 0x7bff, 0x7bff, 0xfbff]);
    expect(full.report).toMatchObject({ tensors: 1, tooLarge: 3 });
    const weights = convert(large, 'weights');
    expect(weights.bits).toEqual([]);
    expect(weights.report).toEqual({ tensors: 0, tooSmall: 0, tooLarge: 3 });
  });
});

describe('graphs', () => {
  test.each(Object.entries(kinds))('%s: the same again when it is done again', (_, generator) => {
    const graph = makeGraph(generator);
    const before = writeOnnx(graph);
    for (const mode of ['weights', 'full'] as const) {
      const once = toFp16(graph, { mode });
      const again = toFp16(once.graph, { mode });
      expect(Buffer.compare(writeOnnx(again.graph), writeOnnx(once.graph))).toBe(0);
      expect(again.report).toEqual({ tensors: 0, tooSmall: 0, tooLarge: 0 });
      expect(once.report.tensors).toBeGreaterThan(2);
    }
    expect(Buffer.compare(writeOnnx(graph), before), 'the graph given stays').toBe(0);
  });

  test('weights: small tensors stay, and a tensor read twice is cast once', () => {
    const graph = new Graph('shared');
    const image = graph.input('image', 'float32', [1, 16, 8, 8]);
    const weight = graph.constant(
      tensor('float32', [16, 16, 3, 3], new Float32Array(2304).fill(0.1)),
      'weight',
    );
    const bias = graph.constant(tensor('float32', [16], new Float32Array(16).fill(0.1)), 'bias');
    const window = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
    const once = graph.op(Conv, [image, weight, bias], window);
    graph.output('result', graph.op(Conv, [once, weight, bias], window));
    const { nodes } = toFp16(graph, { mode: 'weights' }).graph;
    expect(nodes.map(({ op }) => op.name)).toEqual(['Cast', 'Conv', 'Conv']);
    expect(nodes[1]?.inputs[2]?.constant?.dtype).toBe('float32');
  });

  test('full: float32 at the ends, in statistics, and where ONNX has nothing else', () => {
    const graph = new Graph('everything');
    const image = graph.input('image', 'float32', [1, 2, 8, 8]);
    const padded = graph.op(Pad, [image, graph.ints([0, 0, 1, 1, 0, 0, 1, 1]), graph.float(0.5)]);
    const large = graph.op(Resize, [padded, undefined, graph.float([1, 1, 2, 2])], { mode: 'nearest' });
    const ones = graph.float([1, 1]);
    const even = graph.op(Relu, [graph.op(InstanceNormalization, [large, ones, ones])]);
    const mean = graph.op(ReduceMean, [even], { axes: [2, 3] });
    const apart = graph.op(Sub, [even, mean]);
    const squares = graph.op(ReduceMean, [graph.op(Pow, [apart, graph.float(2)])], { axes: [2, 3] });
    graph.output('result', graph.op(Mul, [apart, graph.op(Sqrt, [squares])]));

    const { nodes, inputs, outputs } = toFp16(graph, { mode: 'full' }).graph;
    expect([...inputs, ...outputs.map(({ value }) => value)].map(({ dtype }) => dtype)).toEqual([
      'float32',
      'float32',
    ]);
    const typesOf = (op: string) =>
      nodes
        .filter((node) => node.op.name === op)
        .map((node) => node.inputs.map((value) => value?.dtype ?? 'none').join());
    expect(typesOf('Pad')).toEqual(['float16,int64,float16']);
    expect(typesOf('Resize')).toEqual(['float16,none,float32']);
    expect(typesOf('InstanceNormalization')).toEqual(['float32,float32,float32']);
    expect(typesOf('Relu')).toEqual(['float16']);
    expect(typesOf('ReduceMean')).toEqual(['float32', 'float32']);
    expect(typesOf('Pow')).toEqual(['float32,float32']);
    expect(typesOf('Sqrt'), 'of a statistic').toEqual(['float32']);
    expect(typesOf('Mul')).toEqual(['float16,float16']);
  });

  test('full: a Cast to integers stays one, and what comes back of it is a half', () => {
    const graph = new Graph('casts');
    const image = graph.input('image', 'float32', [4]);
    const whole = graph.op(Cast, [graph.op(Relu, [image])], { to: 7 });
    graph.output('result', graph.op(Relu, [graph.op(Cast, [whole], { to: 1 })]));
    const { nodes } = toFp16(graph, { mode: 'full' }).graph;
    expect(nodes.map(({ op, outputs }) => `${op.name} ${outputs[0]?.dtype}`)).toEqual([
      'Cast float16',
      'Relu float16',
      'Cast int64',
      'Cast float32',
      'Cast float16',
      'Relu float16',
      'Cast float32',
    ]);
  });

  test('a quantised model is refused', () => {
    const graph = new Graph('bytes');
    const image = graph.input('image', 'float32', [4]);
    graph.output('result', graph.op(QuantizeLinear, [image, graph.float(1)]));
    for (const mode of ['weights', 'full'] as const) {
      expect(() => toFp16(graph, { mode })).toThrow(/expected a float32 model .* got QuantizeLinear/);
    }
  });
});
