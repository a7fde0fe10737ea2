/** Reverse-mode differentiation: appends the gradient's nodes to the graph that holds the loss. */
import { fixedShape, formatShape } from './dim.js';
import { GraphError } from './errors.js';
import { describeNode, type Graph, type Value } from './graph.js';
import { Add, Expand } from './ops/index.js';

/**
 * Gradients of a scalar by each of `wrt`.
 *
 * Only values between `wrt` and `loss` are differentiated: leaving a network's weights out of `wrt` freezes it.
 * InstanceNormalization nodes on the way are replaced by their elementary operators. Gradients of gradients are not
 * promised: many rules use Sign or strided Slices, which have none.
 *
 * @param loss a float32 value of one element
 * @param wrt float32 values of fixed shape: inputs, constants or results of nodes
 * @returns one value for each of `wrt`, in its shape; zeros where the loss does not depend on it
 * @throws GraphError when an operator on the way has no gradient for its use here, or a shape is symbolic
 */
export function gradients(graph: Graph, loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.shape.some((dim) => dim !== 1)) {
    throw new GraphError(
      `gradients: expected a loss of one element, got ${loss.name} of ${formatShape(loss.shape)}.`,
    );
  }
  for (const value of [loss, ...wrt]) {
    if (value.dtype !== 'float32' || !graph.has(value)) {
      const got = graph.has(value) ? value.dtype : "another graph's";
      throw new GraphError(
        `gradients: expected ${value.name} to be a float32 value of graph ${graph.name}, got ${got}.`,
      );
    }
  }
  const dependent = new Set<Value>(wrt);
  for (const node of graph.nodes) {
    if (!node.inputs.some((input) => input && dependent.has(input))) continue;
    for (const output of node.outputs) if (output.dtype.startsWith('float')) dependent.add(output);
  }
  const ones = loss.shape.map(() => 1);
  const grads = new Map([[loss, graph.float(1, ones)]]);
  for (const node of graph.nodes.toReversed()) {
    const outputGrads = node.outputs.map((output) => grads.get(output));
    const needs = node.inputs.map((input) => input !== undefined && dependent.has(input));
    if (!outputGrads.some((grad) => grad !== undefined) || !needs.includes(true)) continue;
    if (!node.op.gradient) {
      throw new GraphError(
        `gradient of ${describeNode(node)}: expected an operator with a gradient, as the loss depends on it.`,
      );
    }
    const inputGrads = node.op.gradient({ graph, node, grads: outputGrads, needs });
    node.inputs.forEach((input, i) => {
      const grad = inputGrads[i];
      if (!input || !needs[i] || !grad) return;
      const before = grads.get(input);
      grads.set(input, before ? graph.op(Add, [before, grad]) : grad);
    });
  }
  return wrt.map((value) => grads.get(value) ?? zeros(graph, value));
}

function zeros(graph: Graph, value: Value): Value {
  const sizes = fixedShape(value.shape, `gradients by ${value.name}`);
  return graph.op(Expand, [graph.float(0), graph.ints(sizes)]);
}
