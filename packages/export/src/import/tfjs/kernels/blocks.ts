/** Between depth, batch and space: blocks of pixels moved to channels or samples and back. */
import {
  Concat,
  DepthToSpace,
  Div,
  Gather,
  type Graph,
  Mul,
  Pad,
  Reshape,
  Shape,
  Slice,
  Sub,
  type Value,
} from '@cyclegan/graph';
import { channelsSecond, type Layout, transpose } from './layout.js';
import { type Pair, sizesValue } from './window.js';

/** x [N, H, W, C · b²] → [N, H · b, W · b, C]; the channels are ordered (row in block, column in block, C). */
export function depthToSpace(graph: Graph, x: Value, blocksize: number, layout: Layout = 'NHWC'): Value {
  return channelsSecond(graph, x, layout, (nchw) =>
    graph.op(DepthToSpace, [nchw], { blocksize, mode: 'DCR' }),
  );
}

/** Four numbers, or int64 [4] of a running graph: [top, bottom, left, right], as TensorFlow writes [[top, bottom], …]. */
type Margins = readonly [number, number, number, number] | Value;

export interface BlockOptions {
  /** Of height and width. */
  block: Pair;
  /** What SpaceToBatchND adds before, or BatchToSpaceND takes away after. */
  margins: Margins;
}

/** x [N, H, W, C] → [bh · bw · N, H' / bh, W' / bw, C]: each sample's every bh-th row and bw-th column apart. */
export function spaceToBatch(graph: Graph, x: Value, { block: [bh, bw], margins }: BlockOptions): Value {
  const edges = sizesValue(graph, margins);
  const zero = graph.ints([0]);
  const pick = (index: number) => graph.op(Gather, [edges, graph.ints([index])], { axis: 0 });
  const pads = [zero, pick(0), pick(2), zero, zero, pick(1), pick(3), zero];
  const padded = graph.op(Pad, [x, graph.op(Concat, pads, { axis: 0 })]);
  const size = sizesReader(graph, padded);
  const rows = graph.op(Div, [size(1), graph.ints([bh])]);
  const columns = graph.op(Div, [size(2), graph.ints([bw])]);
  const split = [size(0), rows, graph.ints([bh]), columns, graph.ints([bw]), size(3)];
  const blocks = graph.op(Reshape, [padded, graph.op(Concat, split, { axis: 0 })]);
  const moved = transpose(graph, blocks, [2, 4, 0, 1, 3, 5]);
  const samples = graph.op(Mul, [size(0), graph.ints([bh * bw])]);
  const joined = graph.op(Concat, [samples, rows, columns, size(3)], { axis: 0 });
  return graph.op(Reshape, [moved, joined]);
}

/** The inverse of {@link spaceToBatch}: x [bh · bw · N, H, W, C] → [N, bh · H − margins, bw · W − margins, C]. */
export function batchToSpace(graph: Graph, x: Value, { block: [bh, bw], margins }: BlockOptions): Value {
  const size = sizesReader(graph, x);
  const samples = graph.op(Div, [size(0), graph.ints([bh * bw])]);
  const split = [graph.ints([bh]), graph.ints([bw]), samples, size(1), size(2), size(3)];
  const blocks = graph.op(Reshape, [x, graph.op(Concat, split, { axis: 0 })]);
  const moved = transpose(graph, blocks, [2, 3, 0, 4, 1, 5]);
  const rows = graph.op(Mul, [size(1), graph.ints([bh])]);
  const columns = graph.op(Mul, [size(2), graph.ints([bw])]);
  const joined = graph.op(Reshape, [moved, graph.op(Concat, [samples, rows, columns, size(3)], { axis: 0 })]);
  return crop(graph, joined, margins, [rows, columns]);
}

/** Takes the margins from an NHWC tensor. */
function crop(graph: Graph, x: Value, margins: Margins, [rows, columns]: readonly [Value, Value]): Value {
  const edges = sizesValue(graph, margins);
  const pick = (index: number) => graph.op(Gather, [edges, graph.ints([index])], { axis: 0 });
  const starts = graph.op(Concat, [pick(0), pick(2)], { axis: 0 });
  const ends = graph.op(Concat, [graph.op(Sub, [rows, pick(1)]), graph.op(Sub, [columns, pick(3)])], {
    axis: 0,
  });
  return graph.op(Slice, [x, starts, ends, graph.ints([1, 2])]);
}

/** Each size as int64 [1]. */
function sizesReader(graph: Graph, x: Value): (axis: number) => Value {
  const shape = graph.op(Shape, [x]);
  return (axis) => graph.op(Gather, [shape, graph.ints([axis])], { axis: 0 });
}
