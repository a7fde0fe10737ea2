/** Padding. The reflect gradient folds the border back by two products with constant 0/1 matrices. */
import { addDim, formatDim, formatShape } from '../dim.js';
import type { Graph, Value } from '../graph.js';
import { defineOp, type InputGradients } from '../op-definition.js';
import { tensor } from '../tensor.js';
import { gradOf, inputOf, knownInput, oneOf, parameters, refuseGradient, sizeAt } from './access.js';
import { MatMul } from './linear.js';
import { Slice } from './slice.js';

/** Index in a line of `size` elements that position `at` of a reflected line shows; the edge is not repeated. */
function reflectIndex(at: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const inside = ((at % period) + period) % period;
  return inside < size ? inside : period - inside;
}

/** [size, before + size + after]: the transpose of the matrix that pads a column by reflection. */
function foldMatrix(graph: Graph, size: number, before: number, after: number, transposed: boolean): Value {
  return graph.sharedConstant(`fold ${size} ${before} ${after} ${transposed}`, () => {
    const padded = before + size + after;
    const data = new Float32Array(size * padded);
    for (let out = 0; out < padded; out++) {
      const at = reflectIndex(out - before, size);
      data[transposed ? out * size + at : at * padded + out] = 1;
    }
    return tensor('float32', transposed ? [padded, size] : [size, padded], data);
  });
}

/** Inputs: data, pads [all befores, all afters], value (constant mode; default 0). Modes constant, reflect, edge. */
export const Pad = defineOp({
  name: 'Pad',
  arity: [2, 3],
  attributes: { mode: 'string' },
  infer: (context) => {
    const { dtype, shape } = context.inputs[0] as Value;
    const pads = knownInput(context, 1, 'pads');
    if (pads.length !== 2 * shape.length)
      context.fail(`expected ${2 * shape.length} pads, got ${pads.length}`);
    const mode = oneOf(context, 'mode', context.attributes.mode, ['constant', 'reflect', 'edge']);
    if (mode !== 'constant' && pads.some((n) => typeof n === 'number' && n < 0))
      context.fail(`expected pads from 0, got ${formatShape(pads)}`);
    const padded = shape.map((dim, i) => {
      const [before = 0, after = 0] = [pads[i], pads[i + shape.length]];
      const wide = [before, after].find(
        (pad) => typeof pad === 'number' && typeof dim === 'number' && pad >= dim,
      );
      if (mode === 'reflect' && wide) {
        context.fail(
          `expected reflection narrower than axis ${i} of ${formatDim(dim)}, got ${formatDim(wide)}`,
        );
      }
      return addDim(addDim(dim, before), after);
    });
    return [{ dtype, shape: padded }];
  },
  gradient: (c): InputGradients => {
    const [x, dy, pads, graph] = [inputOf(c, 0), gradOf(c), parameters(c, 1), c.graph];
    const rank = x.shape.length;
    if (pads.some((n) => n < 0)) refuseGradient(c, `expected pads from 0, got [${pads.join(', ')}]`);
    const axes = x.shape.flatMap((_, i) => (pads[i] || pads[i + rank] ? [i] : []));
    if (axes.length === 0) return [dy];
    const before = (axis: number) => pads[axis] ?? 0;
    const { mode = 'constant' } = c.node.attributes as { mode?: string };
    if (mode === 'constant') {
      const starts = axes.map(before);
      const ends = axes.map((axis) => before(axis) + sizeAt(c, x, axis));
      return [graph.op(Slice, [dy, graph.ints(starts), graph.ints(ends), graph.ints(axes)])];
    }
    if (mode !== 'reflect' || axes.some((axis) => axis < rank - 2)) {
      refuseGradient(
        c,
        `expected mode constant, or reflect on the last two axes, got ${mode} on axes ${axes.join(', ')}`,
      );
    }
    let folded = dy;
    // Columns first: that product is one Gemm over all rows, and leaves less for the many small ones.
    for (const axis of axes.toReversed()) {
      const last = axis === rank - 1;
      const fold = foldMatrix(graph, sizeAt(c, x, axis), before(axis), pads[axis + rank] ?? 0, last);
      folded = graph.op(MatMul, last ? [folded, fold] : [fold, folded]);
    }
    return [folded];
  },
});
