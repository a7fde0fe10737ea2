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
  Mul,
  type Node,
  onnxTypes,
  prune,
  ReduceMean,
  Reshape,
  rebuild,
  Split,
  Sqrt,
  Sub,
  type Turn,
  type Value,
} from '@cyclegan/graph';
import { imageEnds } from './ends.js';

export const STATISTICS_NAME = 'statistics';

/** Of one layer: [N, C, 1, …], as many axes as the layer's input has. */
interface Statistics {
  mean: Value;
  /** Biased: the sum of squares over their number. */
  variance: Value;
}

/**
 * A graph from the same image to `statistics`, float32 [N, 2, C]: for each sample the means and then the biased
 * variances of what every InstanceNormalization sees, in the order of the nodes, channel after channel.
 * @throws GraphError where there is no InstanceNormalization: such a model's tiles agree as they are
 */
export function statisticsGraph(graph: Graph): Graph {
  channelsOf(graph);
  const means: Value[] = [];
  const variances: Value[] = [];
  const made = rebuild(graph, {
    node(turn) {
      if (!isNorm(turn.node)) return undefined;
      const { graph: next } = turn;
      const x = normalisedInput(turn);
      const axes = x.shape.map((_, axis) => axis).slice(2);
      const average = (value: Value) => next.op(ReduceMean, [value], { axes, keepdims: 1 });
      const mean = average(x);
      const centred = next.op(Sub, [x, mean]);
      const variance = average(next.op(Mul, [centred, centred]));
      const row = (value: Value) => next.op(Reshape, [value, next.ints([0, 1, -1])]);
      means.push(row(mean));
      variances.push(row(variance));
      return normalise(turn, x, { mean, variance });
    },
    output: () => undefined,
  });
  const rows = [means, variances].map((parts) => made.op(Concat, parts, { axis: 2 }));
  made.output(STATISTICS_NAME, made.op(Concat, rows, { axis: 1 }));
  prune(made);
  return made;
}

/**
 * The graph with a second input, the `statistics` that {@link statisticsGraph} gives, by which every
 * InstanceNormalization normalises. On the whole image it answers as the graph itself does.
 * @throws GraphError as {@link statisticsGraph}
 */
export function tileGraph(graph: Graph): Graph {
  const { input } = imageEnds(graph);
  const channels = channelsOf(graph);
  let rows: { means: Value[]; variances: Value[] } | undefined;
  let layer = 0;
  return rebuild(graph, {
    node(turn) {
      if (!isNorm(turn.node)) return undefined;
      const { graph: next } = turn;
      rows ??= statisticsInput(next, input.batch, channels);
      const x = normalisedInput(turn);
      const shape = next.ints([0, channels[layer] ?? 0, ...ones(x)]);
      const [mean, variance] = [rows.means[layer], rows.variances[layer]].map(
        (row) => row && next.op(Reshape, [row, shape]),
      );
      if (!mean || !variance) throw new Error('internal: a Split gave too few parts');
      layer += 1;
      return normalise(turn, x, { mean, variance });
    },
  });
}

/** Declares the statistics of all layers as an input, and gives each layer its own, [N, 1, C]. */
function statisticsInput(graph: Graph, batch: Dim, channels: readonly number[]) {
  const total = channels.reduce((sum, each) => sum + each, 0);
  const statistics = graph.input(STATISTICS_NAME, 'float32', [batch, 2, total]);
  const [means = [], variances = []] = graph
    .ops(Split, [statistics, graph.ints([1, 1])], { axis: 1 })
    .map((row) => graph.ops(Split, [row, graph.ints(channels)], { axis: 2 }));
  return { means, variances };
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

/**
 * x · k + (bias − mean · k) with k = scale / √(variance + ε), as onnxruntime's own kernel computes it: two passes over
 * the image. In the type of the node's own output.
 */
function normalise({ graph, node, inputs }: Turn, x: Value, { mean, variance }: Statistics): [Value] {
  const { epsilon = 1e-5 } = node.attributes as { epsilon?: number };
  const column = graph.ints([-1, ...ones(x)]);
  const [scale, bias] = inputs
    .slice(1)
    .map((vector) => vector && toFloat32(graph, graph.op(Reshape, [vector, column])));
  const [dtype] = node.outputs.map((output) => output.dtype);
  if (!scale || !bias || !dtype) throw new Error('internal: an InstanceNormalization without its parameters');
  const deviation = graph.op(Sqrt, [graph.op(Add, [variance, graph.float(epsilon)])]);
  const factor = graph.op(Div, [scale, deviation]);
  const shift = graph.op(Sub, [bias, graph.op(Mul, [mean, factor])]);
  const normalised = graph.op(Add, [graph.op(Mul, [x, factor]), shift]);
  return [dtype === 'float32' ? normalised : graph.op(Cast, [normalised], { to: onnxTypes[dtype] })];
}

/** A 1 for each axis behind N and C. */
function ones({ shape }: Value): number[] {
  return shape.slice(2).map(() => 1);
}

function toFloat32(graph: Graph, value: Value): Value {
  return value.dtype === 'float32' ? value : graph.op(Cast, [value], { to: onnxTypes.float32 });
}
