/** Slice: bounds may be computed from shapes. Its gradient puts zeros where nothing was taken. */
import { addDim, type Dim, fixedShape, floorDivDim, leastOf, scaleDim, subDim } from '../dim.js';
import { extreme, movedElements } from '../elements.js';
import type { Graph, Value } from '../graph.js';
import { defineOp, type InferContext, type InputGradients } from '../op-definition.js';
import {
  axisOf,
  constantInput,
  gradOf,
  inputOf,
  knownInput,
  parameters,
  refuseGradient,
  sizeAt,
} from './access.js';
import { Pad } from './padding.js';
import { Reshape } from './shape.js';

/** One axis of a Slice with its bounds brought inside the input, as ONNX clamps them. */
interface Range {
  start: Dim;
  step: number;
  count: Dim;
}

interface Bounds {
  starts: readonly Dim[];
  ends: readonly Dim[];
  axes: readonly number[];
  steps: readonly number[];
}

function sliceRanges(
  shape: readonly Dim[],
  { starts, ends, axes, steps }: Bounds,
  fail: (message: string) => never,
): (Range | undefined)[] {
  if ([ends, axes, steps].some(({ length }) => length !== starts.length)) {
    fail(`expected as many ends, axes and steps as starts, ${starts.length}`);
  }
  const ranges: (Range | undefined)[] = shape.map(() => undefined);
  axes.forEach((rawAxis, i) => {
    const axis = axisOf(rawAxis, shape.length, fail);
    const size = shape[axis] ?? 0;
    const step = steps[i] ?? 1;
    if (step === 0) fail('expected steps other than 0');
    const last = addDim(size, -1);
    const start = inside(starts[i] ?? 0, size, 0, step > 0 ? size : last);
    const end = step > 0 ? inside(ends[i] ?? 0, size, 0, size) : inside(ends[i] ?? 0, size, -1, last);
    const length = step > 0 ? subDim(end, start) : subDim(start, end);
    const width = Math.abs(step);
    const turns = floorDivDim(addDim(length, width - 1), width);
    ranges[axis] = { start, step, count: typeof turns === 'number' ? Math.max(0, turns) : turns };
  });
  return ranges;
}

/** A bound counted from the front and held between least and most; a symbolic one is trusted to lie there. */
function inside(bound: Dim, size: Dim, least: number, most: Dim): Dim {
  if (typeof bound !== 'number') {
    return bound.scale < 0 && leastOf(scaleDim(bound, -1)) > 0 ? addDim(size, bound) : bound;
  }
  if (typeof size === 'number' && typeof most === 'number') {
    return Math.min(Math.max(bound < 0 ? bound + size : bound, least), most);
  }
  // The largest integers stand for "to the end".
  if (bound >= 2 ** 31 - 1) return most;
  if (bound <= -(2 ** 31 - 1)) return least;
  if (bound < 0) return addDim(size, bound);
  return bound <= leastOf(most) ? bound : extreme(bound, most, 'min');
}

/** Inputs: data, starts, ends, axes, steps. */
export const Slice = defineOp({
  name: 'Slice',
  arity: [3, 5],
  attributes: {},
  infer: (context: InferContext) => {
    const [x, , , axesInput, stepsInput] = context.inputs;
    const { dtype, shape } = x as Value;
    const starts = knownInput(context, 1, 'bounds');
    const ranges = sliceRanges(
      shape,
      {
        starts,
        ends: knownInput(context, 2, 'bounds'),
        axes: axesInput ? constantInput(context, 3, 'bounds') : [...starts.keys()],
        steps: stepsInput ? constantInput(context, 4, 'bounds') : starts.map(() => 1),
      },
      context.fail,
    );
    const cut = shape.map((dim, i) => ranges[i]?.count ?? dim);
    const elements = movedElements(x, cut, (index) =>
      index.map((at, axis) => {
        const { start = 0, step = 1 } = ranges[axis] ?? {};
        return Number(start) + at * step;
      }),
    );
    return [{ dtype, shape: cut, elements }];
  },
  gradient: (c): InputGradients => {
    const x = inputOf(c, 0);
    const [starts = [], ends = [], axes, steps] = c.node.inputs
      .slice(1)
      .map((list, i) => list && parameters(c, i + 1));
    const bounds = { starts, ends, axes: axes ?? [...starts.keys()], steps: steps ?? starts.map(() => 1) };
    const ranges = sliceRanges(x.shape, bounds, (message) => refuseGradient(c, message));
    if (ranges.some((range) => range && range.step < 1)) refuseGradient(c, 'expected steps from 1');
    const before = ranges.map((range) => Number(range?.start ?? 0));
    let grad = gradOf(c);
    ranges.forEach((range, axis) => {
      if (!range || range.step === 1) return;
      const spread = spaced(c.graph, grad, axis, range.step);
      // The zeros after the last element may reach beyond the input.
      const reach = sizeAt(c, x, axis) - (before[axis] ?? 0);
      const cut = [0, reach, axis].map((n) => c.graph.ints([n]));
      grad = Number(range.count) * range.step > reach ? c.graph.op(Slice, [spread, ...cut]) : spread;
    });
    const after = before.map((start, axis) => sizeAt(c, x, axis) - start - sizeAt(c, grad, axis));
    const whole = [...before, ...after].every((n) => n === 0);
    return [whole ? grad : c.graph.op(Pad, [grad, c.graph.ints([...before, ...after])])];
  },
});

/** Puts step − 1 zeros after each element along an axis. */
function spaced(graph: Graph, x: Value, axis: number, step: number): Value {
  const sizes = fixedShape(x.shape, 'gradient of a Slice');
  const apart = graph.op(Reshape, [x, graph.ints(sizes.toSpliced(axis + 1, 0, 1))]);
  const pads = new Array<number>(2 * sizes.length + 2).fill(0).with(sizes.length + axis + 2, step - 1);
  const filled = graph.op(Pad, [apart, graph.ints(pads)]);
  return graph.op(Reshape, [filled, graph.ints(sizes.with(axis, (sizes[axis] ?? 0) * step))]);
}
