/** A network: its parameters by the reference's names, and itself as a graph function. */
import type { Graph, Value } from '@cyclegan/graph';
import { applyLayers, type Mode, type Weights } from './apply-layers.js';
import { hasLayer, type Layer, type Parameter, parametersOf } from './layers.js';

/** Holds no weights: they come with every application, so that one network can be applied to several sets. */
export interface Network {
  /** In state_dict order. */
  readonly parameters: readonly Parameter[];
  /** What batch norm keeps beside what is trained: `running_mean` and `running_var`, in state_dict order. */
  readonly buffers: readonly Parameter[];
  /** Whether a sample comes out the same whichever others are in its batch, in training too: not with batch norm. */
  readonly perSample: boolean;
  /**
   * Appends the network to `graph`.
   * @param x float32 [N, C, H, W] in [-1, 1]
   * @param weights finds parameters and buffers
   * @param mode default `eval`
   * @throws GraphError when x is too small or has other channels, or in training sizes that are not fixed
   */
  apply(graph: Graph, x: Value, weights: Weights, mode?: Mode): Value;
}

/** A network from its layers. @param prefix before every name: the reference's attribute that holds the list */
export function layeredNetwork(layers: readonly Layer[], prefix = 'model'): Network {
  return {
    ...parametersOf(layers, prefix),
    perSample: !hasLayer(layers, 'batchNorm'),
    apply: (graph, x, weights, mode = 'eval') => applyLayers({ graph, weights, mode }, layers, x, prefix),
  };
}
