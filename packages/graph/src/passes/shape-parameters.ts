/**
 * Sizes that the graph computes as it runs but that its own shapes tell already: Reshape, Resize and Expand then need no
 * Shape, Gather and Concat before them, which GPU providers run on the CPU. Looks at parameters alone.
 */
import { type Dim, type Shape, sameDim } from '../dim.js';
import type { Value } from '../graph.js';
import { Reshape, Resize, Squeeze, Unsqueeze } from '../ops/index.js';
import { type Pass, type Place, type Rule, rewrite, wouldGive } from './pass.js';

/**
 * Exact, whatever the symbols stand for.
 *
 * - Reshape to computed sizes: sizes with at most one −1 and 0s for axes that stay, or Squeeze or Unsqueeze where axes of
 *   1 alone come or go. Not where two sizes that change are symbolic.
 * - Resize to computed sizes, each a whole multiple of the input's or a half, a quarter, …: those scales. Not where it
 *   crops too.
 */
export const shapeParameters: Pass = {
  name: 'computed sizes',
  apply: (graph) => rewrite(graph, (place) => rules[place.node.op.name]?.(place)),
};

const reshape: Rule = (place) => {
  const { node, graph, inputs, put } = place;
  const [x, sizes] = node.inputs;
  const y = node.outputs[0];
  if (!x || !y || !sizes || sizes.constant || node.attributes['allowzero']) return undefined;
  const unit = unitAxes(place, x, y);
  if (unit) return unit;
  const dims = y.shape.map((dim, i) => {
    if (typeof dim === 'number') return dim === 0 ? undefined : dim;
    const own = x.shape[i];
    return own !== undefined && sameDim(own, dim) ? 0 : -1;
  });
  const known = dims.filter((dim) => dim !== undefined);
  if (known.length !== dims.length || known.filter((dim) => dim < 0).length > 1) return undefined;
  const target = graph.ints(known);
  return wouldGive(y, Reshape, [inputs[0], target]) ? put(Reshape, [inputs[0], target]) : undefined;
};

function unitAxes({ graph, inputs, put }: Place, x: Value, y: Value): Value[] | undefined {
  const [from, to] = [x.shape, y.shape];
  if (from.length === to.length) return undefined;
  const op = from.length < to.length ? Unsqueeze : Squeeze;
  const axes = from.length < to.length ? onesBeside(to, from) : onesBeside(from, to);
  return axes && put(op, [inputs[0], graph.ints(axes)]);
}

/** The axes of 1 that the wide shape has beside those of the narrow one. */
function onesBeside(wide: Shape, narrow: Shape): number[] | undefined {
  const axes: number[] = [];
  let at = 0;
  for (const [axis, dim] of wide.entries()) {
    const other = narrow[at];
    if (other !== undefined && sameDim(dim, other)) at++;
    else if (dim === 1) axes.push(axis);
    else return undefined;
  }
  return at === narrow.length ? axes : undefined;
}

const resize: Rule = ({ node, graph, inputs, put }) => {
  const [x, , , sizes] = node.inputs;
  const y = node.outputs[0];
  const cropped = node.attributes['coordinate_transformation_mode'] === 'tf_crop_and_resize';
  if (!x || !y || !sizes || sizes.constant || cropped) return undefined;
  const scales = y.shape.map((dim, i) => ratio(dim, x.shape[i]));
  const known = scales.filter((scale) => scale !== undefined);
  if (known.length !== scales.length) return undefined;
  const parameters = [inputs[0], undefined, graph.float(known)];
  return wouldGive(y, Resize, parameters, node.attributes)
    ? put(Resize, parameters, node.attributes)
    : undefined;
};

/** What a size is multiplied by, if floats hold it exactly and it leaves no remainder. */
function ratio(to: Dim, from: Dim | undefined): number | undefined {
  if (from === undefined) return undefined;
  if (sameDim(to, from)) return 1;
  const symbols = typeof to !== 'number' && typeof from !== 'number';
  const related = symbols && to.symbol === from.symbol && to.offset === 0 && from.offset === 0;
  const scale = related
    ? (to.scale * from.unit) / (from.scale * to.unit)
    : !symbols && typeof to === 'number' && typeof from === 'number'
      ? to / from
      : Number.NaN;
  return Number.isInteger(scale) || Number.isInteger(Math.log2(scale)) ? scale : undefined;
}

const rules: Readonly<Record<string, Rule>> = { Reshape: reshape, Resize: resize };
