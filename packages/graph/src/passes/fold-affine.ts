/**
 * Affine maps of channels into the weights and biases of the convolutions beside them: batch normalisation, and what
 * multiplies, divides, adds or subtracts constants. What has no convolution beside it stays.
 */
import type { Graph, Node, Value } from '../graph.js';
import { Conv, ConvTranspose, Pad } from '../ops/index.js';
import type { Links } from '../rebuild.js';
import { float32, tensor } from '../tensor.js';
import { type ChannelAffine, channelAffineOf } from './channel-affine.js';
import { floatsOf, numbersOf, type Pass, type Place, type Rule, rewrite } from './pass.js';

/**
 * - k·(W∗x + b) + d = (k·W)∗x + (k·b + d), for Conv and ConvTranspose.
 * - W∗(k·x + d) + b = (W·k)∗x + (b + Σ W·d), for Conv without zero padding, as there the border is not k·0 + d; with
 *   padding, and for ConvTranspose, whose border sees fewer taps, only where d is 0. A Pad by reflection or edges may
 *   stand between: it commutes with the map.
 *
 * Not where the value between has other readers, or the weights have and would be doubled. Sums are in float64.
 */
export const foldAffine: Pass = {
  name: 'affine into convolutions',
  apply: (graph) => rewrite(graph, (place) => intoConvolutionBefore(place) ?? intoConvolutionAfter(place)),
};

interface Convolution {
  readonly node: Node;
  readonly weights: Value;
  readonly data: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly outputs: number;
  /** By place in the weights. */
  inputChannel(at: number): number;
  outputChannel(at: number): number;
}

function convolutionOf(node: Node | undefined): Convolution | undefined {
  const [, weights, bias] = node?.inputs ?? [];
  const data = floatsOf(weights);
  if (!node || (node.op !== Conv && node.op !== ConvTranspose) || !weights || !data) return undefined;
  if (bias && !floatsOf(bias)) return undefined;
  const { group = 1 } = node.attributes as { group?: number };
  const [first = 1, second = 1, ...kernel] = weights.constant?.shape ?? [];
  const taps = kernel.reduce((product, size) => product * size, 1);
  const firstOf = (at: number) => Math.floor(at / (second * taps));
  // The second axis counts within the first's group.
  const secondOf = (at: number) =>
    Math.floor(firstOf(at) / (first / group)) * second + (Math.floor(at / taps) % second);
  const forward = node.op === Conv;
  return {
    node,
    weights,
    data,
    bias: floatsOf(bias),
    outputs: forward ? first : second * group,
    inputChannel: forward ? secondOf : firstOf,
    outputChannel: forward ? firstOf : secondOf,
  };
}

const intoConvolutionBefore: Rule = (place) => {
  const { node, links, now } = place;
  const affine = channelAffineOf(node);
  const convolution = convolutionOf(links.producer(affine?.x));
  if (!affine || !convolution || links.onlyReader(affine.x) !== node) return undefined;
  const { scale, shift } = affine;
  const weights = scaled(convolution, links, (at) => scale[convolution.outputChannel(at)] ?? 1);
  const bias = shift.map((value, k) => (convolution.bias?.[k] ?? 0) * (scale[k] ?? 1) + value);
  return weights && convolve(place, convolution, now(convolution.node.inputs[0] as Value), weights, bias);
};

const intoConvolutionAfter: Rule = (place) => {
  const { node, graph, links, now } = place;
  const convolution = convolutionOf(node);
  const border = convolution && borderBefore(node, links);
  const before = links.producer(border ? border.inputs[0] : node.inputs[0]);
  const affine = before && channelAffineOf(before);
  if (!convolution || !affine || links.onlyReader(before.outputs[0] as Value) !== (border ?? node))
    return undefined;
  if (!bordersAllow(convolution, affine)) return undefined;
  const { scale, shift } = affine;
  const weights = scaled(convolution, links, (at) => scale[convolution.inputChannel(at)] ?? 1);
  if (!weights) return undefined;
  const bias = Float64Array.from({ length: convolution.outputs }, (_, k) => convolution.bias?.[k] ?? 0);
  convolution.data.forEach((weight, at) => {
    const k = convolution.outputChannel(at);
    bias[k] = (bias[k] ?? 0) + weight * (shift[convolution.inputChannel(at)] ?? 0);
  });
  const x = now(affine.x);
  const parameters = border?.inputs.slice(1).map((value) => value && now(value)) ?? [];
  const bordered = border ? graph.op(Pad, [x, ...parameters], border.attributes) : x;
  return convolve(place, convolution, bordered, weights, bias);
};

/** A border made of the image's own pixels, to which it is the same whether the map comes before or after. */
function borderBefore(node: Node, links: Links): Node | undefined {
  const border = links.producer(node.inputs[0]);
  const pads = numbersOf(border?.inputs[1]);
  const { mode } = (border?.attributes ?? {}) as { mode?: string };
  if (border?.op !== Pad || (mode !== 'reflect' && mode !== 'edge') || border.inputs[3]) return undefined;
  const ownChannels = pads?.length === 8 && [0, 1, 4, 5].every((i) => pads[i] === 0);
  return ownChannels && links.onlyReader(border.outputs[0] as Value) === node ? border : undefined;
}

function bordersAllow({ node }: Convolution, { shift }: ChannelAffine): boolean {
  if (shift.every((value) => value === 0)) return true;
  const { pads = [], auto_pad = 'NOTSET' } = node.attributes as {
    pads?: readonly number[];
    auto_pad?: string;
  };
  return (
    node.op === Conv && (auto_pad === 'VALID' || (auto_pad === 'NOTSET' && pads.every((pad) => pad === 0)))
  );
}

type Weights = Float32Array<ArrayBuffer> | 'unchanged';

function scaled(
  { weights, data }: Convolution,
  links: Links,
  factor: (at: number) => number,
): Weights | undefined {
  if (data.every((_, at) => factor(at) === 1)) return 'unchanged';
  return links.readers(weights).length === 1 ? data.map((weight, at) => weight * factor(at)) : undefined;
}

function convolve(
  { graph, now, put }: Place,
  { node, weights }: Convolution,
  x: Value,
  changed: Weights,
  bias: Float64Array,
): readonly Value[] | undefined {
  const shift = float32([...bias]);
  if (![shift.data, changed].every((list) => list === 'unchanged' || list.every(Number.isFinite)))
    return undefined;
  const places = [constantOf(graph, now(weights), changed), graph.constant(shift)];
  return put(node.op, [x, ...places], node.attributes, node.name);
}

function constantOf(graph: Graph, old: Value, changed: Weights): Value {
  if (changed === 'unchanged') return old;
  return graph.constant(tensor('float32', old.constant?.shape ?? [], changed));
}
