/**
 * Which convolutions of a graph could be computed on integers, and between which values. Chooses and changes nothing.
 */
import {
  type Attributes,
  Conv,
  DepthToSpace,
  fixedShape,
  type Graph,
  type Links,
  linksOf,
  type Node,
  Pad,
  Relu,
  Resize,
  Transpose,
  type Value,
} from '@cyclegan/graph';
import { follow } from './follow.js';

/** A convolution with constant float32 weights, and the values around it that become 8-bit integers with it. */
export interface Convolution {
  readonly node: Node;
  /** What is quantised on the way in; between it and the convolution there are only nodes that move elements. */
  readonly source: Value;
  /** What is quantised on the way out: the convolution's own output, or what the Relu behind it leaves of that. */
  readonly result: Value;
  readonly weight: Value;
  readonly bias: Value | undefined;
  /**
   * Whether integers would gain nothing: kernels for integers compute sixteen output channels at once, and take as long
   * for three.
   */
  readonly narrow: boolean;
}

/** Output channels that kernels compute at once. */
const LANES = 16;

/** In the graph's order. */
export function convolutionsOf(graph: Graph): Convolution[] {
  const links = linksOf(graph);
  return graph.nodes.flatMap((node) => {
    const [x, weight, bias] = node.inputs;
    const [output] = node.outputs;
    if (node.op !== Conv || !x || x.constant || !output) return [];
    if (!isFloats(weight) || (bias && !isFloats(bias))) return [];
    const { group = 1 } = node.attributes as Attributes<typeof Conv.attributes>;
    const [channels = 0] = weight.shape as readonly number[];
    const reader = links.onlyReader(output);
    const result = reader?.op === Relu ? (reader.outputs[0] ?? output) : output;
    return {
      node,
      source: sourceOf(x, links),
      result,
      weight,
      bias,
      narrow: channels / group < LANES,
    };
  });
}

/** How many multiplications each of them takes for an input of this shape. */
export function multiplications(
  graph: Graph,
  convolutions: readonly Convolution[],
  shape: readonly number[],
): Map<Convolution, number> {
  const outputs = convolutions.flatMap(({ node }) => node.outputs);
  const { places } = follow(graph, outputs, shape);
  const counts = convolutions.map((each, i) => {
    const [, ...window] = each.weight.shape as readonly number[];
    const output = fixedShape(places[i]?.shape ?? [], `quantize ${each.node.name}`);
    return [each, [...window, ...output].reduce((product, size) => product * size, 1)] as const;
  });
  return new Map(counts);
}

function isFloats(value: Value | undefined): value is Value {
  return value?.constant?.dtype === 'float32' && value.constant.data.length > 0;
}

function sourceOf(value: Value, links: Links): Value {
  const mover = links.producer(value);
  const moved = mover && movedBy(mover);
  return moved ? sourceOf(moved, links) : value;
}

/**
 * The input of a node whose output holds nothing but that input's elements, so that it may as well work on integers.
 * Undefined for other nodes.
 */
export function movedBy({ op, inputs, attributes }: Node): Value | undefined {
  const { mode, coordinate_transformation_mode: place } = attributes as Record<string, unknown>;
  const moves =
    op === DepthToSpace ||
    op === Transpose ||
    (op === Pad && (mode === 'reflect' || mode === 'edge')) ||
    (op === Resize && (mode ?? 'nearest') === 'nearest' && place !== 'tf_crop_and_resize');
  return moves ? inputs[0] : undefined;
}
