/** Resize by constant scales; the gradient is there for nearest-neighbour enlargement by whole factors. */
import { type Dim, floorDivDim, scaleDim } from '../dim.js';
import type { Value } from '../graph.js';
import { defineOp, type InputGradients } from '../op-definition.js';
import { toNumbers } from '../tensor.js';
import { gradOf, inputOf, sizeAt } from './access.js';
import { ReduceSum } from './reduction.js';
import { Reshape } from './shape.js';

/** Inputs: X, roi (left out), scales. */
export const Resize = defineOp({
  name: 'Resize',
  arity: [3, 3],
  skippable: [1],
  attributes: { mode: 'string', nearest_mode: 'string', coordinate_transformation_mode: 'string' },
  infer: ({ inputs, fail }) => {
    const { dtype, shape } = inputs[0] as Value;
    const constant = inputs[2]?.constant ?? fail('expected constant scales');
    const scales = toNumbers(constant);
    if (scales.length !== shape.length) fail(`expected ${shape.length} scales, got ${scales.length}`);
    const resized = shape.map((dim: Dim, i) => {
      const scale = scales[i] ?? 1;
      if (Number.isInteger(scale)) return scaleDim(dim, scale);
      if (typeof dim === 'number') return Math.floor(dim * scale);
      return Number.isInteger(1 / scale)
        ? floorDivDim(dim, 1 / scale)
        : fail(`no symbolic size times ${scale}`);
    });
    return [{ dtype, shape: resized }];
  },
  gradient: (c): InputGradients => {
    const x = inputOf(c, 0);
    const { constant } = inputOf(c, 2);
    const scales = constant ? toNumbers(constant) : [];
    const { mode = 'nearest' } = c.node.attributes as { mode?: string };
    if (mode !== 'nearest' || scales.some((scale) => !Number.isInteger(scale))) {
      throw new Error(`internal: ${c.node.name}: no gradient for mode ${mode} and scales ${scales.join()}`);
    }
    const blocks = x.shape.flatMap((_, axis) => [sizeAt(c, x, axis), scales[axis] ?? 1]);
    const within = x.shape.map((_, axis) => 2 * axis + 1);
    const split = c.graph.op(Reshape, [gradOf(c), c.graph.ints(blocks)]);
    return [c.graph.op(ReduceSum, [split, c.graph.ints(within)], { keepdims: 0 })];
  },
});
