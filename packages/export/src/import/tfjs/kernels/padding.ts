/** Padding in any layout: pads are one pair an axis, as TensorFlow writes them. */
import { Concat, Gather, type Graph, Pad, type Value } from '@cyclegan/graph';

/** Before and after, of each axis. */
export type AxisPads = readonly (readonly [number, number])[];

function onnxPads(pads: AxisPads): number[] {
  return [...pads.map(([before]) => before), ...pads.map(([, after]) => after)];
}

/** @param value default 0 @throws GraphError where there is not one pair an axis */
export function constantPad(graph: Graph, x: Value, pads: AxisPads, value = 0): Value {
  if (pads.flat().every((n) => n === 0)) return x;
  return graph.op(Pad, [x, graph.ints(onnxPads(pads)), ...(value === 0 ? [] : [graph.float(value)])]);
}

/**
 * @param mode REFLECT shows the edge once, SYMMETRIC twice
 * @throws GraphError where there is not one pair an axis, or a pad is wider than the tensor
 */
export function mirrorPad(graph: Graph, x: Value, pads: AxisPads, mode: 'REFLECT' | 'SYMMETRIC'): Value {
  if (mode === 'REFLECT') return graph.op(Pad, [x, graph.ints(onnxPads(pads))], { mode: 'reflect' });
  return pads.reduce((padded, [before, after], axis) => {
    const edge = (indices: number[]) =>
      indices.length === 0 ? [] : [graph.op(Gather, [padded, graph.ints(indices)], { axis })];
    const parts = [
      ...edge(Array.from({ length: before }, (_, i) => before - 1 - i)),
      padded,
      ...edge(Array.from({ length: after }, (_, i) => -1 - i)),
    ];
    return parts.length === 1 ? padded : graph.op(Concat, parts, { axis });
  }, x);
}
