/** Layers that are activations. Those of Keras's parameters that tfjs leaves out without a word are refused. */
import { Greater, Relu, Where } from '@cyclegan/graph';
import { activate, clip, leakyRelu, prelu, softmax } from '../../kernels.js';
import type { CustomLayer } from '../layer-kind.js';
import { activated, axisFrom, refuseActivation, sizeOf } from './common.js';

const Activation: CustomLayer = {
  className: 'Activation',
  refuse: refuseActivation,
  convert: ({ graph, x, config }) => activated(graph, x, config),
};

const ReLU: CustomLayer = {
  className: 'ReLU',
  refuse: (config) => {
    const left = ['negative_slope', 'threshold'].find((key) => config.number(key, 0) !== 0);
    return left && `${left} other than 0, which tfjs leaves out without a word`;
  },
  convert: ({ graph, x, config }) =>
    config.value('max_value') === undefined
      ? graph.op(Relu, [x])
      : clip(graph, x, 0, config.number('max_value')),
};

const LeakyReLU: CustomLayer = {
  className: 'LeakyReLU',
  convert: ({ graph, x, config }) => leakyRelu(graph, x, config.number('alpha', 0.3)),
};

const PReLU: CustomLayer = {
  className: 'PReLU',
  convert: ({ graph, x, config, weights }) => {
    const shared = config.integers('shared_axes', []);
    const shape = x.shape.slice(1).map((_, i) => (shared.includes(i + 1) ? 1 : sizeOf(x, i + 1)));
    return prelu(graph, x, weights.get('alpha', shape));
  },
};

const ELU: CustomLayer = {
  className: 'ELU',
  refuse: (config) =>
    config.number('alpha', 1) === 1 ? undefined : 'alpha other than 1, which tfjs does not know',
  convert: ({ graph, x }) => activate(graph, x, 'elu'),
};

const ThresholdedReLU: CustomLayer = {
  className: 'ThresholdedReLU',
  convert: ({ graph, x, config }) => {
    const above = graph.op(Greater, [x, graph.float(config.number('theta', 1))]);
    return graph.op(Where, [above, x, graph.float(0)]);
  },
};

const Softmax: CustomLayer = {
  className: 'Softmax',
  convert: ({ graph, x, config }) => {
    const axes = config.integers('axis', [-1]);
    const axis = axes.length === 1 ? axisFrom(x, axes[0] ?? -1) : -1;
    if (axis !== x.shape.length - 1) config.refuse('the last axis', `axis ${axes.join(', ')}`);
    return softmax(graph, x, axis);
  },
};

export const activations: readonly CustomLayer[] = [
  Activation,
  ReLU,
  LeakyReLU,
  PReLU,
  ELU,
  ThresholdedReLU,
  Softmax,
];
