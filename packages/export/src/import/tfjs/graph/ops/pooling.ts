/** Pooling. */
import type { Value } from '@cyclegan/graph';
import { averagePool, maxPool, type PoolingOptions } from '../../kernels.js';
import { type Call, type Converter, layoutOf, paddingOf, spatialPair } from '../call.js';

function pool(build: (graph: Call['graph'], x: Value, options: PoolingOptions) => Value): Converter {
  return (call) => {
    const { attributes } = call;
    const layout = layoutOf(call);
    return build(call.graph, call.input(0), {
      layout,
      size: spatialPair(call, attributes.ints('ksize', []), layout),
      strides: spatialPair(call, attributes.ints('strides', []), layout),
      padding: paddingOf(call, layout),
    });
  };
}

export const pooling: Readonly<Record<string, Converter>> = {
  MaxPool: pool(maxPool),
  AvgPool: pool(averagePool),
};
