/** Convolutions, also fused with bias and activation. */
import { knownElements, Slice, type Value } from '@cyclegan/graph';
import {
  activate,
  biasAdd,
  type ConvolutionOptions,
  conv2d,
  conv2dTranspose,
  depthwiseConv2d,
  isActivation,
  leakyRelu,
  prelu,
} from '../../kernels.js';
import { type Call, type Converter, layoutOf, paddingOf, spatialPair } from '../call.js';

/** The convolution of a node, fused or not, also over another input with other windows. */
export function convolve(
  call: Call,
  x = call.input(0),
  changed?: Pick<ConvolutionOptions, 'dilations' | 'padding'>,
): Value {
  const { graph, node, attributes } = call;
  const layout = layoutOf(call);
  const apply = /depthwise/i.test(node.op) ? depthwiseConv2d : conv2d;
  const result = apply(graph, x, call.input(1), {
    layout,
    strides: spatialPair(call, attributes.ints('strides', []), layout),
    dilations: spatialPair(call, attributes.ints('dilations', [1, 1, 1, 1]), layout),
    padding: changed?.padding ?? paddingOf(call, layout),
    ...changed,
  });
  return fused(call, result, 2);
}

/** The attribute fused_ops: a bias, an activation or both, whose operands begin at input `first`. */
export function fused(call: Call, x: Value, first: number): Value {
  const { graph, attributes } = call;
  let at = first;
  return attributes.strings('fused_ops').reduce((value, name) => {
    const op = name.toLowerCase();
    if (op === 'biasadd') return biasAdd(graph, value, call.input(at++), layoutOf(call));
    if (op === 'prelu') return prelu(graph, value, call.input(at++));
    if (op === 'leakyrelu') return leakyRelu(graph, value, attributes.float('leakyrelu_alpha', 0.2));
    if (isActivation(op)) return activate(graph, value, op);
    return call.fail(`expected fused operators that are known here, got ${name}`);
  }, x);
}

const transposed: Converter = (call) => {
  const { graph, attributes } = call;
  const layout = layoutOf(call);
  const [from, to] = layout === 'NHWC' ? [1, 3] : [2, 4];
  const output = graph.op(Slice, [call.input(0), graph.ints([from]), graph.ints([to])]);
  const known = knownElements(output);
  const [height, width] = known ?? [];
  return conv2dTranspose(graph, call.input(2), call.input(1), {
    layout,
    strides: spatialPair(call, attributes.ints('strides', []), layout),
    dilations: spatialPair(call, attributes.ints('dilations', [1, 1, 1, 1]), layout),
    padding: paddingOf(call, layout),
    output: typeof height === 'number' && typeof width === 'number' ? [height, width] : output,
  });
};

export const convolutions: Readonly<Record<string, Converter>> = {
  Conv2D: (call) => convolve(call),
  _FusedConv2D: (call) => convolve(call),
  DepthwiseConv2d: (call) => convolve(call),
  DepthwiseConv2dNative: (call) => convolve(call),
  FusedDepthwiseConv2dNative: (call) => convolve(call),
  Conv2DBackpropInput: transposed,
};
