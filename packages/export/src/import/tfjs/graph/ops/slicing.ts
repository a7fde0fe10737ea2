/** Slices: by begin and size, and by StridedSlice's begin, end, strides and masks. */
import {
  Add,
  Concat,
  Gather,
  type Graph,
  knownElements,
  Slice,
  Unsqueeze,
  type Value,
} from '@cyclegan/graph';
import { asScalar, axisOf, type Call, type Converter, numbers } from '../call.js';

/** Beyond every axis; ONNX cuts it to the axis's size. */
const FAR = 2 ** 31 - 1;

/** One number of a list that the graph may only know when it runs. */
type Bound = number | Value;

/** The i-th of a list of whole numbers: the number where it is known, else int64 [1]. */
function boundAt(graph: Graph, list: Value, i: number): Bound {
  const known = knownElements(list)?.[i];
  return typeof known === 'number' ? known : graph.op(Gather, [list, graph.ints([i])], { axis: 0 });
}

function listOf(graph: Graph, bounds: readonly Bound[]): Value {
  const fixed = bounds.filter((bound) => typeof bound === 'number');
  if (fixed.length === bounds.length) return graph.ints(fixed);
  const parts = bounds.map((bound) => (typeof bound === 'number' ? graph.ints([bound]) : bound));
  return graph.op(Concat, parts, { axis: 0 });
}

interface Cut {
  axis: number;
  start: Bound;
  end: Bound;
  step: number;
}

function sliced(graph: Graph, x: Value, cuts: readonly Cut[]): Value {
  const needed = cuts.filter(({ start, end, step }) => start !== 0 || end !== FAR || step !== 1);
  if (needed.length === 0) return x;
  return graph.op(Slice, [
    x,
    listOf(
      graph,
      needed.map(({ start }) => start),
    ),
    listOf(
      graph,
      needed.map(({ end }) => end),
    ),
    graph.ints(needed.map(({ axis }) => axis)),
    graph.ints(needed.map(({ step }) => step)),
  ]);
}

/** Begin and size; a size of -1 goes to the end. */
function slice(call: Call): Value {
  const { graph } = call;
  const x = call.input(0);
  const cuts = x.shape.map((_, axis): Cut => {
    const start = boundAt(graph, call.input(1), axis);
    const size = boundAt(graph, call.input(2), axis);
    if (size === -1) return { axis, start, end: FAR, step: 1 };
    if (typeof start === 'number' && typeof size === 'number')
      return { axis, start, end: start + size, step: 1 };
    return { axis, start, end: graph.op(Add, [listOf(graph, [start]), listOf(graph, [size])]), step: 1 };
  });
  return sliced(graph, x, cuts);
}

/** What one entry of begin, end and strides does: cut an axis, take one of its elements, or add an axis of size 1. */
interface Entry {
  kind: 'cut' | 'pick' | 'new';
  /** Its place in begin, end and strides. */
  at: number;
}

/** The entries, the ellipsis written out as cuts of whole axes, whose place is -1. */
function entriesOf(call: Call, count: number, rank: number): Entry[] {
  const { attributes, fail } = call;
  const has = (mask: string, i: number) => (Math.floor(attributes.int(mask, 0) / 2 ** i) & 1) === 1;
  const places = Array.from({ length: count }, (_, i) => i);
  const ellipses = places.filter((i) => has('ellipsis_mask', i));
  const made = places.filter((i) => has('new_axis_mask', i) && !ellipses.includes(i)).length;
  const left = rank - (count - made - ellipses.length);
  if (left < 0 || ellipses.length > 1) fail(`expected at most ${rank} axes and one ellipsis`);
  const whole = Array.from({ length: left }, (): Entry => ({ kind: 'cut', at: -1 }));
  const entries = places.flatMap((at): Entry[] => {
    if (ellipses.includes(at)) return whole;
    return [{ at, kind: has('new_axis_mask', at) ? 'new' : has('shrink_axis_mask', at) ? 'pick' : 'cut' }];
  });
  return ellipses.length === 0 ? [...entries, ...whole] : entries;
}

function stridedSlice(call: Call): Value {
  const { graph, attributes } = call;
  const x = call.input(0);
  const strides = numbers(call, 3, 'strides');
  if (strides.length > 32) call.fail('expected at most 32 axes');
  const masked = (mask: string, i: number) => (Math.floor(attributes.int(mask, 0) / 2 ** i) & 1) === 1;
  const entries = entriesOf(call, strides.length, x.shape.length);
  const axes = entries.filter(({ kind }) => kind !== 'new');
  const cuts = axes.flatMap(({ kind, at }, axis): Cut[] => {
    if (kind !== 'cut' || at < 0) return [];
    const step = strides[at] ?? 1;
    if (step === 0) call.fail('expected strides other than 0');
    const [first, last] = step > 0 ? [0, FAR] : [FAR, -FAR];
    const start = masked('begin_mask', at) ? first : boundAt(graph, call.input(1), at);
    const end = masked('end_mask', at) ? last : boundAt(graph, call.input(2), at);
    return [{ axis, start, end, step }];
  });
  let result = sliced(graph, x, cuts);
  // From the last one on, so that the axes before keep their places.
  for (const [axis, { kind, at }] of Array.from(axes.entries()).reverse()) {
    if (kind !== 'pick') continue;
    const index = listOf(graph, [boundAt(graph, call.input(1), at)]);
    result = graph.op(Gather, [result, asScalar(graph, index)], { axis });
  }
  const kept = entries.filter(({ kind }) => kind !== 'pick');
  const added = kept.flatMap(({ kind }, axis) => (kind === 'new' ? [axis] : []));
  return added.length === 0 ? result : graph.op(Unsqueeze, [result, graph.ints(added)]);
}

/** Turns axes round. */
function reverse(call: Call): Value {
  const x = call.input(0);
  const axes = new Set(numbers(call, 1, 'axes').map((axis) => axisOf(call, axis, x.shape.length)));
  return sliced(
    call.graph,
    x,
    Array.from(axes, (axis) => ({ axis, start: FAR, end: -FAR, step: -1 })),
  );
}

export const slices: Readonly<Record<string, Converter>> = {
  ReverseV2: reverse,
  Slice: slice,
  StridedSlice: stridedSlice,
};
