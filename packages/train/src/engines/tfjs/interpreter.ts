/**
 * Runs part of a graph in TensorFlow.js: what lies between given values and wanted ones. Keeps nothing: whoever calls
 * decides what is tidied away, and may differentiate through the call.
 */
import type { Graph, Node, Value } from '@cyclegan/graph';
import type { Tensor } from '@tensorflow/tfjs';
import { hold } from './layout.js';
import type { Tf } from './load.js';
import { type Held, operatorContext } from './operator-context.js';
import { operator } from './operators.js';

/** What is computed from what; values in the middle of a graph may be given too, and cut off what makes them. */
export interface Passage {
  given: Iterable<Value>;
  wanted: readonly Value[];
  /** Those of `given` that are convolutions' weights, held as [kh, kw, C, K]; all others of four axes are [N, H, W, C]. */
  kernels: ReadonlySet<Value>;
}

/** Computes the wanted values in order, as held, from the given ones; there may be more of these than are needed. */
export type Interpretation = (given: ReadonlyMap<Value, Tensor>) => Tensor[];

/** @throws when a wanted value depends on a graph input that is not given, or on an operator that is not known here */
export function interpretation(tf: Tf, graph: Graph, { given, wanted, kernels }: Passage): Interpretation {
  const nodes = nodesBetween(graph, new Set(given), wanted).map((node) => ({
    node,
    compute: operator(node.op.name),
  }));
  return (tensors) => {
    const values = new Map<Value, Held>();
    for (const [value, tensor] of tensors) values.set(value, { tensor, kernel: kernels.has(value) });
    const find = (value: Value | undefined): Held => {
      const known = value && values.get(value);
      if (known) return known;
      if (!value?.constant) throw new Error(`internal: no value ${value?.name}`);
      const { data, shape } = value.constant;
      const constant = {
        tensor: hold(tf, tf.tensor(Float32Array.from(data, Number), [...shape])),
        kernel: false,
      };
      values.set(value, constant);
      return constant;
    };
    for (const { node, compute } of nodes) {
      const made = compute(operatorContext(tf, node, (i) => find(node.inputs[i])));
      const outputs = Array.isArray(made) ? made : [made];
      node.outputs.forEach((output, i) => {
        values.set(output, { tensor: outputAt(outputs, i), kernel: false });
      });
    }
    return wanted.map((value) => find(value).tensor);
  };
}

/** The nodes that make the wanted values, in the graph's order. */
function nodesBetween(graph: Graph, given: ReadonlySet<Value>, wanted: readonly Value[]): Node[] {
  const needed = new Set(wanted.filter((value) => !given.has(value) && !value.constant));
  const nodes: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    nodes.push(node);
    for (const output of node.outputs) needed.delete(output);
    for (const input of node.inputs) if (input && !input.constant && !given.has(input)) needed.add(input);
  }
  if (needed.size > 0) {
    throw new Error(`internal: needed, but not given: ${[...needed].map(({ name }) => name).join(', ')}`);
  }
  return nodes.reverse();
}

function outputAt(outputs: readonly Tensor[], i: number): Tensor {
  const tensor = outputs[i];
  if (!tensor) throw new Error(`internal: no output ${i} of ${outputs.length}`);
  return tensor;
}
