/** Reading of a node's inputs, attributes and constant parameters, with the checks that every op family shares. */
import { fixedDim } from '../dim.js';
import type { Value } from '../graph.js';
import type { GradientContext, InferContext } from '../op-definition.js';
import { toNumbers } from '../tensor.js';

function present(value: Value | undefined, what: string, context: GradientContext): Value {
  if (!value) throw new Error(`internal: ${context.node.op.name} ${context.node.name} has no ${what}`);
  return value;
}

/** The only output's gradient. */
export function gradOf(context: GradientContext): Value {
  return present(context.grads[0], 'output gradient', context);
}

export function inputOf(context: GradientContext, i: number): Value {
  return present(context.node.inputs[i], `input ${i}`, context);
}

export function outputOf(context: GradientContext): Value {
  return present(context.node.outputs[0], 'output', context);
}

/** A fixed dimension of a value, for gradient rules, which need fixed sizes. */
export function sizeAt(context: GradientContext, value: Value, axis: number): number {
  return fixedDim(value.shape[axis], `gradient of ${context.node.op.name} ${context.node.name}`);
}

/** The i-th input's elements; the op's parameters (axes, pads, sizes) must be constants here. */
export function constantInput(context: InferContext, i: number, what: string): number[] {
  const value = context.inputs[i];
  if (!value?.constant) return context.fail(`expected constant ${what}`);
  return toNumbers(value.constant);
}

/** The i-th input of a node that is being differentiated, as numbers. */
export function parameters(context: GradientContext, i: number): number[] {
  const { constant } = inputOf(context, i);
  if (!constant) throw new Error(`internal: ${context.node.name}: input ${i} is not constant`);
  return toNumbers(constant);
}

/** An axis counted from the front. */
export function axisOf(axis: number, rank: number, fail: (message: string) => never): number {
  const positive = axis < 0 ? axis + rank : axis;
  return positive >= 0 && positive < rank
    ? positive
    : fail(`expected an axis in -${rank}…${rank - 1}, got ${axis}`);
}
