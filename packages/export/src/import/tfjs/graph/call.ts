/** One TensorFlow node's turn: its inputs as values of the graph being built, its attributes, and how it is refused. */
import { Cast, type DType, type Graph, knownElements, onnxTypes, Reshape, type Value } from '@cyclegan/graph';
import type { Layout, Padding } from '../kernels.js';
import type { NodeAttributes } from './attributes.js';
import type { TfNode } from './topology.js';

/** What converters are given. */
export interface Call {
  readonly graph: Graph;
  readonly node: TfNode;
  readonly attributes: NodeAttributes;
  /** All inputs there are. */
  readonly inputs: readonly Value[];
  /** Refuses the node for an input that is not there. */
  input(i: number): Value;
  /** The node's i-th input's maker, whose own turn is over. */
  producer(i: number): Call | undefined;
  /** Throws a CycleganError that names file, node and operator. */
  fail(sentence: string): never;
}

/** Makes the node's outputs, or its only one. */
export type Converter = (call: Call) => Value | readonly Value[];

/** An input's elements as numbers. Refuses the node where the running graph decides them. */
export function numbers(call: Call, i: number, what: string): number[] {
  const elements = knownElements(call.input(i));
  return (
    elements?.map((dim) =>
      typeof dim === 'number' ? dim : call.fail(`expected ${what} that are constant`),
    ) ?? call.fail(`expected ${what} that are constant`)
  );
}

/** An axis counted from the front. */
export function axisOf(call: Call, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  return positive >= 0 && positive < rank ? positive : call.fail(`expected an axis of ${rank}, got ${axis}`);
}

export function castTo(graph: Graph, value: Value, dtype: DType): Value {
  return value.dtype === dtype ? value : graph.op(Cast, [value], { to: onnxTypes[dtype] });
}

/** Whole numbers become floats where they meet floats, as in tfjs. */
export function alike(graph: Graph, values: readonly Value[]): Value[] {
  const types = new Set(values.map(({ dtype }) => dtype));
  const common = types.has('float32') ? 'float32' : types.has('int64') ? 'int64' : 'bool';
  return values.map((value) => castTo(graph, value, common));
}

/** A scalar from a list of one. */
export function asScalar(graph: Graph, value: Value): Value {
  return value.shape.length === 0 ? value : graph.op(Reshape, [value, graph.ints([])]);
}

/** The attribute data_format. */
export function layoutOf({ attributes, fail }: Call): Layout {
  const layout = attributes.string('data_format', 'NHWC').toUpperCase();
  return layout === 'NHWC' || layout === 'NCHW' ? layout : fail(`expected NHWC or NCHW, got ${layout}`);
}

/** Height's and width's numbers among a list of one number for each axis. */
export function spatialPair({ fail }: Call, list: readonly number[], layout: Layout): [number, number] {
  const [height, width] = layout === 'NHWC' ? [list[1], list[2]] : [list[2], list[3]];
  return height !== undefined && width !== undefined && height >= 1 && width >= 1
    ? [height, width]
    : fail(`expected four numbers from 1, got [${list.join(', ')}]`);
}

/** The attributes padding and explicit_paddings. */
export function paddingOf(call: Call, layout: Layout): Padding {
  const { attributes, fail } = call;
  const padding = attributes.string('padding', '').toUpperCase();
  if (padding === 'SAME' || padding === 'VALID') return padding;
  const list = attributes.ints('explicit_paddings', []);
  if (padding !== 'EXPLICIT' || list.length !== 8)
    fail(`expected padding SAME, VALID or EXPLICIT, got ${padding}`);
  const [a = 0, b = 0, c = 0, d = 0] = layout === 'NHWC' ? list.slice(2, 6) : list.slice(4, 8);
  return [a, c, b, d];
}
