/**
 * What a pass is, and the small things that all passes are written with: one sweep over a graph that replaces nodes,
 * and the reading of constants. No pass itself.
 */
import { sameShape } from '../dim.js';
import { GraphError } from '../errors.js';
import type { Graph, Value } from '../graph.js';
import type { AttributeSchema, Attributes, OpDefinition } from '../op-definition.js';
import type * as operators from '../ops/index.js';
import { type Links, linksOf, rebuild, type Turn } from '../rebuild.js';
import { type Tensor, toNumbers } from '../tensor.js';
import { prune } from './prune.js';

/**
 * Runs a graph without inputs.
 * @param model ONNX bytes
 * @returns the outputs by name
 */
export type Evaluate = (model: Uint8Array) => Promise<ReadonlyMap<string, Tensor>>;

export interface PassContext {
  readonly evaluate: Evaluate;
  readonly signal?: AbortSignal;
}

/**
 * A change of a graph that keeps its inputs, its outputs and what it computes: to the last bit, or, where arithmetic is
 * put together, to float32's rounding.
 */
export interface Pass {
  /** For people: a row of the table. */
  readonly name: string;
  /** @returns a new graph, or the very one given when there is nothing to do, as there is not in what it returned */
  apply(graph: Graph, context: PassContext): Graph | Promise<Graph>;
}

/** One node's turn in a sweep. */
export interface Place extends Turn {
  /** Of the graph that is swept. */
  readonly links: Links;
  /** Appends another operator under the names of the node's outputs, and the node's own unless another is given. */
  put<A extends AttributeSchema>(
    op: OpDefinition<A>,
    inputs: readonly (Value | undefined)[],
    attributes?: Attributes<A>,
    name?: string,
  ): Value[];
}

/** What rules may be kept under. */
export type OperatorName = keyof typeof operators;

/** What takes the place of the node's outputs, of which those that nothing reads need none; undefined: nothing does. */
export type Rule = (place: Place) => readonly (Value | undefined)[] | undefined;

/** So that a file of nothing but a chain does not take the square of its length; no graph is known to need five. */
export const mostSweeps = 20;

/** Goes through the nodes again and again until the rule finds no more to replace; then dead nodes are gone too. */
export function rewrite(graph: Graph, rule: Rule): Graph {
  let current = graph;
  for (let turn = 0, last: Graph | undefined; turn < mostSweeps && current !== last; turn++) {
    last = current;
    current = sweep(current, rule);
  }
  return current;
}

/** Goes through the nodes once. */
export function sweep(graph: Graph, rule: Rule): Graph {
  const links = linksOf(graph);
  let replaced = 0;
  const next = rebuild(graph, {
    node(turn) {
      const { node } = turn;
      const made = rule({
        ...turn,
        links,
        put: (op, inputs, attributes = {}, name = node.name) =>
          turn.graph.ops(
            op,
            inputs,
            attributes,
            node.outputs.map((value) => value.name),
            name,
          ),
      });
      if (!made) return undefined;
      replaced++;
      return node.outputs.map((old, i) =>
        successor(old, made[i] ?? (isRead(links, old) ? undefined : made[0])),
      );
    },
  });
  if (replaced === 0) return graph;
  prune(next);
  return next;
}

function successor(old: Value, now: Value | undefined): Value {
  if (!now) throw new Error(`internal: ${old.name} has no successor`);
  return now;
}

function isRead(links: Links, value: Value): boolean {
  return links.isOutput(value) || links.readers(value).length > 0;
}

/**
 * Whether an operator would take these inputs, and give a first output of the type and shape of `wanted`, as far as
 * symbols tell. Builds nothing.
 */
export function wouldGive<A extends AttributeSchema>(
  wanted: Pick<Value, 'dtype' | 'shape'>,
  op: OpDefinition<A>,
  inputs: readonly (Value | undefined)[],
  attributes: Attributes<A> = {},
): boolean {
  const fail = (message: string): never => {
    throw new GraphError(message);
  };
  try {
    const [first] = op.infer({ inputs, attributes, fail });
    return first?.dtype === wanted.dtype && sameShape(first.shape, wanted.shape);
  } catch (error) {
    if (error instanceof GraphError) return false;
    throw error;
  }
}

/** The numbers of a constant of a few elements: an operator's parameter. Undefined for others. */
export function numbersOf(value: Value | undefined): number[] | undefined {
  const { constant } = value ?? {};
  // Half precision is kept as raw bits.
  return constant && constant.dtype !== 'float16' && constant.data.length <= 1024
    ? toNumbers(constant)
    : undefined;
}

/** The number of a constant of one element, whatever its rank. */
export function numberOf(value: Value | undefined): number | undefined {
  const numbers = numbersOf(value);
  return numbers?.length === 1 ? numbers[0] : undefined;
}

/** Whether an optional input is there; some writers leave it out by an empty constant. */
export function isGiven(value: Value | undefined): boolean {
  return value !== undefined && value.constant?.data.length !== 0;
}

/** A float32 constant's elements. */
export function floatsOf(value: Value | undefined): Float32Array | undefined {
  return value?.constant?.data instanceof Float32Array ? value.constant.data : undefined;
}

/** How many nodes of each operator there are, in the order in which they first come; without those of subgraphs. */
export function countNodes(graph: Graph): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { op } of graph.nodes) counts.set(op.name, (counts.get(op.name) ?? 0) + 1);
  return counts;
}
