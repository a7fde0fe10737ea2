/** The graph package's passes, with onnxruntime to compute what is constant. */
import { type Graph, type OptimizeTable, optimize as run } from '@cyclegan/graph';
import { evaluate } from './ort/evaluate.js';

/**
 * Makes a graph smaller and faster that computes the same, to float32's rounding. Inputs, outputs, their names and
 * shapes stay.
 * @returns a graph that shares constants' data with the one given, and what was done
 * @throws GraphError for constants that cannot be computed; the signal's reason when it is aborted
 */
export function optimize(
  graph: Graph,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<{ graph: Graph; table: OptimizeTable }> {
  const { signal } = options;
  return run(graph, { evaluate, ...(signal && { signal }) });
}
