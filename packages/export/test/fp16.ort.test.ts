/** Half precision in onnxruntime: every kind of generator loads on the CPU, and answers like float32. */
import { toFp16 } from '@cyclegan/export';
import {
  Cast,
  Conv,
  Graph,
  InstanceNormalization,
  Mul,
  onnxTypes,
  symbolicDim,
  tensor,
  writeOnnx,
} from '@cyclegan/graph';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { kinds, makeGraph, pictures, psnr, run, runInHalves } from './precision-support.ts';

describe.each(Object.entries(kinds))('%s', (_, generator) => {
  const graph = makeGraph(generator);
  const size = writeOnnx(graph).length;

  test.each([
    ['weights', 55],
    ['full', 40],
  ] as const)('%s: close to float32', async (mode, least) => {
    const { graph: half } = toFp16(graph, { mode });
    for (const image of pictures(graph, 2)) {
      const [expected, got] = [await run(graph, image), await run(half, image)];
      expect(psnr(expected, got)).toBeGreaterThan(least);
      expect(got, 'not the same').not.toEqual(expected);
    }
    expect(writeOnnx(half).length / size).toBeLessThan(0.62);
  });

  test('full: close to float32 where halves are rounded, as on GPUs', async () => {
    const { graph: half } = toFp16(graph, { mode: 'full' });
    for (const image of pictures(graph, 1)) {
      const [expected, got] = [await run(graph, image), await runInHalves(half, image)];
      expect(psnr(expected, got)).toBeGreaterThan(45);
      expect(psnr(expected, got)).toBeLessThan(psnr(expected, await run(half, image)));
    }
  });
});

test('of a wider generator the file is half as large', () => {
  const graph = makeGraph({}, 48);
  for (const mode of ['weights', 'full'] as const) {
    const { graph: half } = toFp16(graph, { mode });
    expect(writeOnnx(half).length / writeOnnx(graph).length).toBeLessThanOrEqual(0.51);
  }
});

test('a variance beyond half precision is still normalised', async () => {
  const graph = new Graph('wide');
  const image = graph.input('image', 'float32', [1, 1, symbolicDim('H'), symbolicDim('W')]);
  const weight = graph.constant(tensor('float32', [1, 1, 1, 1], Float32Array.of(2000)), 'weight');
  const wide = graph.op(Conv, [image, weight]);
  graph.output('result', graph.op(InstanceNormalization, [wide, graph.float([1]), graph.float([0])]));
  const [picture] = pictures(graph, 1);
  if (!picture) throw new Error('expected a picture');
  const spread = { ...picture, data: picture.data.map((value) => 10 * value) };
  const [expected, got] = [
    await run(graph, spread),
    await runInHalves(toFp16(graph, { mode: 'full' }).graph, spread),
  ];
  expect(Math.max(...got.map((value, i) => Math.abs(value - (expected[i] ?? 0))))).toBeLessThan(5e-3);
  expect(Math.max(...got)).toBeGreaterThan(0.5);
});

test('numbers become the halves that onnxruntime makes of them', async () => {
  // What is nearer to zero is kept from becoming zero.
  const wide = Array.from({ length: 5000 }, (_, i) => Math.sin(i) * 10 ** ((i % 110) / 10 - 7));
  const values = Float32Array.from(wide.filter((value) => Math.abs(value) > 2 ** -24));
  const graph = new Graph('numbers');
  const input = graph.input('image', 'float32', [values.length]);
  graph.output('halves', graph.op(Cast, [input], { to: onnxTypes.float16 }));
  const session = await InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 4 });
  const { halves } = await session.run({ image: new OrtTensor('float32', values, [values.length]) });
  await session.release();

  const scaled = new Graph('scaled');
  const image = scaled.input('image', 'float32', [values.length]);
  scaled.output(
    'result',
    scaled.op(Mul, [image, scaled.constant(tensor('float32', [values.length], values))]),
  );
  const { nodes } = toFp16(scaled, { mode: 'weights' }).graph;
  expect(nodes[0]?.inputs[0]?.constant?.data).toEqual(halves?.data);
  expect(values.length).toBeGreaterThan(4000);
});
