/** Reverse-mode differentiation: appends the gradient's nodes to the graph that holds the loss. */
import { formatShape } from './dim.js';
import { GraphError } from './errors.js';
import type { Graph, Value } from './graph.js';
import { Add, Expand } from './ops/index.js';

/**
 * Gradients of a scalar by each of `wrt`.
 *
 * Only values between `wrt` and `loss` are differentiated: leaving a network's weights out of `wrt` freezes it.
 * InstanceNormalization nodes on the way are replaced by their elementary operators.
 *
 * @param loss a float32 value of one element
 * @param wrt float32 values of fixed shape: inputs, constants or results of nodes
 * @returns one value for each of `wrt`, in its shape; zeros where the loss does not depend on it
 * @throws GraphError when an operator on the way has no gradient, or a shape is symbolic
 */
export function gradients(graph: Graph, loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.shape.some((dim) => dim !== 1)) {
    throw new GraphError(`gradients: expected a loss of one element, got ${formatShape(loss.shape)}.`);
  }
  const dependent = new Set<Value>(wrt);
  for (const node of graph.nodes) {
    if (!node.inputs.some((input) => input && dependent.has(input))) continue;
    for (const output of node.outputs) if (output.dtype === 'float32') dependent.add(output);
  }
  const grads = new Map<Value, Value>([
    [
      loss,
      graph.float(
        1,
        loss.shape.map(() => 1),
      ),
    ],
  ]);
  const forward = [...graph.nodes];
  for (const node of forward.reverse()) {
    const outputGrads = node.outputs.map((output) => grads.get(output));
    const needs = node.inputs.map((input) => input !== undefined && dependent.has(input));
    if (!outputGrads.some((grad) => grad !== undefined) || !needs.includes(true)) continue;
    if (!node.op.gradient) {
      throw new GraphError(
        `${node.op.name} ${node.name}: the operator has no gradient, and the loss depends on it.`,
      );
    }
    const inputGrads = node.op.gradient({ graph, node, grads: outputGrads, needs });
    node.inputs.forEach((input, i) => {
      const grad = inputGrads[i];
      if (!input || !needs[i] || !grad) return;
      const before = grads.get(input);
      grads.set(input, before ? graph.op(Add, [before, grad]) : grad);
    });
    // What flowed into the outputs is used up; dropping it keeps a value that appears twice from counting twice.
    for (const output of node.outputs) if (!wrt.includes(output)) grads.delete(output);
  }
  return wrt.map((value) => grads.get(value) ?? zeros(graph, value));
}

function zeros(graph: Graph, value: Value): Value {
  const sizes = value.shape.map((dim) => (typeof dim === 'number' ? dim : Number.NaN));
  if (sizes.some(Number.isNaN)) {
    throw new GraphError(
      `gradients: expected a fixed shape of ${value.name}, got ${formatShape(value.shape)}.`,
    );
  }
  return graph.op(Expand, [graph.float(0), graph.ints(sizes)]);
}
