/**
 * The weights of a model by layer, each made a constant of the graph but once. Names are matched as tfjs-layers matches
 * them. Knows no layer.
 */
import type { Graph, Value } from '@cyclegan/graph';
import { refuseModel } from '../model-json.js';
import type { Weight } from '../weights.js';
import type { LayerWeights } from './layer-kind.js';

/** One a model. */
export interface ModelWeights {
  of(layer: string): LayerWeights;
  /** Names in the file that no layer has asked for. */
  unread(): string[];
}

/**
 * Weights are called `layer/weight`; `layer/cell/weight` (TensorFlow 2.2 and later) and `layer/vars/0`, by the order in
 * which the layer asks (Keras 3), are known too.
 * @param file the model.json, for messages
 */
export function modelWeights(file: string, graph: Graph, tensors: ReadonlyMap<string, Weight>): ModelWeights {
  const unread = new Set(tensors.keys());
  const full = new Map<string, string>();
  for (const name of tensors.keys()) {
    const parts = name.split('/');
    const short = [...parts.slice(0, -2), ...parts.slice(-1)].join('/');
    if (parts.length > 2 && !full.has(short)) full.set(short, name);
  }
  for (const name of tensors.keys()) full.set(name, name);
  const constants = new Map<string, Value>();

  const constant = (name: string): Value => {
    const known = constants.get(name);
    if (known) return known;
    const weight = tensors.get(name);
    if (weight?.dtype !== 'float32') {
      return refuseModel(
        file,
        `expected weights of float32, got ${name} of ${weight?.dtype}. Take another model.`,
      );
    }
    const value = graph.constant(weight, name);
    constants.set(name, value);
    unread.delete(name);
    return value;
  };

  const layerWeights = (layer: string): LayerWeights => {
    const asked: string[] = [];
    const find = (name: string): Value | undefined => {
      const key = full.get(`${layer}/${name}`);
      if (key === undefined) return undefined;
      if (!asked.includes(name)) asked.push(name);
      return constant(key);
    };
    const byOrder = (name: string): Value | undefined => {
      if (!asked.includes(name)) asked.push(name);
      const key = full.get(`${layer}/${asked.indexOf(name)}`);
      return key === undefined ? undefined : constant(key);
    };
    return {
      find,
      get(name, shape) {
        const value = find(name) ?? byOrder(name);
        const fits = value && (!shape || shape.join() === value.constant?.shape.join());
        if (fits) return value;
        const expected = shape ? ` of [${shape.join(', ')}]` : '';
        const got = value ? `[${value.constant?.shape.join(', ')}]` : 'none';
        return refuseModel(
          file,
          `expected the weight ${layer}/${name}${expected}, got ${got}. Convert the model again.`,
        );
      },
    };
  };

  const layers = new Map<string, LayerWeights>();
  return {
    of(layer) {
      const known = layers.get(layer) ?? layerWeights(layer);
      layers.set(layer, known);
      return known;
    },
    unread: () => [...unread],
  };
}
