/** What an operator's interpretation is given: the node's inputs in the layout that it wants, and its attributes. */
import { fixedShape, type Node, toNumbers } from '@cyclegan/graph';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import { hold, holdKernel, unhold, unholdKernel } from './layout.js';
import type { Tf } from './load.js';

/** A value as it is held: its tensor, and whether that is a convolution's weight, whose axes lie in another order. */
export interface Held {
  readonly tensor: Tensor;
  readonly kernel: boolean;
}

/** One node's inputs and attributes. */
export interface OperatorContext {
  readonly tf: Tf;
  readonly node: Node;
  /** How many inputs there are. */
  readonly count: number;
  /** The i-th input as held: channels last where it has four axes. */
  held(i: number): Tensor;
  /** The i-th input as the graph has it. */
  natural(i: number): Tensor;
  /** The i-th input as a convolution's weight. */
  kernel(i: number): Tensor4D;
  /** The i-th input's elements; it is a constant. Undefined where it is left out. */
  numbers(i: number): number[] | undefined;
  /** An attribute that is one number, whole or not. */
  number(name: string, otherwise: number): number;
  ints(name: string, otherwise: readonly number[]): readonly number[];
  /** The first output's shape as the graph has it. */
  readonly shape: number[];
}

/** Computes a node: its outputs in order, each as held. */
export type Operator = (context: OperatorContext) => Tensor | Tensor[];

/** @param held finds an input's value */
export function operatorContext(tf: Tf, node: Node, held: (i: number) => Held): OperatorContext {
  const attribute = (name: string) => node.attributes[name];
  return {
    tf,
    node,
    count: node.inputs.length,
    held(i) {
      const { tensor, kernel } = held(i);
      return kernel ? hold(tf, unholdKernel(tf, tensor)) : tensor;
    },
    natural(i) {
      const { tensor, kernel } = held(i);
      return kernel ? unholdKernel(tf, tensor) : unhold(tf, tensor);
    },
    kernel(i) {
      const { tensor, kernel } = held(i);
      return kernel ? (tensor as Tensor4D) : holdKernel(tf, unhold(tf, tensor));
    },
    numbers(i) {
      const input = node.inputs[i];
      if (!input) return undefined;
      if (!input.constant)
        throw new Error(`internal: ${node.op.name} ${node.name} has no constant input ${i}`);
      return toNumbers(input.constant);
    },
    number: (name, otherwise) => (attribute(name) as number | undefined) ?? otherwise,
    ints: (name, otherwise) => (attribute(name) as readonly number[] | undefined) ?? otherwise,
    shape: fixedShape(node.outputs[0]?.shape ?? [], node.name),
  };
}
