/**
 * A canvas's bytes in and out: the runtimes' own arithmetic between pixels and planes (pixels.ts of runtime-core) as
 * nodes of the graph, equal to the byte. For CPUs, as WebGPU casts no bytes.
 */
import {
  Add,
  Cast,
  Clip,
  Concat,
  Div,
  Floor,
  type Graph,
  GraphError,
  Mul,
  onnxTypes,
  ReduceSum,
  rebuild,
  Split,
  Sub,
  sameDim,
  tensor,
  type Value,
} from '@cyclegan/graph';
import { imageEnds } from './ends.js';
import { channelsFirst, channelsLast } from './nhwc.js';

/**
 * The graph with uint8 [N, H, W, 4] in and out: RGBA, interleaved, not premultiplied. Alpha is passed through and has
 * no part in the colours. A model of one channel sees ITU-R 601 luma, and its grey comes back in all three colours.
 * @param graph float32 [N, C, H, W] on [-1, 1] in and out; other inputs and outputs stay as they are
 * @throws GraphError for other ends, and where the output is not of the input's size, which alpha has
 */
export function toRgba8(graph: Graph): Graph {
  const { input, output } = imageEnds(graph);
  const keepsSize = !output || (sameDim(output.height, input.height) && sameDim(output.width, input.width));
  if (!keepsSize) {
    throw new GraphError(
      `graph ${graph.name}: expected an output of the input's size to join alpha to, got another. Export it as float32.`,
    );
  }
  let alpha: Value | undefined;
  return rebuild(graph, {
    input(next, old) {
      if (old !== input.value) return undefined;
      const shape = [input.batch, input.height, input.width, 4];
      const rgba = next.input(old.name, 'uint8', shape);
      const [colours, kept] = next.ops(Split, [rgba, next.ints([3, 1])], { axis: 3 });
      if (!colours || !kept) throw new Error('internal: a Split into two gave less');
      alpha = kept;
      return toFloats(next, channelsFirst(next, input.channels === 3 ? colours : luma(next, colours)));
    },
    output(next, { name, value }) {
      if (name !== output?.name || !alpha) return value;
      const bytes = channelsLast(next, toBytes(next, value));
      const colours = output.channels === 3 ? [bytes] : [bytes, bytes, bytes];
      return next.op(Concat, [...colours, alpha], { axis: 3 });
    },
  });
}

const cast = (graph: Graph, value: Value, to: keyof typeof onnxTypes) =>
  graph.op(Cast, [value], { to: onnxTypes[to] });

/** uint8 [N, H, W, 3] → uint8 [N, H, W, 1], rounded as Pillow does. */
function luma(graph: Graph, colours: Value): Value {
  const whole = (...values: number[]) =>
    graph.constant(tensor('int32', [values.length], Int32Array.from(values)));
  const weighted = graph.op(Mul, [cast(graph, colours, 'int32'), whole(19595, 38470, 7471)]);
  const sum = graph.op(ReduceSum, [weighted, graph.ints([3])], { keepdims: 1 });
  return cast(graph, graph.op(Div, [graph.op(Add, [sum, whole(32768)]), whole(65536)]), 'uint8');
}

/** (2v − 255) / 255: for every byte the float32 that is nearest to v / 127.5 − 1, with one rounding alone. */
function toFloats(graph: Graph, bytes: Value): Value {
  const doubled = graph.op(Mul, [cast(graph, bytes, 'float32'), graph.float(2)]);
  return graph.op(Div, [graph.op(Sub, [doubled, graph.float(255)]), graph.float(255)]);
}

/** clamp(⌊(y + 1) · 127.5 + ½⌋), in float64 as JavaScript computes it: float32 would round some values to the next byte. */
function toBytes(graph: Graph, planes: Value): Value {
  const double = (value: number) => graph.constant(tensor('float64', [], Float64Array.of(value)));
  const shifted = graph.op(Add, [cast(graph, planes, 'float64'), double(1)]);
  const halved = graph.op(Add, [graph.op(Mul, [shifted, double(127.5)]), double(0.5)]);
  const clamped = graph.op(Clip, [graph.op(Floor, [halved]), double(0), double(255)]);
  return cast(graph, clamped, 'uint8');
}
