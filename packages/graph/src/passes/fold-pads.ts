/**
 * Pads by constants into the convolutions and pools that read them, and two Pads into one. Pads by reflection stay:
 * no operator does them on its own.
 */
import { knownElements } from '../elements.js';
import type { Node, Value } from '../graph.js';
import { AveragePool, Conv, MaxPool, Pad } from '../ops/index.js';
import { numberOf, type Pass, type Rule, rewrite } from './pass.js';

/**
 * Exact. Spatial axes and pads from 0 alone, and where nothing else reads what is padded.
 *
 * - Zeros into Conv, whose own border is of zeros too.
 * - Zeros into AveragePool that had no border, or counts it: it counts the new one.
 * - −∞ into MaxPool; zeros too after an operator that gives nothing below 0, as every window then holds a pixel that is
 *   no less. A window must not lie in the border alone, so that pads stay below the kernel; rounding up stays out.
 * - Two Pads of one mode: of constants if they are the same, of edges, and of reflections along different axes.
 */
export const foldPads: Pass = {
  name: 'pads',
  apply: (graph) => rewrite(graph, (place) => (place.node.op === Pad ? twice(place) : intoWindow(place))),
};

interface Padding {
  readonly node: Node;
  readonly x: Value;
  readonly mode: string;
  /** As ONNX has them: all befores, then all afters. */
  readonly pads: readonly number[];
  /** What is put there; undefined where it is not known. */
  readonly fill: number | undefined;
}

function paddingOf(node: Node | undefined): Padding | undefined {
  const [x, pads, fill] = node?.inputs ?? [];
  const numbers = knownElements(pads)?.filter((pad) => typeof pad === 'number');
  if (!node || node.op !== Pad || !x || node.inputs[3] || numbers?.length !== 2 * x.shape.length)
    return undefined;
  if (numbers.some((pad) => pad < 0)) return undefined;
  const { mode = 'constant' } = node.attributes as { mode?: string };
  return { node, x, mode, pads: numbers, fill: fill ? numberOf(fill) : 0 };
}

const twice: Rule = ({ graph, node, links, now, put }) => {
  const outer = paddingOf(node);
  const inner = outer && paddingOf(links.producer(outer.x));
  if (!inner || !outer || links.onlyReader(outer.x) !== node || inner.mode !== outer.mode) return undefined;
  const rank = inner.x.shape.length;
  const touched = ({ pads }: Padding, axis: number) => Boolean(pads[axis] || pads[axis + rank]);
  const apart = inner.x.shape.every((_, axis) => !touched(inner, axis) || !touched(outer, axis));
  const sameFill = inner.fill !== undefined && inner.fill === outer.fill;
  if (!(inner.mode === 'constant' ? sameFill : inner.mode === 'edge' || apart)) return undefined;
  const sum = inner.pads.map((pad, i) => pad + (outer.pads[i] ?? 0));
  const fill = node.inputs[2];
  return put(Pad, [now(inner.x), graph.ints(sum), ...(fill ? [now(fill)] : [])], node.attributes);
};

interface WindowAttributes {
  kernel_shape?: readonly number[];
  pads?: readonly number[];
  auto_pad?: string;
  dilations?: readonly number[];
  ceil_mode?: number;
  count_include_pad?: number;
}

const intoWindow: Rule = ({ node, links, inputs, now, put }) => {
  const padding = paddingOf(links.producer(node.inputs[0]));
  if (padding?.mode !== 'constant' || links.onlyReader(node.inputs[0] as Value) !== node) {
    return undefined;
  }
  const { auto_pad = 'NOTSET', pads = [0, 0, 0, 0], ...given } = node.attributes as WindowAttributes;
  if ((auto_pad !== 'NOTSET' && auto_pad !== 'VALID') || padding.pads.length !== 8) return undefined;
  const [n, c, top = 0, left = 0, n2, c2, bottom = 0, right = 0] = padding.pads;
  if (n || c || n2 || c2) return undefined;
  const own = auto_pad === 'VALID' ? [0, 0, 0, 0] : pads;
  const sum = [top, left, bottom, right].map((pad, i) => pad + (own[i] ?? 0));
  const nonNegative = givesNothingBelowZero.has(links.producer(padding.x)?.op.name ?? '');
  const counted = countsAs(node, padding, own, sum, nonNegative);
  if (!counted) return undefined;
  const attributes = { ...given, ...counted, pads: sum };
  return put(node.op, [now(padding.x), ...inputs.slice(1)], attributes);
};

const givesNothingBelowZero = new Set([
  'Relu',
  'Sigmoid',
  'Softplus',
  'Abs',
  'Softmax',
  'HardSigmoid',
  'Exp',
]);

/** What else changes where a node takes over a border; undefined where it cannot. */
function countsAs(
  { op, attributes }: Node,
  { fill }: Padding,
  own: readonly number[],
  sum: readonly number[],
  nonNegative: boolean,
): WindowAttributes | undefined {
  if (op === Conv) return fill === 0 ? {} : undefined;
  const { ceil_mode, count_include_pad, dilations = [], kernel_shape = [] } = attributes as WindowAttributes;
  if (ceil_mode || dilations.some((n) => n !== 1)) return undefined;
  if (sum.some((pad, i) => pad >= (kernel_shape[i % 2] ?? 0))) return undefined;
  const bare = own.every((pad) => pad === 0);
  if (op === AveragePool)
    return fill === 0 && (bare || count_include_pad) ? { count_include_pad: 1 } : undefined;
  if (op !== MaxPool) return undefined;
  return fill === Number.NEGATIVE_INFINITY || (fill === 0 && nonNegative) ? {} : undefined;
}
