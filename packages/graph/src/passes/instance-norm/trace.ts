/** Follows one normalisation from its mean through the nodes that read it, and finds where it ends. Changes no graph. */
import { type Shape, sameShape } from '../../dim.js';
import type { Node, Value } from '../../graph.js';
import type { Links } from '../../rebuild.js';
import { alongChannels } from '../channel-affine.js';
import { numberOf } from '../pass.js';
import {
  add,
  type Form,
  hasPixels,
  isCentred,
  multiply,
  normalised,
  type Sum,
  sumOf,
  uniform,
} from './form.js';

/** What is normalised, and how. */
export interface Normalisation {
  /** Float32, of four axes and any number of axes of size 1. */
  readonly x: Value;
  /** Reduced, from the front. */
  readonly axes: readonly number[];
  readonly channelAxis: number;
  readonly channels: number;
}

/** A value that is scale·(x − μ)/σ + bias. */
export interface Result {
  readonly node: Node;
  readonly scale: Float64Array;
  readonly bias: Float64Array;
  readonly epsilon: number;
}

/** The normalisation that a node may take the mean for; undefined for a mean over other axes. */
export function normalisationOf(node: Node): Normalisation | undefined {
  const [x] = node.inputs;
  const axes = x && reducedAxes(node);
  if (!x || !axes || x.dtype !== 'float32' || x.constant) return undefined;
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  // Of several axes that may hold the channels all but one are of size 1.
  const [channelAxis = kept[1], ...others] = kept.slice(1).filter((axis) => x.shape[axis] !== 1);
  const channels = x.shape[channelAxis ?? -1];
  if (kept[0] !== 0 || channelAxis === undefined || others.length > 0 || typeof channels !== 'number') {
    return undefined;
  }
  return { x, axes, channelAxis, channels };
}

function reducedAxes({ op, inputs, attributes }: Node): number[] | undefined {
  if (op.name !== 'ReduceMean') return undefined;
  const { axes } = attributes as { axes?: readonly number[] };
  const rank = inputs[0]?.shape.length ?? 0;
  return axes?.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
}

/** Several times what the longest form takes. */
const mostNodes = 100;

/** Where the normalisation ends, if what it computes on the way there is not wanted by others. */
export function trace(normalisation: Normalisation, links: Links): Result[] {
  const { x, channels } = normalisation;
  const tracer = new Tracer(normalisation);
  tracer.forms.set(x, sumOf('x', new Float64Array(channels).fill(1)));
  const described = new Map<Value, Node>();
  const open = [...links.readers(x)];
  for (let node = open.pop(); node && described.size < mostNodes; node = open.pop()) {
    const y = node.outputs[0];
    const form = y && !described.has(y) ? tracer.formOf(node) : undefined;
    if (!y || !form) continue;
    tracer.forms.set(y, form);
    described.set(y, node);
    for (const reader of links.readers(y)) open.push(reader);
  }
  const results = new Map<Value, Result>();
  for (const [value, node] of described) {
    const done = isDone(value, x, tracer);
    const further = links
      .readers(value)
      .every(({ outputs }) => outputs.some((each) => isDone(each, x, tracer)));
    const ends = links.isOutput(value) || !further;
    if (done && ends) results.set(value, { node, ...done, epsilon: tracer.epsilon ?? 0 });
  }
  return isPrivate(results, described, links) ? [...results.values()] : [];
}

function isDone(value: Value, x: Value, { forms }: Tracer) {
  const form = forms.get(value);
  return form && sameShape(value.shape, x.shape) ? normalised(form) : undefined;
}

/** Whether what leads to the results is read on the way there alone. */
function isPrivate(
  results: ReadonlyMap<Value, Result>,
  described: ReadonlyMap<Value, Node>,
  links: Links,
): boolean {
  const leading = new Set<Node>();
  const open = [...results.values()].map(({ node }) => node);
  for (let node = open.pop(); node; node = open.pop()) {
    if (leading.has(node)) continue;
    leading.add(node);
    for (const value of node.inputs) {
      const maker = value && described.get(value);
      if (maker) open.push(maker);
    }
  }
  return [...leading].every((node) =>
    node.outputs.every(
      (value) =>
        results.has(value) ||
        (!links.isOutput(value) && links.readers(value).every((reader) => leading.has(reader))),
    ),
  );
}

class Tracer {
  readonly forms = new Map<Value, Form>();
  /** Of the one deviation that is divided by. */
  epsilon: number | undefined;
  readonly #of: Normalisation;

  constructor(normalisation: Normalisation) {
    this.#of = normalisation;
  }

  formOf(node: Node): Form | undefined {
    const [a, b] = node.inputs;
    const rank = node.outputs[0]?.shape.length ?? 0;
    const [first, second] = [this.#operand(a, rank), this.#operand(b, rank)];
    const sums = first?.kind === 'sum' && second?.kind === 'sum';
    switch (node.op.name) {
      case 'ReduceMean':
        return this.#mean(node, first);
      case 'Neg':
        return first?.kind === 'sum' ? add({ kind: 'sum', factors: {} }, first, -1) : undefined;
      case 'Add':
        return sums ? add(first, second, 1) : (widened(first, second) ?? widened(second, first));
      case 'Sub':
        return sums ? add(first, second, -1) : undefined;
      case 'Mul':
        if (a === b && first?.kind === 'sum' && isCentred(first)) return { kind: 'square' };
        return sums ? multiply(first, second) : undefined;
      case 'Div':
        return first?.kind === 'sum' && second ? this.#quotient(first, second) : undefined;
      case 'Pow':
        return first && this.#power(first, numberOf(b));
      case 'Sqrt':
        return first && this.#power(first, 0.5);
      case 'Reciprocal':
        return first && this.#power(first, -1);
      case 'Reshape':
      case 'Squeeze':
      case 'Unsqueeze':
        // Statistics without their axes of size 1, or with them again.
        return first && !hasPixels(first) && sameBesideOnes(node) ? first : undefined;
      default:
        return undefined;
    }
  }

  #operand(value: Value | undefined, rank: number): Form | undefined {
    const known = value && this.forms.get(value);
    if (known || !value?.constant) return known;
    const { channels, channelAxis, x } = this.#of;
    const axis = rank === x.shape.length ? channelAxis : 1;
    const factors = rank > 0 ? alongChannels(value, rank, axis, channels) : undefined;
    return factors && sumOf('one', factors);
  }

  #mean(node: Node, form: Form | undefined): Form | undefined {
    const { axes, channels, x } = this.#of;
    if (reducedAxes(node)?.join() !== axes.join() || node.inputs[0]?.shape.length !== x.shape.length) {
      return undefined;
    }
    if (form?.kind === 'square') return { kind: 'variance', epsilon: 0 };
    return node.inputs[0] === x ? sumOf('mean', new Float64Array(channels).fill(1)) : undefined;
  }

  #quotient(a: Sum, b: Form): Form | undefined {
    if (b.kind === 'deviation') return multiply(a, this.#inverse(b.epsilon) ?? a);
    if (b.kind === 'variance') return uniform(a) === 1 ? this.#power(b, -1) : undefined;
    if (b.kind !== 'sum') return undefined;
    const { one, ...others } = b.factors;
    if (!one || Object.keys(others).length > 0 || one.some((value) => value === 0)) return undefined;
    return multiply(
      a,
      sumOf(
        'one',
        one.map((value) => 1 / value),
      ),
    );
  }

  #power(form: Form, exponent: number | undefined): Form | undefined {
    if (exponent === 2) return form.kind === 'sum' && isCentred(form) ? { kind: 'square' } : undefined;
    if (form.kind === 'variance') {
      if (exponent === 0.5) return { ...form, kind: 'deviation' };
      if (exponent === -1) return { ...form, kind: 'inverseVariance' };
      return exponent === -0.5 ? this.#inverse(form.epsilon) : undefined;
    }
    const inverts =
      (form.kind === 'deviation' && exponent === -1) || (form.kind === 'inverseVariance' && exponent === 0.5);
    return inverts ? this.#inverse(form.epsilon) : undefined;
  }

  /** 1/σ; a second one with another ε is none of this normalisation's. */
  #inverse(epsilon: number): Sum | undefined {
    this.epsilon ??= epsilon;
    if (epsilon !== this.epsilon) return undefined;
    return sumOf('inv', new Float64Array(this.#of.channels).fill(1));
  }
}

/** σ² with more added to it. */
function widened(variance: Form | undefined, more: Form | undefined): Form | undefined {
  const number = more?.kind === 'sum' ? uniform(more) : undefined;
  if (variance?.kind !== 'variance' || number === undefined) return undefined;
  return { kind: 'variance', epsilon: variance.epsilon + number };
}

function sameBesideOnes({ inputs, outputs }: Node): boolean {
  const [from, to] = [inputs[0]?.shape ?? [], outputs[0]?.shape ?? []].map((shape: Shape) =>
    shape.filter((dim) => dim !== 1),
  );
  return sameShape(from ?? [], to ?? []);
}
