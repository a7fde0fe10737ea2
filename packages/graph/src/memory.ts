/**
 * How much memory a graph's tensors take while it runs, told from their shapes and from when each is read last. What a
 * runtime's allocator adds to it is not known here. Runs nothing.
 */
import { fixedShape } from './dim.js';
import type { Graph, Value } from './graph.js';
import { type DType, dtypeArrays } from './tensor.js';

/**
 * The most bytes that are held at once when the nodes run in their order and each tensor is freed after its last
 * reader. Inputs and outputs count to the end; constants do not count.
 * @param graph every shape fixed, without subgraphs
 * @throws GraphError for a shape that is known at run time only
 */
export function peakBytes(graph: Graph): number {
  const kept = new Set([...graph.inputs, ...graph.outputs.map(({ value }) => value)]);
  const lastUse = new Map<Value, number>();
  for (const [at, { inputs, outputs }] of graph.nodes.entries()) {
    for (const value of [...inputs, ...outputs]) {
      if (value && !value.constant && !kept.has(value)) lastUse.set(value, at);
    }
  }
  const freed: Value[][] = graph.nodes.map(() => []);
  for (const [value, at] of lastUse) freed[at]?.push(value);

  let held = totalBytes(graph.inputs);
  let peak = held;
  for (const [at, { outputs }] of graph.nodes.entries()) {
    held += totalBytes(outputs);
    peak = Math.max(peak, held);
    held -= totalBytes(freed[at] ?? []);
  }
  return peak;
}

function totalBytes(values: readonly Value[]): number {
  return values.reduce(
    (sum, { dtype, shape, name }) => sum + bytesOf(dtype) * elements(fixedShape(shape, name)),
    0,
  );
}

const elements = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1);
const bytesOf = (dtype: DType) => dtypeArrays[dtype].prototype.BYTES_PER_ELEMENT;
