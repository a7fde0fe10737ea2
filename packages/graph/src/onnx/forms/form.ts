/**
 * What becomes of a node of another opset, so that it is one of opset 17's: the interface of the table in index.ts, and
 * what its entries share. Reads no bytes.
 */
import type { Shape as Dims } from '../../dim.js';
import { knownElements } from '../../elements.js';
import type { Graph, Value } from '../../graph.js';
import type { Attributes, AttributeTypes, OpDefinition } from '../../op-definition.js';
import { Cast, Concat, Gather, Shape } from '../../ops/index.js';
import { onnxTypes } from '../../ops/logic.js';

/** The attribute types that files have. */
export interface FileAttributeTypes extends AttributeTypes {
  floats: readonly number[];
}

export type FileAttribute = FileAttributeTypes[keyof FileAttributeTypes];

/** A node as its file has it. */
export interface FileNode {
  readonly graph: Graph;
  /** The file's. */
  readonly opset: number;
  readonly inputs: readonly (Value | undefined)[];
  /** Only those that the operator has now or in another opset, and of the right type. */
  readonly attributes: Readonly<Record<string, FileAttribute | undefined>>;
  /** How many outputs are wanted: trailing ones that nothing reads are not counted. */
  readonly outputs: number;
  /** Throws a GraphError that names operator and node. */
  fail(message: string): never;
}

/** A node of opset 17 to be placed, with the file's names. */
export interface Placed {
  readonly op: OpDefinition;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
}

export interface Form {
  /** Attributes that other opsets have, beside those of the operator as it is here. */
  readonly attributes?: Readonly<Record<string, keyof FileAttributeTypes>>;
  /** Nodes put in by an entry come before the one that it returns; or it returns the outputs of its own. */
  bring(node: FileNode): Placed | readonly Value[];
}

/** An attribute of a kind that the table has declared. */
export function attributeOf<K extends keyof FileAttributeTypes>(
  { attributes }: FileNode,
  name: string,
  // Says the type, as the reader has checked it.
  _kind: K,
): FileAttributeTypes[K] | undefined {
  return attributes[name] as FileAttributeTypes[K] | undefined;
}

/** The attributes without those named. */
export function without({ attributes }: FileNode, ...names: string[]): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => !names.includes(name)),
  ) as Attributes;
}

/** A list that older opsets had as an attribute, as the input that it is now. */
export function asInput(node: FileNode, name: string): Value | undefined {
  const list = attributeOf(node, name, 'ints');
  return list && node.graph.ints(list);
}

/** An input's elements as numbers, where older opsets have an attribute. */
export function asNumbers(node: FileNode, i: number, what: string): readonly number[] | undefined {
  const input = node.inputs[i];
  if (!input) return undefined;
  const elements = knownElements(input)?.filter((element) => typeof element === 'number');
  const all = elements && input.shape.every((dim) => typeof dim === 'number' && dim === elements.length);
  return all ? elements : node.fail(`expected constant ${what}`);
}

/** The value in the element type of `like`. */
export function ofType({ graph }: FileNode, value: Value, like: Value): Value {
  return value.dtype === like.dtype ? value : graph.op(Cast, [value], { to: onnxTypes[like.dtype] });
}

/** A scalar in the element type of `like`. */
export function scalarLike(node: FileNode, value: number, like: Value): Value {
  return ofType(node, node.graph.float(value), like);
}

/**
 * A list for some axes (from opset 18) as one for all of them.
 * @param blank what stands for the axes that are not among them; the sizes of the input where undefined
 */
export function forAllAxes(
  node: FileNode,
  list: Value,
  axes: readonly number[],
  x: Value,
  blank: Value | undefined,
): Value {
  const { graph } = node;
  const at = axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis));
  if (!fits(list.shape, at.length) || at.some((axis) => !(axis in x.shape))) {
    node.fail(`expected an element for each of the axes [${axes.join(', ')}]`);
  }
  const [listed, fill] = [knownElements(list), knownElements(blank)?.[0]];
  const known = x.shape.map((_, axis) => listed?.[at.indexOf(axis)] ?? fill);
  if (known.every((element) => typeof element === 'number')) {
    return list.dtype === 'int64' ? graph.ints(known) : graph.float(known);
  }
  const parts = x.shape.map((_, axis) => {
    const place = at.indexOf(axis);
    if (place >= 0) return graph.op(Gather, [list, graph.ints([place])]);
    return blank ?? graph.op(Shape, [x], { start: axis, end: axis + 1 });
  });
  return graph.op(Concat, parts, { axis: 0 });
}

function fits(shape: Dims, length: number): boolean {
  return shape.length === 1 && shape[0] === length;
}
