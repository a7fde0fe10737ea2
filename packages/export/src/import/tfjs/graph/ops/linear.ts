/** Matrix products. */
import { Einsum, type Graph, MatMul, type Value } from '@cyclegan/graph';
import { transpose } from '../../kernels.js';
import type { Call, Converter } from '../call.js';
import { fused } from './convolution.js';

function product({ graph, input }: Call, turnA: boolean, turnB: boolean): Value {
  return graph.op(MatMul, [
    turnA ? turned(graph, input(0)) : input(0),
    turnB ? turned(graph, input(1)) : input(1),
  ]);
}

/** With the last two axes swapped. */
function turned(graph: Graph, x: Value): Value {
  const rank = x.shape.length;
  const axes = Array.from({ length: rank }, (_, i) => i);
  return transpose(graph, x, [...axes.slice(0, -2), rank - 1, rank - 2]);
}

const matMul: Converter = (call) =>
  product(call, call.attributes.bool('transpose_a', false), call.attributes.bool('transpose_b', false));
const batchMatMul: Converter = (call) =>
  product(call, call.attributes.bool('adj_x', false), call.attributes.bool('adj_y', false));

export const products: Readonly<Record<string, Converter>> = {
  MatMul: matMul,
  _FusedMatMul: (call) => fused(call, matMul(call) as Value, 2),
  BatchMatMul: batchMatMul,
  BatchMatMulV2: batchMatMul,
  Einsum: ({ graph, inputs, attributes }) =>
    graph.op(Einsum, inputs, { equation: attributes.string('equation', '') }),
};
