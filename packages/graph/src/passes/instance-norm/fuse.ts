/**
 * InstanceNormalization from its elementary parts: one node, which is faster, keeps its statistics in float32 where the
 * rest is halved, and is what tiles are cut by. Normalisations over other axes (batch, layer, group) are left alone.
 */
import type { Node, Value } from '../../graph.js';
import { InstanceNormalization, Squeeze, Transpose, Unsqueeze } from '../../ops/index.js';
import { linksOf } from '../../rebuild.js';
import { float32 } from '../../tensor.js';
import { type Pass, type Place, sweep } from '../pass.js';
import { type Normalisation, normalisationOf, type Result, trace } from './trace.js';

/**
 * scale·(x − μ)/√(v + ε) + bias, μ and v being mean and mean square distance over the spatial axes of each sample and
 * channel; to float32's rounding. In any order of steps: (x − μ)/σ, x·(s/σ) + (b − μ·s/σ), squares by Mul or Pow,
 * roots and reciprocals as they come. Scale, bias and ε are constants, float32.
 *
 * Channels second or last; last, there are Transposes around it for `cancelTransposes`. Not where other nodes or the
 * outputs read mean, variance or what else is between.
 */
export const fuseInstanceNormalization: Pass = {
  name: 'instance normalisation',
  apply(graph) {
    const links = linksOf(graph);
    const found = new Map<Node, { of: Normalisation; result: Result }>();
    const seen = new Map<Value, Set<string>>();
    for (const node of graph.nodes) {
      const of = normalisationOf(node);
      if (!of || !layoutOf(of)) continue;
      const known = seen.get(of.x) ?? new Set();
      seen.set(of.x, known);
      if (known.has(of.axes.join())) continue;
      known.add(of.axes.join());
      for (const result of trace(of, links)) found.set(result.node, { of, result });
    }
    return sweep(graph, (place) => {
      const match = found.get(place.node);
      return match && fused(place, match.of, match.result);
    });
  },
};

interface Layout {
  /** Axes of size 1 beyond four. */
  readonly extra: readonly number[];
  readonly channelsLast: boolean;
}

/** How to bring the input to [N, C, H, W]; undefined where it cannot be so. */
function layoutOf({ x, axes, channelAxis }: Normalisation): Layout | undefined {
  const ones = x.shape.flatMap((dim, axis) => (dim === 1 && axis > 0 && axis !== channelAxis ? [axis] : []));
  const surplus = x.shape.length - 4;
  if (surplus < 0 || ones.length < surplus) return undefined;
  // Axes that are not reduced have to go first: they are neither channel nor space.
  ones.sort((a, b) => Number(axes.includes(a)) - Number(axes.includes(b)) || b - a);
  const extra = ones.slice(0, surplus).sort((a, b) => a - b);
  const left = x.shape.flatMap((_, axis) => (extra.includes(axis) ? [] : [axis]));
  const spatial = left.slice(1).filter((axis) => axis !== channelAxis);
  if (!spatial.every((axis) => axes.includes(axis))) return undefined;
  const channel = left.indexOf(channelAxis);
  return channel === 1 || channel === 3 ? { extra, channelsLast: channel === 3 } : undefined;
}

function fused({ graph, now, put, node }: Place, of: Normalisation, result: Result): Value[] | undefined {
  const layout = layoutOf(of);
  if (!layout) return undefined;
  const { extra, channelsLast } = layout;
  const parameters = [result.scale, result.bias].map((list) => graph.constant(float32([...list])));
  const attributes = { epsilon: result.epsilon };
  const x = now(of.x);
  if (extra.length === 0 && !channelsLast) return put(InstanceNormalization, [x, ...parameters], attributes);
  const ranked = extra.length > 0 ? graph.op(Squeeze, [x, graph.ints(extra)]) : x;
  const image = channelsLast ? graph.op(Transpose, [ranked], { perm: [0, 3, 1, 2] }) : ranked;
  const normal = graph.op(InstanceNormalization, [image, ...parameters], attributes);
  if (extra.length === 0) return put(Transpose, [normal], { perm: [0, 2, 3, 1] }, `${node.name}_transpose`);
  const turned = channelsLast ? graph.op(Transpose, [normal], { perm: [0, 2, 3, 1] }) : normal;
  return put(Unsqueeze, [turned, graph.ints(extra)]);
}
