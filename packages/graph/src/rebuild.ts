/**
 * A new graph from an old one, node by node: what every pass and every conversion is written with. Shapes and types
 * are inferred anew, so that a change that does not fit is refused where it is made. Changes no graph, copies no data.
 */
import { Graph, type Node, type Value, valuesRead } from './graph.js';
import type { Attributes } from './op-definition.js';

/** One node's turn. */
export interface Turn {
  /** The new graph, to append to. */
  readonly graph: Graph;
  /** Of the old graph. */
  readonly node: Node;
  /** The node's inputs as they are in the new graph. */
  readonly inputs: readonly (Value | undefined)[];
  /** What an old value is in the new graph; its maker has had its turn, or it is an input or a constant. */
  readonly now: (old: Value) => Value;
  /** Appends the node as it was, or with other inputs or attributes; returns its outputs, under their old names. */
  readonly copy: (changed?: { inputs?: readonly (Value | undefined)[]; attributes?: Attributes }) => Value[];
}

export interface Rebuilding {
  /** Of the new graph; default: the old one's. */
  name?: string;
  /**
   * What takes an input's place, in the order declared: a new input, or a value made of one. Without it, and where it
   * returns undefined, the input is declared as it was.
   */
  input?(graph: Graph, old: Value): Value | undefined;
  /** What takes each output of the node's place. Without it, and where it returns undefined, the node is copied. */
  node?(turn: Turn): readonly Value[] | undefined;
  /** What is shown under an output's name; default: what took the old value's place. Undefined leaves the output out. */
  output?(graph: Graph, output: { readonly name: string; readonly value: Value }): Value | undefined;
}

/**
 * Builds the graph anew. Subgraphs are copied as they are.
 * @returns a graph that shares constants' data with the old one; nodes that nothing reads are still there
 * @throws GraphError when what is built does not fit
 */
export function rebuild(old: Graph, rules: Rebuilding = {}): Graph {
  const graph = new Graph(rules.name ?? old.name);
  const shown = new Set(old.outputs.map((each) => each.name));
  graph.avoidNames(namesOf(old));
  graph.avoidNames(shown);
  fill(graph, old, new Map(), {
    ...rules,
    // A name that an output is to have cannot stay with a value that may no longer be that output.
    keepsName: (value) => rules.output === undefined || !shown.has(value.name),
  });
  return graph;
}

interface Filling extends Rebuilding {
  keepsName(value: Value): boolean;
}

function fill(graph: Graph, old: Graph, places: Map<Value, Value>, rules: Filling): void {
  const now = (value: Value): Value => {
    const known = places.get(value);
    if (known) return known;
    if (!value.constant) throw new Error(`internal: ${value.name} is read before it is made`);
    const constant = graph.constant(value.constant, value.name);
    places.set(value, constant);
    return constant;
  };
  for (const value of old.inputs) {
    places.set(value, rules.input?.(graph, value) ?? graph.input(value.name, value.dtype, value.shape));
  }
  for (const node of old.nodes) {
    const inputs = node.inputs.map((value) => value && now(value));
    const copy: Turn['copy'] = (changed = {}) => {
      const attributes = withSubgraphs(graph, changed.attributes ?? node.attributes, places, now);
      const names = node.outputs.map((value) => (rules.keepsName(value) ? value.name : undefined));
      return graph.ops(node.op, changed.inputs ?? inputs, attributes, names, node.name);
    };
    const made = rules.node?.({ graph, node, inputs, now, copy }) ?? copy();
    node.outputs.forEach((value, i) => {
      const place = made[i];
      if (!place) throw new Error(`internal: output ${i} of ${node.op.name} ${node.name} has no successor`);
      places.set(value, place);
    });
  }
  for (const each of old.outputs) {
    const value = rules.output ? rules.output(graph, { ...each, value: now(each.value) }) : now(each.value);
    if (value) graph.output(each.name, value);
  }
}

/** Attributes whose graphs are made anew, as subgraphs of the new graph. */
function withSubgraphs(
  graph: Graph,
  attributes: Attributes,
  places: ReadonlyMap<Value, Value>,
  outer: (old: Value) => Value,
): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => {
      if (!(value instanceof Graph)) return [key, value];
      const inner = graph.subgraph(value.name);
      const own = new Map(places);
      for (const captured of value.captured()) own.set(captured, outer(captured));
      fill(inner, value, own, { keepsName: () => true });
      return [key, inner];
    }),
  );
}

/** Names of all values and nodes, those of subgraphs included. */
function namesOf(graph: Graph): Set<string> {
  const names = new Set(graph.inputs.map((value) => value.name));
  for (const node of graph.nodes) {
    // onnxruntime refuses two nodes of one name.
    names.add(node.name);
    for (const value of [...valuesRead(node), ...node.outputs]) names.add(value.name);
    for (const value of Object.values(node.attributes)) {
      if (value instanceof Graph) for (const inner of namesOf(value)) names.add(inner);
    }
  }
  return names;
}

/** Who makes and who reads a graph's values, as it is now. */
export interface Links {
  /** Undefined for inputs and constants. */
  producer(value: Value | undefined): Node | undefined;
  /** Each node once, in order; what a subgraph captures is read by its node. */
  readers(value: Value): readonly Node[];
  isOutput(value: Value): boolean;
  /** The node that alone reads the value, which is no output either. */
  onlyReader(value: Value): Node | undefined;
}

export function linksOf(graph: Graph): Links {
  const producers = new Map<Value, Node>();
  const readers = new Map<Value, Node[]>();
  for (const node of graph.nodes) {
    for (const value of node.outputs) producers.set(value, node);
    for (const value of new Set(valuesRead(node))) {
      const known = readers.get(value);
      if (known) known.push(node);
      else readers.set(value, [node]);
    }
  }
  const outputs = new Set(graph.outputs.map(({ value }) => value));
  return {
    producer: (value) => value && producers.get(value),
    readers: (value) => readers.get(value) ?? [],
    isOutput: (value) => outputs.has(value),
    onlyReader(value) {
      const [first, ...others] = readers.get(value) ?? [];
      return others.length === 0 && !outputs.has(value) ? first : undefined;
    },
  };
}
