/** Numbers of gradients that no single operator's rule decides: values met twice, on the way, not at all. */
import {
  Abs,
  Add,
  Cast,
  Graph,
  gradients,
  Mul,
  onnxTypes,
  ReduceSum,
  Sign,
  Tanh,
  type Value,
} from '@cyclegan/graph';
import { Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { largestDifference, runGraph } from './gradient-check.ts';

const values = [-1.5, -0.25, 0.5, 2];
const slope = (x: number) => 1 - Math.tanh(x) ** 2;

/** The gradients that `build` returns, run on the values. */
async function evaluate(build: (graph: Graph, x: Value) => (Value | undefined)[]): Promise<number[][]> {
  const graph = new Graph('gradients');
  const x = graph.input('x', 'float32', [4]);
  const found = build(graph, x);
  found.forEach((value, i) => {
    if (value) graph.output(`g${i}`, value);
  });
  const results = await runGraph(graph, { x: new Tensor('float32', values, [4]) });
  return found.map((_, i) => Array.from(results[`g${i}`]?.data as Float32Array));
}

const total = (graph: Graph, value: Value) => graph.op(ReduceSum, [value], { keepdims: 0 });

function expectClose(got: number[] | undefined, expected: number[], tolerance = 1e-6): void {
  expect(largestDifference(got ?? [], expected)).toBeLessThan(tolerance);
}

it('a value used in several places gets the sum', async () => {
  const [grad] = await evaluate((g, x) =>
    gradients(g, total(g, g.op(Add, [g.op(Mul, [x, x]), g.op(Tanh, [x])])), [x]),
  );
  expectClose(
    grad,
    values.map((x) => 2 * x + slope(x)),
  );
});

it('a value on the way gets its own, beside the input that it comes from, in the order asked for', async () => {
  const [byH, byX, byLoss] = await evaluate((g, x) => {
    const h = g.op(Tanh, [x]);
    const loss = total(g, g.op(Add, [g.op(Mul, [h, h]), x]));
    return gradients(g, loss, [h, x, loss]);
  });
  expectClose(
    byH,
    values.map((x) => 2 * Math.tanh(x)),
  );
  expectClose(
    byX,
    values.map((x) => 2 * Math.tanh(x) * slope(x) + 1),
  );
  expect(byLoss).toEqual([1]);
});

it('two losses of one graph are differentiated apart', async () => {
  const [first, second] = await evaluate((g, x) => {
    const h = g.op(Mul, [x, x]);
    return [...gradients(g, total(g, h), [x]), ...gradients(g, total(g, g.op(Mul, [h, x])), [x])];
  });
  expectClose(
    first,
    values.map((x) => 2 * x),
  );
  expectClose(
    second,
    values.map((x) => 3 * x * x),
    1e-5,
  );
});

it('what the loss does not depend on gets zeros of its shape', async () => {
  const [zeros] = await evaluate((g, x) => {
    const other = g.float([1, 2], [2, 1]);
    return gradients(g, total(g, x), [other]);
  });
  expect(zeros).toEqual([0, 0]);
});

it('gradients flow through half precision, and not through whole numbers', async () => {
  const through = (to: number) => (g: Graph, x: Value) => {
    const cast = g.op(Cast, [g.op(Cast, [x], { to })], { to: onnxTypes.float32 });
    return gradients(g, total(g, g.op(Mul, [cast, x])), [x]);
  };
  expectClose(
    (await evaluate(through(onnxTypes.float16)))[0],
    values.map((x) => 2 * x),
    1e-3,
  );
  expectClose((await evaluate(through(onnxTypes.int32)))[0], values.map(Math.trunc));
});

it('a gradient can be differentiated again', async () => {
  const [second] = await evaluate((g, x) => {
    const [first] = gradients(g, total(g, g.op(Tanh, [x])), [x]);
    return first ? gradients(g, total(g, first), [x]) : [];
  });
  expectClose(
    second,
    values.map((x) => -2 * Math.tanh(x) * slope(x)),
  );
});

it('a sign lets nothing through, so that what is chosen by one counts as constant', async () => {
  const [bySign, second] = await evaluate((g, x) => {
    const cubed = g.op(Mul, [g.op(Mul, [x, x]), g.op(Abs, [x])]);
    const [first] = gradients(g, total(g, cubed), [x]);
    return [
      ...gradients(g, total(g, g.op(Sign, [x])), [x]),
      ...(first ? gradients(g, total(g, first), [x]) : []),
    ];
  });
  expect(bySign).toEqual(values.map(() => 0));
  expectClose(
    second,
    values.map((x) => 6 * Math.abs(x)),
    1e-5,
  );
});
