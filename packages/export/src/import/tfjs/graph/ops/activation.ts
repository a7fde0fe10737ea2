/** Activations. */
import { LogSoftmax } from '@cyclegan/graph';
import { type ActivationName, activate, elu, leakyRelu, prelu, softmax } from '../../kernels.js';
import type { Converter } from '../call.js';

const plain =
  (name: ActivationName): Converter =>
  ({ graph, input }) =>
    activate(graph, input(0), name);

export const activations: Readonly<Record<string, Converter>> = {
  Relu: plain('relu'),
  Relu6: plain('relu6'),
  Selu: plain('selu'),
  Sigmoid: plain('sigmoid'),
  Softplus: plain('softplus'),
  Tanh: plain('tanh'),
  Elu: ({ graph, input }) => elu(graph, input(0), 1),
  LeakyRelu: ({ graph, input, attributes }) => leakyRelu(graph, input(0), attributes.float('alpha', 0.2)),
  Prelu: ({ graph, input }) => prelu(graph, input(0), input(1)),
  Softmax: ({ graph, input }) => softmax(graph, input(0)),
  LogSoftmax: ({ graph, input }) => graph.op(LogSoftmax, [input(0)], { axis: input(0).shape.length - 1 }),
};
