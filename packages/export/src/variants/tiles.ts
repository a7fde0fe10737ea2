/**
 * The pair of graphs for tiles of a large image. InstanceNormalization takes its mean and variance over all that it
 * sees, so that tiles come out in tones of their own; here one graph takes the statistics of an image, and the other
 * normalises each tile by them. Cuts and blends nothing.
 */
import {
  Add,
  Cast,
  Concat,
  type Dim,
  Div,
  fixedDim,
  type Graph,
  GraphError,
  InstanceNormalization,
  MatMul,
  Max,
  Min,
  Mul,
  type Node,
  onnxTypes,
  prune,
  Range,
  ReduceMean,
  Relu,
  Reshape,
  rebuild,
  Shape,
  Split,
  Sqrt,
  Sub,
  type Turn,
  type Value,
} from '@cyclegan/graph';
import { imageEnds } from './ends.js';

export const STATISTICS_NAME = 'statistics';
/** To what the statistics' graph takes. */
export const CORRECTION_NAME = 'correction';
/** What of a tile its own statistics are of. */
export const CORE_NAME = 'core';
/** The tile's own, in what it gives. */
export const OWN_STATISTICS_NAME = 'own_statistics';

/** Of one layer: [N, C, 1, …], as many axes as the layer's input has. */
interface Statistics {
  mean: Value;
  /** Biased: the sum of squares over their number. */
  variance: Value;
}

/**
 * A graph from the same image to `statistics`, float32 [N, 2, C]: for each sample the means and then the biased
 * variances of what every InstanceNormalization sees, in the order of the nodes, channel after channel. Its second
 * input, `correction`, of the same shape, is added to the means and multiplied with the variances before anything is
 * normalised by them: an image that stands for a larger one is held to that one's. Zeros and ones change nothing.
 * @throws GraphError where there is no InstanceNormalization: such a model's tiles agree as they are
 */
export function statisticsGraph(graph: Graph): Graph {
  const layers: Statistics[] = [];
  const made = rebuild(graph, {
    node: byRows(graph, CORRECTION_NAME, (turn, offset, factor) => {
      const { graph: next } = turn;
      const x = normalisedInput(turn);
      const mean = next.op(Add, [average(next, x), offset]);
      const centred = next.op(Sub, [x, mean]);
      const variance = next.op(Mul, [varianceOf(next, centred, offset), factor]);
      layers.push({ mean, variance });
      return normalise(turn, centred, variance);
    }),
    output: () => undefined,
  });
  statisticsOutput(made, STATISTICS_NAME, layers);
  prune(made);
  return made;
}

/**
 * The graph with a second input, the `statistics` that {@link statisticsGraph} gives, by which every
 * InstanceNormalization normalises, and a second output, `own_statistics`, of the same shape: those of what each sees
 * there. A third input, `core`, float32 [1, 1, 4], says of which part, in the image's pixels: top, left, bottom, right;
 * where tiles overlap, each pixel is to count once, and what sees a tile's edge is not
 * to count. On the whole image it answers as the graph itself does, and both statistics are equal.
 * @throws GraphError as {@link statisticsGraph}
 */
export function tileGraph(graph: Graph): Graph {
  const layers: Statistics[] = [];
  let core: Core | undefined;
  const made = rebuild(graph, {
    node: byRows(graph, STATISTICS_NAME, (turn, mean, variance) => {
      const { graph: next } = turn;
      core ??= coreInput(next);
      const centred = next.op(Sub, [normalisedInput(turn), mean]);
      const meanOf = averageOver(next, core, centred);
      const offset = meanOf(centred);
      layers.push({
        mean: next.op(Add, [mean, offset]),
        variance: varianceOf(next, centred, offset, meanOf),
      });
      return normalise(turn, centred, variance);
    }),
  });
  statisticsOutput(made, OWN_STATISTICS_NAME, layers);
  return made;
}

/** Its edges as parts of the image's height and width, each [1]. */
interface Core {
  rows: { from: Value; to: Value };
  columns: { from: Value; to: Value };
}

function coreInput(graph: Graph): Core {
  const [image] = graph.inputs;
  const edges = graph.op(Reshape, [graph.input(CORE_NAME, 'float32', [1, 1, 4]), graph.ints([4])]);
  if (!image) throw new Error('internal: a normalisation before the image');
  const [height, width] = [sizeOf(graph, image, 2), sizeOf(graph, image, 3)];
  const [top, left, bottom, right] = graph
    .ops(Split, [edges, graph.ints([1, 1, 1, 1])], { axis: 0 })
    .map((edge, i) => graph.op(Div, [edge, toFloat32(graph, i % 2 === 0 ? height : width)]));
  if (!top || !left || !bottom || !right) throw new Error('internal: a Split gave too few parts');
  return { rows: { from: top, to: bottom }, columns: { from: left, to: right } };
}

function sizeOf(graph: Graph, value: Value, axis: number): Value {
  return graph.op(Shape, [value], { start: axis, end: axis + 1 });
}

/** The mean over the core of what has a layer's shape; its pixels at the edges count by as much as lies inside. */
function averageOver(graph: Graph, core: Core, layer: Value): (value: Value) => Value {
  // Of groups, which are flattened, no part can be told.
  if (layer.shape.length !== 4) return (value) => average(graph, value);
  const weights = ({ from, to }: Core['rows'], axis: number, shape: readonly number[]) => {
    const size = sizeOf(graph, layer, axis);
    const [first, last] = [from, to].map((edge) => graph.op(Mul, [edge, toFloat32(graph, size)]));
    if (!first || !last) throw new Error('internal: a core without an edge');
    const starts = toFloat32(graph, graph.op(Range, [graph.ints([0]), size, graph.ints([1])]));
    const ends = graph.op(Add, [starts, graph.float(1)]);
    const inside = graph.op(Sub, [graph.op(Min, [ends, last]), graph.op(Max, [starts, first])]);
    const parts = graph.op(Div, [graph.op(Relu, [inside]), graph.op(Sub, [last, first])]);
    return graph.op(Reshape, [parts, graph.ints(shape)]);
  };
  const rows = weights(core.rows, 2, [1, -1]);
  const columns = weights(core.columns, 3, [-1, 1]);
  return (value) => graph.op(MatMul, [rows, graph.op(MatMul, [value, columns])]);
}

/**
 * From what is centred for the normalisation anyway, so that it costs two passes and no more; about a mean that is near,
 * E[c²] − E[c]² loses nothing.
 * @param offset from the mean that it is centred about to its own, or back
 */
function varianceOf(
  graph: Graph,
  centred: Value,
  offset: Value,
  mean = (value: Value) => average(graph, value),
): Value {
  const squares = mean(graph.op(Mul, [centred, centred]));
  // About a mean that is far off, rounding might leave less than nothing.
  return graph.op(Relu, [graph.op(Sub, [squares, graph.op(Mul, [offset, offset])])]);
}

/** Replaces every InstanceNormalization; to each come its own two rows of an input [N, 2, C], as [N, channels, 1, …]. */
function byRows(
  graph: Graph,
  name: string,
  replace: (turn: Turn, first: Value, second: Value) => Value[],
): (turn: Turn) => Value[] | undefined {
  const { input } = imageEnds(graph);
  const channels = channelsOf(graph);
  let rows: Value[][] | undefined;
  let layer = 0;
  return (turn) => {
    if (!isNorm(turn.node)) return undefined;
    const { graph: next } = turn;
    rows ??= rowsInput(next, { name, batch: input.batch, channels });
    const shape = next.ints([0, channels[layer] ?? 0, ...ones(turn.node.inputs[0])]);
    const [first, second] = rows.map((row) => {
      const own = row[layer];
      return own && next.op(Reshape, [own, shape]);
    });
    if (!first || !second) throw new Error('internal: a Split gave too few parts');
    layer += 1;
    return replace(turn, first, second);
  };
}

/** Over all axes behind N and C, which stay. */
function average(graph: Graph, value: Value): Value {
  const axes = value.shape.map((_, axis) => axis).slice(2);
  return graph.op(ReduceMean, [value], { axes, keepdims: 1 });
}

/** All layers' as one output, [N, 2, C]. */
function statisticsOutput(graph: Graph, name: string, layers: readonly Statistics[]): void {
  const row = (value: Value) => graph.op(Reshape, [value, graph.ints([0, 1, -1])]);
  const rows = [layers.map(({ mean }) => row(mean)), layers.map(({ variance }) => row(variance))].map(
    (parts) => graph.op(Concat, parts, { axis: 2 }),
  );
  graph.output(name, graph.op(Concat, rows, { axis: 1 }));
}

/** Declares an input [N, 2, C], and gives for both rows each layer's part, [N, 1, channels]. */
function rowsInput(
  graph: Graph,
  { name, batch, channels }: { name: string; batch: Dim; channels: readonly number[] },
): Value[][] {
  const total = channels.reduce((sum, each) => sum + each, 0);
  const all = graph.input(name, 'float32', [batch, 2, total]);
  return graph
    .ops(Split, [all, graph.ints([1, 1])], { axis: 1 })
    .map((row) => graph.ops(Split, [row, graph.ints(channels)], { axis: 2 }));
}

/** Of every InstanceNormalization, in order. */
function channelsOf(graph: Graph): number[] {
  const norms = graph.nodes.filter(isNorm);
  if (norms.length === 0) {
    throw new GraphError(
      `graph ${graph.name}: expected InstanceNormalization, whose statistics tiles can share, got none. Its tiles agree as they are; leave out the pair for tiles.`,
    );
  }
  return norms.map(({ name, inputs }) => fixedDim(inputs[0]?.shape[1], `channels of ${name}`));
}

function isNorm({ op }: Node): boolean {
  return op.name === InstanceNormalization.name;
}

/** What a normalisation sees, in float32: statistics of half precision would overflow. */
function normalisedInput({ graph, inputs }: Turn): Value {
  const [x] = inputs;
  if (!x) throw new Error('internal: an InstanceNormalization without an input');
  return toFloat32(graph, x);
}

/** centred · scale / √(variance + ε) + bias, in the type of the node's own output. */
function normalise({ graph, node, inputs }: Turn, centred: Value, variance: Value): [Value] {
  const { epsilon = 1e-5 } = node.attributes as { epsilon?: number };
  const column = graph.ints([-1, ...ones(centred)]);
  const [scale, bias] = inputs
    .slice(1)
    .map((vector) => vector && toFloat32(graph, graph.op(Reshape, [vector, column])));
  const [dtype] = node.outputs.map((output) => output.dtype);
  if (!scale || !bias || !dtype) throw new Error('internal: an InstanceNormalization without its parameters');
  const deviation = graph.op(Sqrt, [graph.op(Add, [variance, graph.float(epsilon)])]);
  const scaled = graph.op(Mul, [centred, graph.op(Div, [scale, deviation])]);
  // Most have none: a pass over the image less.
  const normalised = isZero(inputs[2]) ? scaled : graph.op(Add, [scaled, bias]);
  return [dtype === 'float32' ? normalised : graph.op(Cast, [normalised], { to: onnxTypes[dtype] })];
}

function isZero(value: Value | undefined): boolean {
  return value?.constant?.data.every((element) => Number(element) === 0) ?? false;
}

/** A 1 for each axis behind N and C. */
function ones(value: Value | undefined): number[] {
  return value?.shape.slice(2).map(() => 1) ?? [];
}

function toFloat32(graph: Graph, value: Value): Value {
  return value.dtype === 'float32' ? value : graph.op(Cast, [value], { to: onnxTypes.float32 });
}
