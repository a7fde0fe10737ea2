/** Layers with weights that mix channels: convolutions and Dense. */
import { Add, MatMul, Reshape, type Value } from '@cyclegan/graph';
import { biasAdd, conv2d, conv2dTranspose, depthwiseConv2d, type Layout } from '../../kernels.js';
import type { LayerConfig } from '../layer-config.js';
import type { CustomLayer, LayerCall } from '../layer-kind.js';
import { activated, channelsOf, refuseActivation, sizeOf } from './common.js';

const strideOne = [1, 1] as const;

function refuseConvolution(config: LayerConfig): string | undefined {
  if (config.text('padding', 'valid') === 'causal') return 'padding causal, which has one dimension alone';
  if (config.integer('groups', { fallback: 1 }) !== 1) return 'groups, which tfjs does not know';
  return refuseActivation(config);
}

function windows(config: LayerConfig, layout: Layout) {
  return {
    layout,
    strides: config.pair('strides', strideOne),
    dilations: config.pair('dilation_rate', strideOne),
    padding:
      config.choice('padding', ['valid', 'same'], 'valid') === 'same'
        ? ('SAME' as const)
        : ('VALID' as const),
  };
}

/** Bias and activation. */
function finished({ graph, config, weights }: LayerCall, y: Value, layout: Layout): Value {
  const size = channelsOf(y, layout);
  const sum = config.flag('use_bias', true) ? biasAdd(graph, y, weights.get('bias', [size]), layout) : y;
  return activated(graph, sum, config);
}

const Conv2D: CustomLayer = {
  className: 'Conv2D',
  refuse: refuseConvolution,
  convert: (call) => {
    const { graph, x, config, weights } = call;
    const layout = config.layout();
    const shape = [
      ...config.pair('kernel_size'),
      channelsOf(x, layout),
      config.integer('filters', { least: 1 }),
    ];
    return finished(call, conv2d(graph, x, weights.get('kernel', shape), windows(config, layout)), layout);
  },
};

const DepthwiseConv2D: CustomLayer = {
  className: 'DepthwiseConv2D',
  refuse: (config) =>
    config.pair('dilation_rate', strideOne).some((rate) => rate !== 1)
      ? 'dilation_rate above 1, which tfjs leaves out without a word'
      : refuseConvolution(config),
  convert: (call) => {
    const { graph, x, config, weights } = call;
    const layout = config.layout();
    const multiplier = config.integer('depth_multiplier', { fallback: 1, least: 1 });
    const shape = [...config.pair('kernel_size'), channelsOf(x, layout), multiplier];
    const kernel = weights.get('depthwise_kernel', shape);
    return finished(call, depthwiseConv2d(graph, x, kernel, windows(config, layout)), layout);
  },
};

const SeparableConv2D: CustomLayer = {
  className: 'SeparableConv2D',
  refuse: (config) =>
    config.layout() === 'NCHW' && config.flag('use_bias', true)
      ? 'data_format channels_first with a bias, which tfjs adds to the wrong axis'
      : refuseConvolution(config),
  convert: (call) => {
    const { graph, x, config, weights } = call;
    const layout = config.layout();
    const [channels, filters] = [channelsOf(x, layout), config.integer('filters', { least: 1 })];
    const multiplier = config.integer('depth_multiplier', { fallback: 1, least: 1 });
    const spatial = weights.get('depthwise_kernel', [...config.pair('kernel_size'), channels, multiplier]);
    const pointwise = weights.get('pointwise_kernel', [1, 1, channels * multiplier, filters]);
    const filtered = depthwiseConv2d(graph, x, spatial, windows(config, layout));
    return finished(call, conv2d(graph, filtered, pointwise, { padding: 'VALID', layout }), layout);
  },
};

const Conv2DTranspose: CustomLayer = {
  className: 'Conv2DTranspose',
  refuse: (config) => {
    if (config.value('output_padding') !== undefined) return 'output_padding, which tfjs does not know';
    const dilated = config.pair('dilation_rate', strideOne).some((rate) => rate !== 1);
    return dilated ? 'dilation_rate above 1, which tfjs does not know' : refuseConvolution(config);
  },
  convert: (call) => {
    const { graph, x, config, weights } = call;
    const layout = config.layout();
    const shape = [
      ...config.pair('kernel_size'),
      config.integer('filters', { least: 1 }),
      channelsOf(x, layout),
    ];
    return finished(
      call,
      conv2dTranspose(graph, x, weights.get('kernel', shape), windows(config, layout)),
      layout,
    );
  },
};

/** Along the last axis. Over an image it is a convolution of one pixel, which needs no Transposes around it. */
const Dense: CustomLayer = {
  className: 'Dense',
  refuse: refuseActivation,
  convert: ({ graph, x, config, weights }) => {
    const inputs = sizeOf(x, x.shape.length - 1);
    const units = config.integer('units', { least: 1 });
    const kernel = weights.get('kernel', [inputs, units]);
    const product =
      x.shape.length === 4
        ? conv2d(graph, x, graph.op(Reshape, [kernel, graph.ints([1, 1, inputs, units])]), {
            padding: 'VALID',
          })
        : graph.op(MatMul, [x, kernel]);
    const sum = config.flag('use_bias', true)
      ? graph.op(Add, [product, weights.get('bias', [units])])
      : product;
    return activated(graph, sum, config);
  },
};

export const convolutions: readonly CustomLayer[] = [
  Conv2D,
  DepthwiseConv2D,
  SeparableConv2D,
  Conv2DTranspose,
  Dense,
];
