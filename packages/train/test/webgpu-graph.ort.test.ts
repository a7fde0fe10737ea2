/** What a graph is rewritten to for onnxruntime's WebGPU provider computes the same: shown on the CPU. */
import { Graph, Mul, Sign, Split, writeOnnx } from '@cyclegan/graph';
import { stepGraph } from '@cyclegan/train';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { fitWebGpu } from '../dist/engines/ort/webgpu-graph.js';
import { tinyEngine } from './engine-support.mjs';

function example(): Graph {
  const graph = new Graph('example');
  const x = graph.input('x', 'float32', [2, 45]);
  const signs = graph.op(Sign, [x]);
  graph.output('signs', graph.op(Mul, [signs, graph.float(3)]));
  const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  graph.ops(Split, [x, graph.ints(sizes)], { axis: 1 }).forEach((part, i) => {
    graph.output(`part_${i}`, part);
  });
  const [few] = graph.ops(Split, [x, graph.ints([1, 1])], { axis: 0 });
  if (few) graph.output('few', few);
  return graph;
}

async function run(graph: Graph): Promise<Record<string, number[]>> {
  const session = await InferenceSession.create(writeOnnx(graph));
  const x = Float32Array.from({ length: 90 }, (_, i) => (i % 3) - 1 + (i % 3 === 1 ? 0 : i / 90));
  const results = await session.run({ x: new Tensor('float32', x, [2, 45]) });
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, [...(data as Float32Array)]]),
  );
}

it('gives the same values, to the last bit', async () => {
  const fitted = example();
  fitWebGpu(fitted);
  expect(fitted.nodes.filter(({ op }) => op.name === 'Split').map(({ outputs }) => outputs.length)).toEqual([
    2,
  ]);
  const expected = await run(example());
  expect(new Set(expected['signs'])).toEqual(new Set([-3, 0, 3]));
  expect(await run(fitted)).toEqual(expected);
});

it('leaves no Sign and no wide Split in a step', () => {
  const graph = stepGraph(tinyEngine());
  const refused = () =>
    graph.nodes.filter(
      ({ op, outputs }) => op.name === 'Sign' || (op.name === 'Split' && outputs.length > 7),
    );
  expect(refused().length).toBeGreaterThan(0);
  fitWebGpu(graph);
  expect(refused()).toEqual([]);
});
