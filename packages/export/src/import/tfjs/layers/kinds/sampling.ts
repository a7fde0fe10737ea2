/** Layers that change height and width without weights: pooling, padding, cropping, enlarging. */
import type { Value } from '@cyclegan/graph';
import {
  averagePool,
  constantPad,
  globalAveragePool,
  globalMaxPool,
  type Layout,
  maxPool,
  upsample,
} from '../../kernels.js';
import type { Edges, LayerConfig } from '../layer-config.js';
import type { CustomLayer } from '../layer-kind.js';

function pooling(className: string, pool: typeof maxPool): CustomLayer {
  return {
    className,
    convert: ({ graph, x, config }) => {
      const size = config.pair('pool_size', [2, 2]);
      return pool(graph, x, {
        size,
        strides: config.pair('strides', size),
        padding: config.choice('padding', ['valid', 'same'], 'valid') === 'same' ? 'SAME' : 'VALID',
        layout: config.layout(),
      });
    },
  };
}

function globalPooling(className: string, pool: typeof globalMaxPool): CustomLayer {
  return {
    className,
    refuse: (config) =>
      config.flag('keepdims', false) ? 'keepdims, which tfjs leaves out without a word' : undefined,
    convert: ({ graph, x, config }) => pool(graph, x, { keepDims: false, layout: config.layout() }),
  };
}

/** One pair an axis, as kernels take pads. */
export function axisPads([height, width]: Edges, layout: Layout) {
  const none = [0, 0] as const;
  return layout === 'NHWC' ? [none, height, width, none] : [none, none, height, width];
}

const ZeroPadding2D: CustomLayer = {
  className: 'ZeroPadding2D',
  convert: ({ graph, x, config }) =>
    constantPad(graph, x, axisPads(config.edges('padding', 1), config.layout())),
};

const Cropping2D: CustomLayer = {
  className: 'Cropping2D',
  // ONNX's Pad takes away where pads are negative, whatever the size.
  convert: ({ graph, x, config }): Value => {
    const [[top, bottom], [left, right]] = config.edges('cropping', 0);
    const edges: Edges = [
      [-top, -bottom],
      [-left, -right],
    ];
    return constantPad(graph, x, axisPads(edges, config.layout()));
  },
};

function methodOf(config: LayerConfig): 'nearest' | 'bilinear' {
  return config.choice('interpolation', ['nearest', 'bilinear'], 'nearest');
}

/** tfjs lays the upper left corners on each other, where Keras takes the pixels' centres: tfjs's way is the source's. */
const UpSampling2D: CustomLayer = {
  className: 'UpSampling2D',
  refuse: (config) => {
    const method = config.text('interpolation', 'nearest');
    return method === 'nearest' || method === 'bilinear'
      ? undefined
      : `interpolation ${method.slice(0, 100)}`;
  },
  convert: ({ graph, x, config }) =>
    upsample(graph, x, {
      factors: config.pair('size', [2, 2]),
      method: methodOf(config),
      layout: config.layout(),
    }),
};

export const sampling: readonly CustomLayer[] = [
  pooling('MaxPooling2D', maxPool),
  pooling('AveragePooling2D', averagePool),
  globalPooling('GlobalAveragePooling2D', globalAveragePool),
  globalPooling('GlobalMaxPooling2D', globalMaxPool),
  ZeroPadding2D,
  Cropping2D,
  UpSampling2D,
];
