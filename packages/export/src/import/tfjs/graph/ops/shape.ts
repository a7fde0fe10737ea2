/** Shapes, and elements moved without being changed. */
import {
  Concat,
  Expand,
  Gather,
  GatherND,
  type Graph,
  knownElements,
  Range,
  Reshape,
  Shape,
  Size,
  Split,
  Squeeze,
  Tile,
  Unsqueeze,
  type Value,
} from '@cyclegan/graph';
import { transpose } from '../../kernels.js';
import { alike, asScalar, axisOf, type Call, type Converter, castTo, numbers } from '../call.js';

/** All inputs one after another; `axisAt` is the input that says along which axis. */
function concat(call: Call, axisAt: number, values: readonly Value[]): Value {
  const { graph } = call;
  const [first] = values;
  if (!first) return call.fail('expected something to join');
  const [axis = 0] = numbers(call, axisAt, 'an axis');
  const at = axisOf(call, axis, first.shape.length);
  return values.length === 1 ? first : graph.op(Concat, alike(graph, values), { axis: at });
}

function reshape(call: Call): Value {
  const sizes = call.input(1);
  // ONNX takes 0 for "as it was", which here would be an empty tensor.
  if (knownElements(sizes)?.includes(0)) call.fail('expected sizes above 0');
  return call.graph.op(Reshape, [call.input(0), sizes]);
}

function squeeze(call: Call): Value {
  const { graph, attributes } = call;
  const x = call.input(0);
  const given = attributes.ints('squeeze_dims', attributes.ints('axis', []));
  const all = x.shape.flatMap((size, axis) => (size === 1 ? [axis] : []));
  const axes = given.length > 0 ? given.map((axis) => axisOf(call, axis, x.shape.length)) : all;
  return axes.length === 0 ? x : graph.op(Squeeze, [x, graph.ints(axes)]);
}

/** One value of each slice along an axis. */
function unpack(call: Call): Value[] {
  const { graph, attributes } = call;
  const x = call.input(0);
  const axis = axisOf(call, attributes.int('axis', 0), x.shape.length);
  const count = x.shape[axis];
  if (typeof count !== 'number' || count > 4096) return call.fail('expected an axis of a few fixed sizes');
  return Array.from({ length: count }, (_, i) => graph.op(Gather, [x, index(graph, i)], { axis }));
}

function index(graph: Graph, i: number): Value {
  return asScalar(graph, graph.ints([i]));
}

function pack(call: Call): Value {
  const { graph, inputs, attributes } = call;
  const rank = call.input(0).shape.length + 1;
  const axis = axisOf(call, attributes.int('axis', 0), rank);
  const parts = alike(graph, inputs).map((value) => graph.op(Unsqueeze, [value, graph.ints([axis])]));
  return graph.op(Concat, parts, { axis });
}

/** @param sizes as many as outputs; without them the parts are equal */
function split(call: Call, x: Value, axisInput: number, sizes: readonly number[] | undefined): Value[] {
  const { graph, attributes, fail } = call;
  const [given = 0] = numbers(call, axisInput, 'an axis');
  const axis = axisOf(call, given, x.shape.length);
  const total = x.shape[axis];
  if (typeof total !== 'number') return fail('expected an axis of fixed size');
  const count = attributes.int('num_split', 1);
  if (!sizes && !(count >= 1 && count <= 4096 && total % count === 0))
    fail(`expected ${count} equal parts of ${total}`);
  const parts = sizes ?? new Array<number>(count).fill(total / count);
  const rest = total - parts.reduce((sum, size) => sum + Math.max(size, 0), 0);
  return graph.ops(Split, [x, graph.ints(parts.map((size) => (size === -1 ? rest : size)))], { axis });
}

function gather(call: Call): Value {
  const { graph, attributes, input, inputs } = call;
  const [data, indices] = [input(0), input(1)];
  if (attributes.int('batch_dims', 0) !== 0) call.fail('expected batch_dims 0');
  const [axis = 0] = inputs.length > 2 ? numbers(call, 2, 'an axis') : [0];
  return graph.op(Gather, [data, indices], { axis: axisOf(call, axis, data.shape.length) });
}

/** A value of the shape, each of whose elements is the scalar. */
function filled(graph: Graph, like: Value, value: number): Value {
  const scalar = castTo(graph, graph.float(value), like.dtype);
  return graph.op(Expand, [scalar, graph.op(Shape, [like])]);
}

export const shapes: Readonly<Record<string, Converter>> = {
  Concat: (call) => concat(call, 0, call.inputs.slice(1)),
  ConcatV2: (call) => concat(call, call.inputs.length - 1, call.inputs.slice(0, -1)),
  Reshape: reshape,
  Transpose: (call) => {
    const rank = call.input(0).shape.length;
    const perm = numbers(call, 1, 'a permutation').map((axis) => axisOf(call, axis, rank));
    return transpose(call.graph, call.input(0), perm);
  },
  Shape: ({ graph, input }) => graph.op(Shape, [input(0)]),
  Size: ({ graph, input }) => graph.op(Size, [input(0)]),
  Rank: ({ graph, input }) => index(graph, input(0).shape.length),
  ExpandDims: (call) => {
    const [axis = 0] = numbers(call, 1, 'an axis');
    const at = axisOf(call, axis, call.input(0).shape.length + 1);
    return call.graph.op(Unsqueeze, [call.input(0), call.graph.ints([at])]);
  },
  Squeeze: squeeze,
  Pack: pack,
  Unpack: unpack,
  Split: (call) => split(call, call.input(1), 0, undefined),
  SplitV: (call) => split(call, call.input(0), 2, numbers(call, 1, 'sizes')),
  Gather: gather,
  GatherV2: gather,
  GatherNd: ({ graph, input }) => graph.op(GatherND, [input(0), input(1)]),
  Tile: ({ graph, input }) => graph.op(Tile, [input(0), input(1)]),
  BroadcastTo: ({ graph, input }) => graph.op(Expand, [input(0), input(1)]),
  Fill: ({ graph, input }) => graph.op(Expand, [input(1), input(0)]),
  ZerosLike: ({ graph, input }) => filled(graph, input(0), 0),
  OnesLike: ({ graph, input }) => filled(graph, input(0), 1),
  Range: ({ graph, input }) =>
    graph.op(
      Range,
      alike(
        graph,
        [0, 1, 2].map((i) => asScalar(graph, input(i))),
      ),
    ),
};
