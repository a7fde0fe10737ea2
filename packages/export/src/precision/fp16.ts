/**
 * A float32 graph in half precision. What is in the two kinds of files is fp16-weights.ts's and fp16-full.ts's. Inputs
 * and outputs stay float32.
 */
import type { Graph } from '@cyclegan/graph';
import { CycleganError } from '@cyclegan/runtime-core';
import { arithmeticInHalf } from './fp16-full.js';
import { weightsInHalf } from './fp16-weights.js';

export interface Fp16Options {
  /**
   * `weights`: the file is half as large, and computes in float32 as fast and as exactly as those weights allow. For
   * CPUs and for downloads. `full`: computes in half precision but for statistics. For GPUs.
   */
  mode: 'weights' | 'full';
}

export interface Fp16Report {
  /** Constants that became halves. */
  tensors: number;
  /** Of their numbers, those nearer to zero than half precision reaches, which became ±6e-8. */
  tooSmall: number;
  /** Those beyond ±65504, which became that. With `weights` such a tensor stays float32 as a whole. */
  tooLarge: number;
}

/**
 * @returns a new graph with the same inputs and outputs; the one given is not changed. Of a graph that is in half
 * precision already, an equal one.
 * @throws CycleganError `bundle` for a graph that is quantised, or that has graphs within it
 */
export function toFp16(graph: Graph, { mode }: Fp16Options): { graph: Graph; report: Fp16Report } {
  const odd = graph.nodes.find(
    ({ op, attributes }) =>
      op.name === 'QuantizeLinear' ||
      op.name === 'DequantizeLinear' ||
      Object.keys(attributes).some((key) => op.attributes[key] === 'graph'),
  );
  if (odd) {
    throw new CycleganError(
      'bundle',
      `[fp16] ${graph.name}: expected a float32 model without loops and branches, got ${odd.op.name} ${odd.name}. Take the float32 model that it was made of.`,
    );
  }
  return mode === 'weights' ? weightsInHalf(graph) : arithmeticInHalf(graph);
}
