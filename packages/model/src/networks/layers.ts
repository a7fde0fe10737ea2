/**
 * Networks as lists of layers, as in PyTorch's nn.Sequential: a parameter's name is its layer's place in the list,
 * which is how the reference's state_dict keys come about. Knows no weights' values.
 */
import {
  Add,
  Conv,
  ConvTranspose,
  type Graph,
  InstanceNormalization,
  LeakyRelu,
  Pad,
  Relu,
  Tanh,
  type Value,
} from '@cyclegan/graph';

/** One entry of an nn.Sequential; sizes are channels and pixels. */
export type Layer =
  | {
      readonly kind: 'conv';
      readonly input: number;
      readonly output: number;
      readonly kernel: number;
      readonly stride: number;
      readonly pad: number;
    }
  | {
      /** Kernel 3, stride 2, padding 1, output padding 1: doubles height and width. */
      readonly kind: 'convTranspose';
      readonly input: number;
      readonly output: number;
    }
  | { readonly kind: 'reflectionPad'; readonly pad: number }
  | { readonly kind: 'instanceNorm'; readonly channels: number }
  | { readonly kind: 'relu' | 'tanh' }
  | { readonly kind: 'leakyRelu'; readonly slope: number }
  /** The input added to what the inner layers make of it; the inner list's name stands in the keys. */
  | { readonly kind: 'residual'; readonly name: string; readonly layers: readonly Layer[] };

/** What is trained of a layer, without its values. */
export interface Parameter {
  /** The reference's state_dict key, such as `model.10.conv_block.1.weight`. */
  readonly name: string;
  /** Conv [K, C, kh, kw], ConvTranspose [C, K, kh, kw], bias [K]. */
  readonly shape: readonly number[];
  readonly role: 'weight' | 'bias';
}

/** The parameters of a list of layers, in the order of PyTorch's state_dict. */
export function parametersOf(layers: readonly Layer[], prefix: string): Parameter[] {
  return layers.flatMap((layer, i): Parameter[] => {
    const name = `${prefix}.${i}`;
    switch (layer.kind) {
      case 'conv':
        return pair(name, [layer.output, layer.input, layer.kernel, layer.kernel], layer.output);
      case 'convTranspose':
        return pair(name, [layer.input, layer.output, 3, 3], layer.output);
      case 'residual':
        return parametersOf(layer.layers, `${name}.${layer.name}`);
      default:
        return [];
    }
  });
}

function pair(name: string, shape: readonly number[], outputs: number): Parameter[] {
  return [
    { name: `${name}.weight`, shape, role: 'weight' },
    { name: `${name}.bias`, shape: [outputs], role: 'bias' },
  ];
}

/** Finds a parameter's value by the name that {@link parametersOf} gave it. */
export type Weights = (name: string) => Value;

/**
 * Appends the layers to a graph.
 *
 * A convolution's bias is left out where InstanceNormalization follows: the mean takes it away again, so that its
 * gradient is zero and the result the same.
 * @param x float32 [N, C, H, W]
 */
export function applyLayers(
  graph: Graph,
  layers: readonly Layer[],
  x: Value,
  weights: Weights,
  prefix: string,
): Value {
  let value = x;
  layers.forEach((layer, i) => {
    const normalised = layers[i + 1]?.kind === 'instanceNorm';
    value = applyLayer(graph, layer, value, weights, `${prefix}.${i}`, !normalised);
  });
  return value;
}

function applyLayer(
  graph: Graph,
  layer: Layer,
  x: Value,
  weights: Weights,
  name: string,
  bias: boolean,
): Value {
  const parameters = () => [weights(`${name}.weight`), ...(bias ? [weights(`${name}.bias`)] : [])];
  switch (layer.kind) {
    case 'conv': {
      const pads = [layer.pad, layer.pad, layer.pad, layer.pad];
      const kernel_shape = [layer.kernel, layer.kernel];
      const strides = [layer.stride, layer.stride];
      return graph.op(Conv, [x, ...parameters()], { kernel_shape, strides, pads });
    }
    case 'convTranspose':
      return graph.op(ConvTranspose, [x, ...parameters()], {
        kernel_shape: [3, 3],
        strides: [2, 2],
        pads: [1, 1, 1, 1],
        output_padding: [1, 1],
      });
    case 'reflectionPad': {
      const { pad } = layer;
      return graph.op(Pad, [x, graph.ints([0, 0, pad, pad, 0, 0, pad, pad])], { mode: 'reflect' });
    }
    case 'instanceNorm': {
      const scale = graph.float(new Array(layer.channels).fill(1));
      const shift = graph.float(new Array(layer.channels).fill(0));
      return graph.op(InstanceNormalization, [x, scale, shift], { epsilon: 1e-5 });
    }
    case 'relu':
      return graph.op(Relu, [x]);
    case 'tanh':
      return graph.op(Tanh, [x]);
    case 'leakyRelu':
      return graph.op(LeakyRelu, [x], { alpha: layer.slope });
    case 'residual':
      return graph.op(Add, [x, applyLayers(graph, layer.layers, x, weights, `${name}.${layer.name}`)]);
  }
}
