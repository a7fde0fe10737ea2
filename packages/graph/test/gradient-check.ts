/** The one parity helper for operators: shape inference against onnxruntime, gradients against finite differences. */
import {
  Concat,
  type Graph,
  Graph as GraphClass,
  gradients,
  Mul,
  ReduceSum,
  Reshape,
  readOnnx,
  type Value,
  writeOnnx,
} from '@cyclegan/graph';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect } from 'vitest';

/** Relative to the largest gradient of the case; float32 forward passes leave about 1e-3 at this step. */
export const tolerance = 1e-2;
const step = 1e-2;

export interface Case {
  /** Builds the operator under test from float32 inputs. */
  build(graph: Graph, inputs: Value[]): Value;
  shapes: number[][];
  /** Range of the inputs' values; kept off kinks by `gap`. */
  range?: [number, number];
  /** Smallest distance of any input value from 0, for operators with a kink there. */
  gap?: number;
}

/** The case's gradients as one vector: checking it holds their own gradients against differences, the second order. */
export function gradientsOf(definition: Case, seed = 2): Case {
  return {
    ...definition,
    build(graph, inputs) {
      const y = definition.build(graph, inputs);
      const projection = randomData(y.shape as number[], randomNumbers(seed));
      const weighted = graph.op(Mul, [y, graph.float([...projection], y.shape as number[])]);
      const found = gradients(graph, graph.op(ReduceSum, [weighted], { keepdims: 0 }), inputs);
      const flat = found.map((grad) => graph.op(Reshape, [grad, graph.ints([-1])]));
      return graph.op(Concat, flat, { axis: 0 });
    },
  };
}

/** A small generator with a fixed seed: tests must fail alike on every run. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function randomData(
  shape: readonly number[],
  random: () => number,
  { range = [-1, 1], gap = 0 }: Partial<Case> = {},
) {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return Float32Array.from({ length: size }, () => {
    const value = range[0] + (range[1] - range[0]) * random();
    return Math.abs(value) < gap ? Math.sign(value || 1) * (gap + Math.abs(value)) : value;
  });
}

export async function runGraph(graph: Graph, feeds: Record<string, Tensor>) {
  const session = await InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 3 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** Checks one operator: inferred shape, reading back, and every input's gradient. */
export async function checkCase(definition: Case, seed = 1): Promise<void> {
  const random = randomNumbers(seed);
  const data = definition.shapes.map((shape) => randomData(shape, random, definition));
  const feeds = (values: readonly Float32Array[]) =>
    Object.fromEntries(
      values.map((array, i) => [`x${i}`, new Tensor('float32', array, definition.shapes[i] as number[])]),
    );
  const inputsOf = (graph: Graph) =>
    definition.shapes.map((shape, i) => graph.input(`x${i}`, 'float32', shape));

  const forward = new GraphClass('forward');
  const y = definition.build(forward, inputsOf(forward));
  forward.output('y', y);
  const bytes = writeOnnx(forward);
  expect(writeOnnx(readOnnx(bytes).graph), 'write, read and write again').toEqual(bytes);
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const run = async (values: readonly Float32Array[]) => {
    const { y: result } = await session.run(feeds(values));
    if (!result) throw new Error('no output');
    return result;
  };
  const first = await run(data);
  expect(first.dims, 'inferred shape').toEqual(y.shape);
  const projection = randomData(first.dims, random);

  const backward = new GraphClass('backward');
  const inputs = inputsOf(backward);
  const result = definition.build(backward, inputs);
  const weighted = backward.op(Mul, [result, backward.float([...projection], first.dims)]);
  const loss = backward.op(ReduceSum, [weighted], { keepdims: 0 });
  gradients(backward, loss, inputs).forEach((grad, i) => {
    expect(grad.shape).toEqual(definition.shapes[i]);
    backward.output(`g${i}`, grad);
  });
  backward.output('value', result);
  const grads = await runGraph(backward, feeds(data));
  const same = grads['value']?.data as Float32Array;
  expect(largestDifference(same, first.data as Float32Array), 'forward beside the gradient').toBeLessThan(
    1e-5,
  );

  const dot = (values: Float32Array) =>
    values.reduce((sum, value, i) => sum + value * (projection[i] ?? 0), 0);
  for (let i = 0; i < data.length; i++) {
    const analytic = grads[`g${i}`]?.data as Float32Array;
    const numeric = new Float64Array(analytic.length);
    for (let k = 0; k < analytic.length; k++) {
      const moved = (by: number) =>
        data.map((array, j) => (j === i ? array.with(k, (array[k] ?? 0) + by) : array));
      const [above, below] = [await run(moved(step)), await run(moved(-step))];
      // The step that float32 really took, not the one asked for.
      const taken = Math.fround((data[i]?.[k] ?? 0) + step) - Math.fround((data[i]?.[k] ?? 0) - step);
      numeric[k] =
        (dot(Float32Array.from(above.data as Float32Array)) - dot(below.data as Float32Array)) / taken;
    }
    const scale = Math.max(1e-3, ...numeric.map(Math.abs));
    expect(largestDifference(analytic, numeric) / scale, `gradient by input ${i}`).toBeLessThan(tolerance);
  }
  await session.release();
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
