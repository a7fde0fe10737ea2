/** Reading of a node's inputs, attributes and constant parameters, with the checks that every op family shares. */
import { type Dim, formatDim, formatShape } from '../dim.js';
import { knownElements } from '../elements.js';
import { GraphError } from '../errors.js';
import { describeNode, type Value } from '../graph.js';
import type { GradientContext, InferContext } from '../op-definition.js';

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

/** Throws for a use of the operator that its gradient rule does not cover. */
export function refuseGradient({ node }: GradientContext, message: string): never {
  throw new GraphError(`gradient of ${describeNode(node)}: ${message}.`);
}

/** A fixed dimension of a value, for gradient rules, which need fixed sizes. */
export function sizeAt(context: GradientContext, value: Value, axis: number): number {
  const dim = value.shape[axis];
  return typeof dim === 'number'
    ? dim
    : refuseGradient(context, `expected fixed sizes, got ${formatShape(value.shape)}`);
}

/** All dimensions of a value, fixed. */
export function sizesOf(context: GradientContext, value: Value): number[] {
  return value.shape.map((_, axis) => sizeAt(context, value, axis));
}

/** The i-th input's elements; an op's parameters (axes, pads, sizes) must be whole numbers known before it runs. */
export function knownInput({ inputs, fail }: InferContext, i: number, what: string): readonly Dim[] {
  const input = inputs[i];
  const whole = input?.dtype === 'int64' || input?.dtype === 'int32';
  return (whole && knownElements(input)) || fail(`expected constant ${what}`);
}

/** As {@link knownInput}, where no symbol will do. */
export function constantInput(context: InferContext, i: number, what: string): number[] {
  const elements = knownInput(context, i, what);
  return elements.map((dim) =>
    typeof dim === 'number'
      ? dim
      : context.fail(`expected constant ${what}, got [${elements.map(formatDim).join(', ')}]`),
  );
}

/** The i-th input of a node that is being differentiated, as numbers. */
export function parameters(context: GradientContext, i: number): number[] {
  const elements = knownElements(inputOf(context, i)) ?? [undefined];
  return elements.map((dim) =>
    typeof dim === 'number' ? dim : refuseGradient(context, `expected input ${i} constant`),
  );
}

/** An input that is there, and not empty, as older exporters leave inputs out. */
export function given({ inputs }: InferContext, i: number): Value | undefined {
  const input = inputs[i];
  return input?.constant && input.constant.data.length === 0 ? undefined : input;
}

/** Type and shape of the first input: an elementwise operator's result. */
export function sameAsInput({ inputs }: InferContext) {
  const { dtype, shape } = inputs[0] as Value;
  return [{ dtype, shape }];
}

/** An attribute that is one of the words, the first of which is its default. */
export function oneOf<const W extends string>(
  { fail }: InferContext,
  name: string,
  value: string | undefined,
  words: readonly W[],
): W {
  const found = value === undefined ? words[0] : words.find((word) => word === value);
  return found ?? fail(`expected ${name} ${words.join(', ')}, got ${value}`);
}

/** Fails unless the inputs that are there have one element type. */
export function checkSameType({ inputs, fail }: InferContext): void {
  const types = new Set(inputs.flatMap((input) => (input ? [input.dtype] : [])));
  if (types.size > 1) fail(`expected inputs of one type, got ${[...types].join(' and ')}`);
}

/** An axis counted from the front. */
export function axisOf(axis: number, rank: number, fail: (message: string) => never): number {
  const positive = axis < 0 ? axis + rank : axis;
  return Number.isInteger(axis) && positive >= 0 && positive < rank
    ? positive
    : fail(`expected an axis in -${rank}…${rank - 1}, got ${axis}`);
}
