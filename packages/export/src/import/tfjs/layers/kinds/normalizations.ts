/** Layers that normalise, by statistics of their own or of their input, and Rescaling. */
import { Add, Div, type Graph, Mul, ReduceMean, Reshape, Sqrt, Sub, type Value } from '@cyclegan/graph';
import { batchNorm } from '../../kernels.js';
import type { CustomLayer, LayerWeights } from '../layer-kind.js';
import { axisFrom, filled, sizeOf } from './common.js';

/** Along an axis that is not the last, tfjs itself is right in WebGL alone: its cpu and wasm backends do not spread. */
const BatchNormalization: CustomLayer = {
  className: 'BatchNormalization',
  convert: ({ graph, x, config, weights }) => {
    const [given = -1, ...others] = config.integers('axis', [-1]);
    if (others.length > 0) config.refuse('one axis', `${others.length + 1}`);
    const axis = axisFrom(x, given);
    const size = sizeOf(x, axis);
    return batchNorm(graph, x, {
      ...scaleAndShift(graph, weights, size, config.flag('scale', true), config.flag('center', true)),
      mean: weights.get('moving_mean', [size]),
      variance: weights.get('moving_variance', [size]),
      epsilon: config.number('epsilon', 1e-3),
      axis,
    });
  },
};

/** gamma and beta, or what does nothing. */
function scaleAndShift(graph: Graph, weights: LayerWeights, size: number, scaled: boolean, centred: boolean) {
  const scale = scaled ? weights.get('gamma', [size]) : filled(graph, size, 1);
  return { scale, bias: centred ? weights.get('beta', [size]) : filled(graph, size, 0) };
}

const LayerNormalization: CustomLayer = {
  className: 'LayerNormalization',
  convert: ({ graph, x, config, weights }) => {
    const axes = config.integers('axis', [-1]).map((axis) => axisFrom(x, axis));
    const ascending = axes.every((axis, i) => i === 0 || axis > (axes[i - 1] ?? 0));
    if (!ascending) config.refuse('ascending axes', axes.join(', '));
    const mean = (value: Value) => graph.op(ReduceMean, [value], { axes, keepdims: 1 });
    const centred = graph.op(Sub, [x, mean(x)]);
    const variance = mean(graph.op(Mul, [centred, centred]));
    const deviation = graph.op(Sqrt, [
      graph.op(Add, [variance, graph.float(config.number('epsilon', 1e-3))]),
    ]);
    const normalised = graph.op(Div, [centred, deviation]);
    const sizes = axes.map((axis) => sizeOf(x, axis));
    const spread = (weight: Value) =>
      graph.op(Reshape, [weight, graph.ints(x.shape.map((_, i) => sizes[axes.indexOf(i)] ?? 1))]);
    const scaled = config.flag('scale', true)
      ? graph.op(Mul, [normalised, spread(weights.get('gamma', sizes))])
      : normalised;
    return config.flag('center', true) ? graph.op(Add, [scaled, spread(weights.get('beta', sizes))]) : scaled;
  },
};

const Rescaling: CustomLayer = {
  className: 'Rescaling',
  convert: ({ graph, x, config }) => {
    const scaled = graph.op(Mul, [x, graph.float(config.number('scale'))]);
    return graph.op(Add, [scaled, graph.float(config.number('offset', 0))]);
  },
};

export const normalizations: readonly CustomLayer[] = [BatchNormalization, LayerNormalization, Rescaling];
