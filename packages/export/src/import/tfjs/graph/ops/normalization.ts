/** Normalisation by given statistics, and biases. */
import { batchNorm, biasAdd } from '../../kernels.js';
import { type Converter, layoutOf } from '../call.js';

const fusedBatchNorm: Converter = (call) => {
  const { graph, input, attributes } = call;
  if (attributes.bool('is_training', false)) call.fail('expected is_training false');
  const [scale, bias, mean, variance] = [input(1), input(2), input(3), input(4)];
  const axis = layoutOf(call) === 'NHWC' ? 3 : 1;
  // tfjs's default, which is not TensorFlow's.
  const epsilon = attributes.float('epsilon', 0.001);
  return batchNorm(graph, input(0), { scale, bias, mean, variance, epsilon, axis });
};

export const normalizations: Readonly<Record<string, Converter>> = {
  BiasAdd: (call) => biasAdd(call.graph, call.input(0), call.input(1), layoutOf(call)),
  FusedBatchNorm: fusedBatchNorm,
  FusedBatchNormV2: fusedBatchNorm,
  FusedBatchNormV3: fusedBatchNorm,
};
