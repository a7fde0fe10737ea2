/** A network: its parameters by the reference's names, and itself as a graph function. */
import type { Graph, Value } from '@cyclegan/graph';
import { applyLayers, type Layer, type Parameter, parametersOf, type Weights } from './layers.js';

/** Holds no weights: they come with every application, so that one network can be applied to several sets. */
export interface Network {
  /** In state_dict order. */
  readonly parameters: readonly Parameter[];
  /**
   * Appends the network to `graph`.
   * @param x float32 [N, C, H, W] in [-1, 1]
   * @throws GraphError when x is too small or has other channels
   */
  apply(graph: Graph, x: Value, weights: Weights): Value;
}

/** A network from its layers, with `model.` before every name, as the reference's have. */
export function layeredNetwork(layers: readonly Layer[]): Network {
  return {
    parameters: parametersOf(layers, 'model'),
    apply: (graph, x, weights) => applyLayers(graph, layers, x, weights, 'model'),
  };
}
