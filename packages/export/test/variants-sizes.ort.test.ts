/** One size, channels last, and variants put together: the same answers through every interface. */
import { toFixedSize, toNhwc, type VariantOptions, variantOf } from '@cyclegan/export';
import { type Graph, readOnnx, writeOnnx } from '@cyclegan/graph';
import { toByte } from '@cyclegan/runtime-core';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { apart, floats, foreignGenerator, generator, image, run } from './variants-support.ts';

/** [N, C, H, W] → [N, H, W, C]. */
function channelsLast(tensor: Tensor | undefined): Tensor {
  const [n = 0, c = 0, h = 0, w = 0] = tensor?.dims ?? [];
  const from = floats(tensor);
  const data = from.map((_, i) => {
    const [channel, pixel] = [i % c, Math.floor(i / c)];
    const sample = Math.floor(pixel / (h * w));
    return from[(sample * c + channel) * h * w + (pixel % (h * w))] ?? 0;
  });
  return new Tensor('float32', data, [n, h, w, c]);
}

const open = (graph: Graph) =>
  graph.nodes.flatMap(({ outputs }) =>
    outputs.filter(({ shape }) => shape.some((dim) => typeof dim !== 'number')),
  );

describe('toFixedSize', () => {
  test('every dimension is a number, and the answers are the same', async () => {
    for (const graph of [generator(), generator({ kind: 'unet', downs: 5, ngf: 2 })]) {
      const feed = image([2, 3, 64, 96]);
      const fixed = toFixedSize(graph, { width: 96, height: 64, batch: 2 });
      expect(open(graph)).not.toEqual([]);
      expect(open(fixed)).toEqual([]);
      expect(fixed.inputs[0]?.shape).toEqual([2, 3, 64, 96]);
      expect(fixed.outputs[0]?.value.shape).toEqual([2, 3, 64, 96]);
      expect(readOnnx(writeOnnx(fixed)).graph.inputs[0]?.shape).toEqual([2, 3, 64, 96]);
      const [plain, answer] = [await run(graph, { image: feed }), await run(fixed, { image: feed })];
      expect(apart(plain['translation'], answer['translation'])).toBeLessThan(1e-6);
    }
  });

  test('computes no sizes any more, odd ones neither', async () => {
    const graph = foreignGenerator();
    const fixed = toFixedSize(graph, { width: 37, height: 29 });
    expect(open(fixed)).toEqual([]);
    expect(fixed.nodes.map(({ op }) => op.name)).toEqual([
      ...['Conv', 'Reshape', 'InstanceNormalization', 'Reshape', 'Resize', 'Conv', 'Tanh'],
    ]);
    const feed = image([1, 3, 29, 37]);
    const [plain, answer] = [await run(graph, { image: feed }), await run(fixed, { image: feed })];
    expect(apart(plain['translation'], answer['translation'])).toBeLessThan(1e-6);
  });

  test.each([
    ['no multiple', { width: 30, height: 32 }, /expected W to be a multiple of 4, got 30/],
    ['nothing', { width: 0, height: 32 }, /expected whole sizes from 1, got 0/],
    ['a part of a pixel', { width: 32, height: 32.5 }, /expected whole sizes from 1, got 32.5/],
    ['an endless size', { width: Infinity, height: 32 }, /expected whole sizes from 1/],
    ['less than a border', { width: 4, height: 4 }, /expected reflection narrower than axis/],
  ])('refuses %s', (_, size, message) => {
    expect(() => toFixedSize(generator(), size)).toThrow(message);
  });

  test('a graph of one size stays as it is, and takes no other', () => {
    const fixed = toFixedSize(generator(), { width: 32, height: 24 });
    expect(toFixedSize(fixed, { width: 32, height: 24 }).inputs).toMatchObject([{ shape: [1, 3, 24, 32] }]);
    expect(() => toFixedSize(fixed, { width: 32, height: 32 })).toThrow(/expected a size of 24, .* got 32/);
  });
});

describe('toNhwc', () => {
  test.each([
    [3, 3],
    [1, 3],
    [3, 1],
  ] as const)('%i channels to %i', async (inputChannels, outputChannels) => {
    const graph = generator({ inputChannels, outputChannels });
    const feed = image([2, inputChannels, 20, 28]);
    const { translation } = await run(graph, { image: feed });
    const last = await run(toNhwc(graph), { image: channelsLast(feed) });
    expect(apart(last['translation'], channelsLast(translation))).toBeLessThan(1e-6);
  });
});

describe('variantOf', () => {
  const graph = generator();
  const size = { width: 48, height: 32 };
  const feed = image([1, 3, 32, 48]);
  const rgba = () => {
    const planes = channelsLast(feed).data as Float32Array;
    const data = Uint8Array.from({ length: 4 * 32 * 48 }, (_, i) =>
      i % 4 === 3 ? i % 256 : toByte(planes[Math.floor(i / 4) * 3 + (i % 4)] ?? 0),
    );
    return new Tensor('uint8', data, [1, 32, 48, 4]);
  };

  test('nothing asked: the graph itself', () => {
    expect(variantOf(graph, {})).toBe(graph);
  });

  test.each<[string, VariantOptions, VariantOptions]>([
    ['bytes at one size', { io: 'rgba8' }, { io: 'rgba8', size }],
    ['channels last at one size', { layout: 'NHWC' }, { layout: 'NHWC', size }],
  ])('%s', async (_, plain, sized) => {
    const input = plain.io ? rgba() : channelsLast(feed);
    const made = variantOf(graph, sized);
    expect(open(made)).toEqual([]);
    const [expected, got] = [
      await run(variantOf(graph, plain), { image: input }),
      await run(made, { image: input }),
    ];
    expect(got['translation']?.dims).toEqual(input.dims);
    expect(got['translation']?.data).toEqual(expected['translation']?.data);
  });

  test.each<[string, VariantOptions]>([
    ['bytes', { io: 'rgba8' }],
    ['bytes at one size', { io: 'rgba8', size }],
    ['channels last', { layout: 'NHWC' }],
    ['one size', { size }],
  ])('the pair for tiles with %s', async (_, options) => {
    const input = options.io ? rgba() : options.layout ? channelsLast(feed) : feed;
    const whole = await run(variantOf(graph, options), { image: input });
    const first = variantOf(graph, { ...options, part: 'statistics' });
    const channels = Number(first.inputs[1]?.shape[2]);
    const neutral = Float32Array.from({ length: 2 * channels }, (_, i) => Math.floor(i / channels));
    const correction = new Tensor('float32', neutral, [1, 2, channels]);
    const statistics = await run(first, { image: input, correction });
    const core = new Tensor('float32', Float32Array.of(0, 0, size.height, size.width), [1, 1, 4]);
    const tile = variantOf(graph, { ...options, part: 'tile' });
    expect(tile.inputs.map(({ name }) => name)).toEqual(['image', 'statistics', 'core']);
    const answer = await run(tile, { image: input, core, ...statistics });
    const numbers = (tensor: Tensor | undefined) => Array.from(tensor?.data as ArrayLike<number>);
    const own = numbers(answer['own_statistics']);
    for (const [i, value] of numbers(statistics['statistics']).entries())
      expect(own[i]).toBeCloseTo(value, 3);
    const [one, other] = [numbers(whole['translation']), numbers(answer['translation'])];
    expect(other).toHaveLength(one.length);
    const most = Math.max(...one.map((value, i) => Math.abs(value - (other[i] ?? Number.NaN))));
    // A rounding error may take a byte to its neighbour.
    expect(most).toBeLessThanOrEqual(options.io ? 1 : 1e-4);
  });
});
