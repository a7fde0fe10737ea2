/**
 * Convolutions of a graph put between QuantizeLinear and DequantizeLinear, in the form of which onnxruntime makes
 * QLinearConv. Which ones, and with what ranges, others decide.
 */
import {
  DequantizeLinear,
  type Graph,
  linksOf,
  type Node,
  prune,
  QuantizeLinear,
  rebuild,
  type Tensor,
  type Turn,
  tensor,
  type Value,
} from '@cyclegan/graph';
import { type Convolution, movedBy } from './convolutions.js';
import { biasScales, integerWeights, type Range, scaleOf } from './eight-bits.js';

export interface IntegerOptions {
  /** Of the graph, any of its own. */
  convolutions: Iterable<Convolution>;
  /** Of every source and result of those. */
  ranges: ReadonlyMap<Value, Range>;
  /** The largest integer among weights. */
  largest: 127 | 63;
}

/** A value of the old graph as it is in the new one: uint8, and float32 again. */
interface Integers {
  readonly bytes: Value;
  /** What the bytes stand for; nothing is left of it where nothing reads it. */
  readonly floats: Value;
  readonly scale: number;
  /** Scale and zero point, as the operators take them. */
  readonly parameters: readonly [Value, Value];
}

/**
 * Activations are uint8 with one scale a tensor, weights int8 with one a channel, biases int32. What only moves
 * elements, such as a Pad by reflection, moves bytes where they come from a convolution or go into one.
 * @returns a new graph with the same inputs and outputs
 */
export function writeIntegers(old: Graph, { convolutions, ranges, largest }: IntegerOptions): Graph {
  const chosen = [...convolutions];
  const byNode = new Map(chosen.map((each) => [each.node, each]));
  const results = new Set(chosen.map(({ result }) => result));
  const links = linksOf(old);
  const known = new Map<Value, Integers>();
  /** Values of which there is nothing but integers. */
  const rounded = new Set<Value>();

  /** Made where it is not there yet: at its source, and moved from there. */
  const integersOf = (turn: Turn, value: Value): Integers => {
    const there = known.get(value);
    if (there) return there;
    const mover = links.producer(value);
    const moved = mover && movedBy(mover);
    const made = moved
      ? move(turn, mover, integersOf(turn, moved))
      : quantize(turn.graph, value.name, turn.now(value), rangeOf(value));
    known.set(value, made);
    return made;
  };
  const rangeOf = (value: Value): Range => {
    const range = ranges.get(value);
    if (!range) throw new Error(`internal: ${value.name} has no range`);
    return range;
  };

  const graph = rebuild(old, {
    node(turn) {
      const { node, copy } = turn;
      const [input] = node.inputs;
      const [output] = node.outputs;
      if (!input || !output) return undefined;
      const moved = movedBy(node);
      if (moved && rounded.has(moved)) {
        rounded.add(output);
        return [integersOf(turn, output).floats];
      }
      const convolution = byNode.get(node);
      const [made, ...others] = convolution
        ? convolve(turn, convolution, integersOf(turn, input), largest)
        : copy();
      if (!made || !results.has(output)) return made && [made, ...others];
      const integers = quantize(turn.graph, output.name, made, rangeOf(output));
      known.set(output, integers);
      rounded.add(output);
      return [integers.floats];
    },
  });
  prune(graph);
  return graph;
}

function quantize(graph: Graph, name: string, value: Value, range: Range): Integers {
  return graph.scope(name, () => {
    const { scale, zeroPoint } = scaleOf(range);
    const parameters = [
      graph.float(scale),
      graph.constant(tensor('uint8', [], Uint8Array.of(zeroPoint))),
    ] as const;
    return integers(graph, { bytes: graph.op(QuantizeLinear, [value, ...parameters]), scale, parameters });
  });
}

function integers(graph: Graph, made: Omit<Integers, 'floats'>): Integers {
  return { ...made, floats: graph.op(DequantizeLinear, [made.bytes, ...made.parameters]) };
}

/** The mover again, on bytes. */
function move({ graph, now }: Turn, { op, inputs, outputs, attributes }: Node, from: Integers): Integers {
  const [, ...others] = inputs;
  return graph.scope(outputs[0]?.name ?? op.name, () => {
    const bytes = graph.op(op, [from.bytes, ...others.map((value) => value && now(value))], attributes);
    return integers(graph, { ...from, bytes });
  });
}

function convolve(
  { graph, copy }: Turn,
  { node, weight, bias }: Convolution,
  { floats, scale: inputScale }: Integers,
  largest: 127 | 63,
): Value[] {
  const made = integerWeights(floatsOf(weight), bias && floatsOf(bias), {
    channels: weight.shape[0] as number,
    inputScale,
    largest,
  });
  const channels = [made.scales.length];
  const parameter = (numbers: Tensor, scales: Float32Array<ArrayBuffer>, zeros: Tensor): Value => {
    const inputs = [numbers, tensor('float32', channels, scales), zeros].map((each) => graph.constant(each));
    return graph.op(DequantizeLinear, inputs, { axis: 0 });
  };
  const parameters = graph.scope(node.outputs[0]?.name ?? node.name, () => [
    parameter(
      tensor('int8', weight.shape as readonly number[], made.weights),
      made.scales,
      tensor('int8', channels, new Int8Array(made.scales.length)),
    ),
    ...(made.bias
      ? [
          parameter(
            tensor('int32', channels, made.bias),
            biasScales(made.scales, inputScale),
            tensor('int32', channels, new Int32Array(made.scales.length)),
          ),
        ]
      : []),
  ]);
  return copy({ inputs: [floats, ...parameters] });
}

function floatsOf({ constant, name }: Value): Float32Array {
  if (!(constant?.data instanceof Float32Array))
    throw new Error(`internal: ${name} is no constant of floats`);
  return constant.data;
}
