/** Reverse-mode differentiation: appends the gradient's nodes to the graph that holds the loss. */
import { fixedShape, formatShape, sameShape } from './dim.js';
import { GraphError } from './errors.js';
import { describeNode, type Graph, type Node, type Value, valuesRead } from './graph.js';
import { Add, Expand, Gemm } from './ops/index.js';
import { delayUntilRead } from './passes/order.js';
import { recompute } from './recompute.js';
import { elementsAsZero, makerOf, movedInputs, movers } from './waiting.js';

/** Names the part of the forward pass that a node belongs to; nodes that follow each other under one name are one. */
export type PartOf = (node: Node) => string | undefined;

export interface GradientOptions {
  /**
   * Parts that are differentiated one after the other: the gradient that arrives at one waits until all that the one
   * before it contributes to gradients elsewhere is there. Without it an executor that goes depth first from the
   * outputs, as onnxruntime does, puts off the gradients by the weights, and keeps all that they need.
   */
  stages?: PartOf | undefined;
  /** Parts whose results are computed again for the gradients instead of being kept; only what goes in stays. */
  recompute?: PartOf | undefined;
}

/**
 * Gradients of a scalar by each of `wrt`.
 *
 * Only values between `wrt` and `loss` are differentiated: leaving a network's weights out of `wrt` freezes it.
 * InstanceNormalization nodes on the way are replaced by their elementary operators.
 *
 * What comes back can be part of a further loss and be differentiated again, as a gradient penalty wants it: the rules
 * are written in operators that have rules themselves. Where a rule chooses by a comparison or a sign, the choice
 * counts as constant, as it is almost everywhere.
 *
 * @param loss a float32 value of one element
 * @param wrt float32 values of fixed shape: inputs, constants or results of nodes
 * @returns one value for each of `wrt`, in its shape; zeros where the loss does not depend on it
 * @throws GraphError when an operator on the way has no gradient for its use here, or a shape is symbolic
 */
export function gradients(
  graph: Graph,
  loss: Value,
  wrt: readonly Value[],
  options: GradientOptions = {},
): Value[] {
  check(graph, loss, wrt);
  const dependent = dependents(graph, wrt);
  // A value, since the node that makes it may be replaced by others.
  const end = graph.nodes.at(-1)?.outputs[0];
  const ones = loss.shape.map(() => 1);
  const grads = new Map([[loss, graph.float(1, ones)]]);
  const stages = stagesInTurn(graph, options.stages);
  for (const node of graph.nodes.toReversed()) {
    const needs = node.inputs.map((input) => input !== undefined && dependent.has(input));
    const depends = valuesRead(node).some((value) => dependent.has(value));
    if (!depends || !node.outputs.some((output) => grads.has(output))) continue;
    if (!node.op.gradient) {
      throw new GraphError(
        `gradient of ${describeNode(node)}: expected an operator with a gradient, as the loss depends on it.`,
      );
    }
    const outputGrads = node.outputs.map((output) => grads.get(output));
    const waiting = stages.enter(node, outputGrads);
    const inputGrads = node.op.gradient({ graph, node, grads: waiting, needs });
    node.inputs.forEach((input, i) => {
      const grad = inputGrads[i];
      if (!input || !needs[i] || !grad) return;
      const before = grads.get(input);
      const sum = before ? add(graph, before, grad) : grad;
      grads.set(input, sum);
      stages.contribute(input, sum);
    });
  }
  const found = wrt.map((value) => grads.get(value) ?? zeros(graph, value));
  if (options.recompute) {
    const start = graph.nodes.findIndex(({ outputs }) => outputs[0] === end) + 1;
    recompute(graph, start, options.recompute);
  }
  if (options.stages) delayUntilRead(graph, loss);
  return found;
}

function check(graph: Graph, loss: Value, wrt: readonly Value[]): void {
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
}

/** What changes with `wrt`. */
function dependents(graph: Graph, wrt: readonly Value[]): Set<Value> {
  const dependent = new Set<Value>(wrt);
  for (const node of graph.nodes) {
    if (!valuesRead(node).some((value) => dependent.has(value))) continue;
    for (const output of node.outputs) if (output.dtype.startsWith('float')) dependent.add(output);
  }
  return dependent;
}

/** Keeps one stage's gradients waiting for those of the stage before. */
function stagesInTurn(graph: Graph, stageOf: PartOf | undefined) {
  let current: string | undefined;
  let own = new Set<Value>();
  /** The current stage's contributions to gradients by values that it did not make. */
  let contributed = new Map<Value, Value>();
  let zero: Value | undefined;
  return {
    /** The gradients by the node's outputs, which wait where the node is the first of a stage. */
    enter(node: Node, grads: readonly (Value | undefined)[]): readonly (Value | undefined)[] {
      const stage = stageOf?.(node);
      if (stage === current) return grads;
      // Before anything else, since an executor looks at it first then.
      if (contributed.size > 0) zero = elementsAsZero(graph, [...contributed.values()]);
      current = stage;
      contributed = new Map();
      if (stage === undefined) return grads;
      own = new Set(graph.nodes.flatMap((each) => (stageOf?.(each) === stage ? each.outputs : [])));
      return grads.map((grad) => (grad && zero ? graph.op(Add, [grad, zero]) : grad));
    },
    contribute(value: Value, grad: Value): void {
      if (current !== undefined && !own.has(value)) contributed.set(value, grad);
    },
  };
}

/**
 * The sum. What moves elements alone, and is the last that was done to both, is done once, after adding; and a product
 * of matrices takes the other up.
 */
function add(graph: Graph, a: Value, b: Value): Value {
  const [left, right] = [makerOf(graph, a), makerOf(graph, b)];
  const alike =
    left !== undefined &&
    right !== undefined &&
    left.op === right.op &&
    left.inputs.length === right.inputs.length &&
    ['perm', 'axis'].every((key) => String(left.attributes[key]) === String(right.attributes[key])) &&
    left.inputs.every((input, i) => sameShape(input?.shape ?? [], right.inputs[i]?.shape ?? []));
  if (alike && movers.has(left.op)) {
    const moved = movedInputs(left).map((input, i) => add(graph, input, right.inputs[i] as Value));
    return graph.op(left.op, [...moved, ...left.inputs.slice(moved.length)], left.attributes);
  }
  if (right?.op === Gemm && right.inputs.length === 2) {
    return graph.op(Gemm, [...right.inputs, a], right.attributes);
  }
  return graph.op(Add, [a, b]);
}

function zeros(graph: Graph, value: Value): Value {
  const sizes = fixedShape(value.shape, `gradients by ${value.name}`);
  return graph.op(Expand, [graph.float(0), graph.ints(sizes)]);
}
