/**
 * Batch normalisation as PyTorch's BatchNorm2d, ε 1e-5 and momentum 0.1: one operator with the running statistics, or,
 * in training, elementary operators that can be differentiated through the batch's own.
 */
import {
  Add,
  BatchNormalization,
  Div,
  fixedShape,
  type Graph,
  Mul,
  ReduceMean,
  Reshape,
  Sqrt,
  Sub,
  type Value,
} from '@cyclegan/graph';
import type { Place } from './apply-layers.js';

const epsilon = 1e-5;
const momentum = 0.1;
const overBatch = { axes: [0, 2, 3], keepdims: 1 };

/**
 * @param x float32 [N, C, H, W], of fixed sizes in training
 * @param name the layer's: `name.weight`, `name.bias`, `name.running_mean` and `name.running_var` are read, and in
 * training the last two set
 */
export function applyBatchNorm({ graph, weights, mode }: Place, x: Value, name: string): Value {
  const [scale, bias] = [weights(`${name}.weight`), weights(`${name}.bias`)];
  const running = { mean: `${name}.running_mean`, variance: `${name}.running_var` };
  if (mode === 'eval') {
    const statistics = [weights(running.mean), weights(running.variance)];
    return graph.op(BatchNormalization, [x, scale, bias, ...statistics], { epsilon });
  }
  const [n = 1, channels = 1, height = 1, width = 1] = fixedShape(x.shape, name);
  const mean = graph.op(ReduceMean, [x], overBatch);
  const centred = graph.op(Sub, [x, mean]);
  const variance = graph.op(ReduceMean, [graph.op(Mul, [centred, centred])], overBatch);
  const count = n * height * width;
  // PyTorch normalises by the variance over n, and keeps the one over n − 1.
  mode.setBuffer(running.mean, blend(graph, weights(running.mean), mean, 1));
  mode.setBuffer(running.variance, blend(graph, weights(running.variance), variance, count / (count - 1)));
  const deviation = graph.op(Sqrt, [graph.op(Add, [variance, graph.float(epsilon)])]);
  const spread = (vector: Value) => graph.op(Reshape, [vector, graph.ints([1, channels, 1, 1])]);
  const scaled = graph.op(Mul, [graph.op(Div, [centred, deviation]), spread(scale)]);
  return graph.op(Add, [scaled, spread(bias)]);
}

/** The running statistic [C] after a batch whose own is `fresh` [1, C, 1, 1]. */
function blend(graph: Graph, old: Value, fresh: Value, correction: number): Value {
  const kept = graph.op(Mul, [old, graph.float(1 - momentum)]);
  const flat = graph.op(Reshape, [fresh, graph.ints([-1])]);
  return graph.op(Add, [kept, graph.op(Mul, [flat, graph.float(momentum * correction)])]);
}
