/** A GraphModel's nodes: read, joined by name, and put into an order to build them in. Knows no operators. */
import { z } from 'zod';
import { refuseModel } from '../model-json.js';

const nodeSchema = z.looseObject({
  name: z.string().min(1),
  op: z.string().min(1),
  input: z.array(z.string()).nullish(),
  attr: z.record(z.string(), z.unknown()).nullish(),
});

/** One of a node's outputs. */
export interface Edge {
  readonly node: string;
  readonly index: number;
}

export interface TfNode {
  readonly name: string;
  /** TensorFlow's name of the operator. */
  readonly op: string;
  /** Without those that only say what runs first. */
  readonly inputs: readonly Edge[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

export type Topology = ReadonlyMap<string, TfNode>;

/** `name`, `name:1` or `name:output:1`. */
export function edgeOf(text: string): Edge {
  const [node = '', ...rest] = text.split(':');
  const index = rest.length === 0 ? 0 : Number(rest.at(-1));
  return { node, index };
}

/** @throws CycleganError `bundle` for nodes that do not fit, or share a name */
export function readTopology(file: string, nodes: unknown): Topology {
  const parsed = z.array(nodeSchema).safeParse(nodes);
  if (!parsed.success) {
    const at = parsed.error.issues[0]?.path.join('.') ?? '';
    refuseModel(
      file,
      `expected nodes with name, op and input, got others at ${at}. Convert the model again.`,
    );
  }
  const topology = new Map<string, TfNode>();
  for (const { name, op, input, attr } of parsed.data) {
    if (topology.has(name)) {
      refuseModel(file, `expected nodes of different names, got "${name}" twice. Convert the model again.`);
    }
    const inputs = (input ?? []).filter((text) => !text.startsWith('^')).map(edgeOf);
    topology.set(name, { name, op, inputs, attributes: attr ?? {} });
  }
  return topology;
}

/**
 * The nodes that an output needs, each after what it reads.
 * @param isSource nodes whose inputs are not followed
 * @throws CycleganError `bundle` for a node that is missing, or reads itself
 */
export function orderTo(
  file: string,
  topology: Topology,
  output: string,
  isSource: (node: TfNode) => boolean,
): TfNode[] {
  const order: TfNode[] = [];
  const state = new Map<string, 'open' | 'done'>();
  // By hand: a hostile model's chain is longer than the call stack.
  const stack: { name: string; reader: string }[] = [{ name: output, reader: 'the outputs' }];
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const { name, reader } = top;
    const node = topology.get(name);
    if (!node) {
      return refuseModel(
        file,
        `expected the node "${name.slice(0, 200)}", which ${reader.slice(0, 200)} reads, got none. Convert the model again.`,
      );
    }
    if (state.has(name)) {
      stack.pop();
      if (state.get(name) === 'open') order.push(node);
      state.set(name, 'done');
      continue;
    }
    state.set(name, 'open');
    for (const edge of isSource(node) ? [] : node.inputs) {
      const known = state.get(edge.node);
      if (known === 'open') {
        refuseModel(
          file,
          `expected nodes in some order, got a circle through "${edge.node}". Convert the model again.`,
        );
      }
      if (!known) stack.push({ name: edge.node, reader: `"${name}"` });
    }
  }
  return order;
}
