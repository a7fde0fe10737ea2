/**
 * Nodes that do nothing, and pairs of nodes of which one does it all. Looks at a node and the one before it alone; what
 * multiplies into weights, moves axes or computes is other passes' work.
 */
import { sameDim, sameShape } from '../dim.js';
import { knownElements } from '../elements.js';
import type { Node, Value } from '../graph.js';
import { Cast, Clip, Gather, Reshape } from '../ops/index.js';
import { type DType, int64 } from '../tensor.js';
import { numberOf, numbersOf, type Pass, type Place, type Rule, rewrite, wouldGive } from './pass.js';

/**
 * Exact to the last bit, but that x + 0 turns −0 into 0.
 *
 * - f(x) = x: Identity, Dropout in inference, Cast to the own type, Concat and Split of one, Clip without bounds, x·1,
 *   x/1, x + 0, x − 0, x¹, Pad by 0, Resize by 1, and what keeps both the order of elements and the shape.
 * - g(f(x)) = g(x): a Reshape after a Reshape, Squeeze, Unsqueeze or Flatten; a Cast after one that lost nothing;
 *   a Gather from a Gather of a vector; f(f(x)) = f(x) for Relu, Abs, Ceil, Floor, Round and Sign; −(−x) = x; Clips by numbers whose ranges meet.
 */
export const simplify: Pass = {
  name: 'clean-up',
  apply: (graph) => rewrite(graph, (place) => withoutEffect(place) ?? pairs[place.node.op.name]?.(place)),
};

const withoutEffect: Rule = ({ node, links, now }) => {
  const kept = effectless[node.op.name]?.(node);
  const [first, ...others] = node.outputs;
  if (!kept || !first || first.dtype !== kept.dtype || !sameShape(first.shape, kept.shape)) return undefined;
  const read = others.some((value) => links.isOutput(value) || links.readers(value).length > 0);
  return read ? undefined : [now(kept)];
};

/** The input that the first output equals, if it is of the same shape; undefined where it is another. */
type Kept = (node: Node) => Value | undefined;

const first: Kept = ({ inputs }) => inputs[0];
const firstIf =
  (holds: (node: Node) => boolean): Kept =>
  (node) =>
    holds(node) ? node.inputs[0] : undefined;
const areAll = (value: Value | undefined, number: number) =>
  numbersOf(value)?.every((each) => each === number) === true;
const second = (number: number) => firstIf(({ inputs }) => areAll(inputs[1], number));
const either =
  (number: number): Kept =>
  ({ inputs: [a, b] }) =>
    areAll(b, number) ? a : areAll(a, number) ? b : undefined;

const effectless: Readonly<Record<string, Kept>> = {
  Identity: first,
  Cast: first,
  Reshape: first,
  Flatten: first,
  Squeeze: first,
  Unsqueeze: first,
  Expand: first,
  Tile: first,
  Concat: firstIf(({ inputs }) => inputs.length === 1),
  Split: firstIf(({ outputs }) => outputs.length === 1),
  Dropout: first,
  Clip: firstIf(({ inputs }) => !inputs[1] && !inputs[2]),
  // The same size may also be a line read backwards.
  Slice: firstIf(({ inputs }) => !inputs[4] || numbersOf(inputs[4])?.every((step) => step > 0) === true),
  // The same size may also be a border cut off on one side and added on the other.
  Pad: second(0),
  // The same size may also be a scale of 1.2, rounded down.
  Resize: firstIf(
    ({ inputs, attributes }) =>
      attributes['coordinate_transformation_mode'] !== 'tf_crop_and_resize' &&
      (inputs[3] !== undefined || areAll(inputs[2], 1)),
  ),
  Mul: either(1),
  Add: either(0),
  Div: second(1),
  Sub: second(0),
  Pow: second(1),
};

/** Operators that give their input's elements in the same order in another shape. */
const reshapes = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);

const reshapeTwice: Rule = (place) => {
  const { node, links, now, put } = place;
  const before = links.producer(node.inputs[0]);
  const [x, y] = [before?.inputs[0], node.outputs[0]];
  if (!before || !x || !y || !reshapes.has(before.op.name)) return undefined;
  if (sameShape(x.shape, y.shape)) return [now(x)];
  if (node.op.name !== 'Reshape' || node.attributes['allowzero']) return undefined;
  const target = targetFor(place, x);
  if (!target || !wouldGive(y, Reshape, [now(x), target])) return undefined;
  return put(Reshape, [now(x), target]);
};

/** The sizes of a Reshape for another input: a 0 stands for the input's own size there, which may not be the same. */
function targetFor({ node, graph, now }: Place, x: Value): Value | undefined {
  const [sizes, y] = [node.inputs[1], node.outputs[0]];
  const elements = knownElements(sizes);
  if (!sizes || !y || !elements) return undefined;
  if (!elements.includes(0)) return now(sizes);
  const resolved = elements.map((size, i) => {
    const [dim, own] = [y.shape[i], x.shape[i]];
    if (size !== 0) return size;
    if (typeof dim === 'number') return dim;
    return dim && own && sameDim(dim, own) ? 0 : undefined;
  });
  const numbers = resolved.filter((size) => typeof size === 'number');
  return numbers.length === resolved.length ? graph.ints(numbers) : undefined;
}

/** From a list of places of a vector: the places themselves. */
const gatherTwice: Rule = ({ graph, node, links, now, put }) => {
  const before = links.producer(node.inputs[0]);
  const [x, places] = [before?.inputs[0], numbersOf(before?.inputs[1])];
  const [, wanted] = node.inputs;
  const list = numbersOf(wanted);
  const vectors = x?.shape.length === 1 && before?.inputs[1]?.shape.length === 1;
  if (before?.op !== Gather || !x || !places || !wanted?.constant || !list || !vectors) return undefined;
  const composed = list.map((at) => places[at < 0 ? at + places.length : at]);
  const known = composed.filter((at) => at !== undefined);
  if (known.length !== list.length) return undefined;
  return put(Gather, [now(x), graph.constant(int64(known, wanted.constant.shape))], node.attributes);
};

/** f after f is f. */
const idempotent: Rule = ({ node, links, inputs: [x] }) =>
  links.producer(node.inputs[0])?.op === node.op ? [x] : undefined;

const negateTwice: Rule = ({ node, links, now }) => {
  const before = links.producer(node.inputs[0]);
  return before?.op === node.op && before.inputs[0] ? [now(before.inputs[0])] : undefined;
};

/** Types whose every value the type can hold. */
const holds: Partial<Record<DType, readonly DType[]>> = {
  float16: ['int8', 'uint8', 'bool'],
  float32: ['float16', 'int8', 'uint8', 'bool'],
  float64: ['float32', 'float16', 'int32', 'int8', 'uint8', 'bool'],
  int32: ['int8', 'uint8', 'bool'],
  int64: ['int32', 'int8', 'uint8', 'bool'],
  int8: ['bool'],
  uint8: ['bool'],
};

const castTwice: Rule = ({ node, links, now, put }) => {
  const before = links.producer(node.inputs[0]);
  const [x, between, y] = [before?.inputs[0], before?.outputs[0], node.outputs[0]];
  if (before?.op !== Cast || !x || !y || !between || !holds[between.dtype]?.includes(x.dtype))
    return undefined;
  // What does not fit an integer is cut off by a Cast from integers, and undefined by one from floats.
  const fits =
    y.dtype === x.dtype || /float|bool/.test(x.dtype + y.dtype) || holds[y.dtype]?.includes(x.dtype);
  if (!fits) return undefined;
  return put(Cast, [now(x)], node.attributes);
};

/** Clip(Clip(x)) = Clip(x) to what both ranges share; where they share nothing, the later bound wins: left alone. */
const clipTwice: Rule = ({ graph, node, links, now, put }) => {
  const before = links.producer(node.inputs[0]);
  const x = before?.inputs[0];
  if (before?.op !== Clip || !x || x.dtype !== 'float32') return undefined;
  const bounds = [before, node].map(({ inputs: [, low, high] }) => ({
    low: low ? numberOf(low) : Number.NEGATIVE_INFINITY,
    high: high ? numberOf(high) : Number.POSITIVE_INFINITY,
  }));
  const low = Math.max(...bounds.map((bound) => bound.low ?? Number.NaN));
  const high = Math.min(...bounds.map((bound) => bound.high ?? Number.NaN));
  if (!(low <= high)) return undefined;
  const bound = (number: number) => (Number.isFinite(number) ? graph.float(number) : undefined);
  return put(Clip, [now(x), bound(low), bound(high)]);
};

const pairs: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(['Relu', 'Abs', 'Ceil', 'Floor', 'Round', 'Sign'].map((name) => [name, idempotent])),
  ...Object.fromEntries([...reshapes].map((name) => [name, reshapeTwice])),
  Gather: gatherTwice,
  Neg: negateTwice,
  Cast: castTwice,
  Clip: clipTwice,
};
