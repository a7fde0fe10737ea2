/** What the tests of passes share: graphs run by onnxruntime, before and after. No tests. */
import {
  type Dim,
  type Evaluate,
  Graph,
  type Pass,
  type Tensor,
  type Value,
  writeOnnx,
} from '@cyclegan/graph';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect } from 'vitest';

type Outputs = ReadonlyMap<string, Tensor>;

async function run(model: Uint8Array, feeds: Record<string, OrtTensor>): Promise<Outputs> {
  const session = await InferenceSession.create(model, {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 4,
  });
  const results = Object.entries(await session.run(feeds));
  await session.release();
  return new Map(
    results.map(([name, { type, dims, data }]) => [
      name,
      { dtype: type, shape: dims, data } as unknown as Tensor,
    ]),
  );
}

export const evaluate: Evaluate = (model) => run(model, {});

/** Uniform in [-1, 1), the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

let seeds = 0;

/** A float32 constant of random elements, other ones at each call. */
export function weights(graph: Graph, ...shape: number[]): Value {
  const next = randomFrom(seeds++);
  return graph.float(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next), shape);
}

export type Sizes = Readonly<Record<string, number>>;

const defaults: Sizes = { N: 2, H: 8, W: 12 };

/** Runs a graph on random float32 inputs, the same for graphs of the same inputs. */
export function runGraph(graph: Graph, sizes: Sizes = defaults): Promise<Outputs> {
  const next = randomFrom(7);
  const feeds = graph.inputs.map(({ name, shape }) => {
    const dims = shape.map((dim: Dim) => (typeof dim === 'number' ? dim : (sizes[dim.symbol] ?? 4)));
    const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, next);
    return [name, new OrtTensor('float32', data, dims)] as const;
  });
  return run(writeOnnx(graph), Object.fromEntries(feeds));
}

/** Holds outputs against each other, relative to the largest of each. */
export function expectClose(now: Outputs, before: Outputs, tolerance: number): void {
  expect([...now.keys()]).toEqual([...before.keys()]);
  for (const [name, { shape, data }] of before) {
    expect(now.get(name)?.shape, name).toEqual(shape);
    const wanted = Array.from(data as ArrayLike<number>, Number);
    const got = Array.from((now.get(name)?.data ?? []) as ArrayLike<number>, Number);
    const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    const worst = wanted.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - (got[i] ?? Number.NaN))),
      0,
    );
    expect(worst / scale, name).toBeLessThanOrEqual(tolerance);
  }
}

/** Names, types and shapes of inputs and outputs. */
export function interfaceOf(graph: Graph): unknown {
  return {
    inputs: graph.inputs.map(({ name, dtype, shape }) => [name, dtype, shape]),
    outputs: graph.outputs.map(({ name, value }) => [name, value.dtype, value.shape]),
  };
}

/** A graph of one input `x` and one output `y`; names made inside are what `build` makes of them. */
export function graphOf(
  build: (graph: Graph, x: Value) => Value,
  shape: readonly Dim[] = [2, 4, 8, 12],
): Graph {
  const graph = new Graph('case');
  graph.output('y', build(graph, graph.input('x', 'float32', shape)));
  return graph;
}

/** Operators of the nodes, in order. */
export function operators(graph: Graph): string[] {
  return graph.nodes.map(({ op }) => op.name);
}

/**
 * Applies a pass and expects that it keeps outputs and interface, and that doing it again changes nothing.
 * @param tolerance 0 for what is exact
 */
export async function applied(pass: Pass, graph: Graph, tolerance = 0, sizes?: Sizes): Promise<Graph> {
  const result = await pass.apply(graph, { evaluate });
  expect(interfaceOf(result)).toEqual(interfaceOf(graph));
  if (result !== graph) expectClose(await runGraph(result, sizes), await runGraph(graph, sizes), tolerance);
  const again = await pass.apply(result, { evaluate });
  expect(Buffer.compare(writeOnnx(again), writeOnnx(result))).toBe(0);
  return result;
}
