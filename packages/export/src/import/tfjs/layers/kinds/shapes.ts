/** Layers that move elements or pass them on as they are. */
import { Reshape as OnnxReshape } from '@cyclegan/graph';
import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { transpose } from '../../kernels.js';
import type { CustomLayer, TfjsForLayers, TfjsLayerClass } from '../layer-kind.js';

const Flatten: CustomLayer = {
  className: 'Flatten',
  convert: ({ graph, x, config }) => {
    const axes = x.shape.map((_, i) => i);
    const [batch = 0, channel = 1, ...spatial] = axes;
    const ordered = config.layout() === 'NCHW' ? transpose(graph, x, [batch, ...spatial, channel]) : x;
    return graph.op(OnnxReshape, [ordered, graph.ints([0, -1])]);
  },
};

const Reshape: CustomLayer = {
  className: 'Reshape',
  convert: ({ graph, x, config }) => {
    const given = config.value('target_shape');
    const sizes = Array.isArray(given) ? given.map((size: unknown) => size ?? -1) : [];
    const fits = sizes.length <= 8 && sizes.every((size) => Number.isSafeInteger(size) && size !== 0);
    if (!fits || sizes.length === 0)
      config.refuse('a target_shape of whole numbers', JSON.stringify(given) ?? 'none');
    return graph.op(OnnxReshape, [x, graph.ints([0, ...sizes.map((size) => Math.max(Number(size), -1))])]);
  },
};

const Permute: CustomLayer = {
  className: 'Permute',
  convert: ({ graph, x, config }) => transpose(graph, x, [0, ...config.integers('dims')]),
};

function identity(className: string, define?: CustomLayer['define']): CustomLayer {
  return { className, convert: ({ x }) => x, ...(define ? { define } : {}) };
}

/** Passes its input on, under the name of a layer that tfjs does not know. */
function passing(className: string) {
  return (tf: TfjsForLayers): TfjsLayerClass =>
    class extends tf.layers.Layer {
      static className = className;
      override call(inputs: TfTensor | TfTensor[]) {
        return Array.isArray(inputs) ? (inputs[0] ?? []) : inputs;
      }
    };
}

export const shapes: readonly CustomLayer[] = [
  Flatten,
  Reshape,
  Permute,
  identity('Dropout'),
  identity('GaussianDropout'),
  identity('GaussianNoise'),
  identity('AlphaDropout'),
  identity('SpatialDropout2D', passing('SpatialDropout2D')),
  identity('ActivityRegularization', passing('ActivityRegularization')),
];
