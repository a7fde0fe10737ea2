/** Operators that move elements without changing them. */
import { addDim, type Dim, fixedDim, fixedShape, formatShape, sameDim } from '../dim.js';
import type { Graph, Value } from '../graph.js';
import { defineOp, type InferContext, type InputGradients } from '../op-definition.js';
import {
  axisOf,
  constantInput,
  gradOf,
  inputOf,
  outputOf,
  parameters,
  refuseGradient,
  sizeAt,
  sizesOf,
} from './access.js';
import { broadcast, sumTo } from './arithmetic.js';
import { Pad } from './padding.js';

/** Target sizes may hold one -1 (what is left) and 0 (the input's own size there). */
export const Reshape = defineOp({
  name: 'Reshape',
  arity: [2, 2],
  attributes: {},
  infer: (context) => {
    const { dtype, shape } = context.inputs[0] as Value;
    const target: (Dim | -1)[] = constantInput(context, 1, 'sizes').map((size, i) =>
      size === 0 ? (shape[i] ?? context.fail('a size of 0 needs an input axis there')) : size,
    );
    // Symbols that stand on both sides cancel; what is left must be numbers.
    const left = [...shape];
    const fixed = target.filter((dim) => {
      if (typeof dim === 'number') return true;
      const at = left.findIndex((other) => sameDim(dim, other));
      return at < 0 || !left.splice(at, 1);
    });
    const total = fixedShape(left, 'sizes left over').reduce((product, dim) => product * dim, 1);
    const known = fixedShape(fixed, 'target sizes')
      .filter((dim) => dim !== -1)
      .reduce((product, dim) => product * dim, 1);
    const resolved = target.map((dim) => (dim === -1 ? total / known : dim));
    const free = target.filter((dim) => dim === -1).length;
    const ok = free === 0 ? total === known : free === 1 && Number.isInteger(total / known);
    if (!ok) context.fail(`expected as many elements as the input, got sizes ${formatShape(target)}`);
    return [{ dtype, shape: resolved }];
  },
  gradient: (c): InputGradients => {
    return [c.graph.op(Reshape, [gradOf(c), c.graph.ints(sizesOf(c, inputOf(c, 0)))])];
  },
});

export const Transpose = defineOp({
  name: 'Transpose',
  arity: [1, 1],
  attributes: { perm: 'ints' },
  infer: ({ inputs, attributes, fail }) => {
    const { dtype, shape } = inputs[0] as Value;
    const perm = attributes.perm ?? shape.map((_, i) => shape.length - 1 - i);
    const valid = perm.length === shape.length && new Set(perm).size === perm.length;
    if (!valid) fail(`expected a permutation of ${shape.length} axes, got [${perm.join(', ')}]`);
    return [{ dtype, shape: perm.map((axis) => shape[axis] ?? fail(`no axis ${axis}`)) }];
  },
  gradient: (c): InputGradients => {
    const rank = inputOf(c, 0).shape.length;
    const { perm = Array.from({ length: rank }, (_, i) => rank - 1 - i) } = c.node.attributes as {
      perm?: readonly number[];
    };
    return [c.graph.op(Transpose, [gradOf(c)], { perm: perm.map((_, axis) => perm.indexOf(axis)) })];
  },
});

export const Concat = defineOp({
  name: 'Concat',
  arity: [1, 2 ** 31 - 1],
  attributes: { axis: 'int' },
  infer: ({ inputs, attributes, fail }) => {
    const values = inputs as Value[];
    const { dtype, shape } = values[0] as Value;
    const axis = axisOf(attributes.axis ?? fail('expected an axis'), shape.length, fail);
    let size: Dim = 0;
    for (const value of values) {
      const fits =
        value.shape.length === shape.length &&
        value.shape.every((d, i) => i === axis || sameDim(d, shape[i] as Dim));
      if (!fits || value.dtype !== dtype) fail(`expected inputs alike but for axis ${axis}`);
      const dim = value.shape[axis] as Dim;
      size = values.length === 1 ? dim : addDim(size, fixedDim(dim, `axis ${axis}`));
    }
    return [{ dtype, shape: shape.map((dim, i) => (i === axis ? size : dim)) }];
  },
  gradient: (c): InputGradients => {
    const inputs = c.node.inputs as readonly Value[];
    const rank = outputOf(c).shape.length;
    const { axis = 0 } = c.node.attributes as { axis?: number };
    const at = axis < 0 ? axis + rank : axis;
    if (inputs.length === 1) return [gradOf(c)];
    return c.graph.ops(Split, [gradOf(c), c.graph.ints(inputs.map((input) => sizeAt(c, input, at)))], {
      axis: at,
    });
  },
});

export const Split = defineOp({
  name: 'Split',
  arity: [2, 2],
  attributes: { axis: 'int' },
  infer: (context) => {
    const { dtype, shape } = context.inputs[0] as Value;
    const axis = axisOf(context.attributes.axis ?? 0, shape.length, context.fail);
    const sizes = constantInput(context, 1, 'sizes');
    const total = fixedDim(shape[axis], `axis ${axis}`);
    if (sizes.reduce((sum, size) => sum + size, 0) !== total) {
      context.fail(`expected sizes that add up to ${total}, got [${sizes.join(', ')}]`);
    }
    return sizes.map((size) => ({ dtype, shape: shape.map((dim, i) => (i === axis ? size : dim)) }));
  },
  gradient: (c): InputGradients => {
    const parts = c.node.outputs.map(
      (output, i) => c.grads[i] ?? c.graph.op(Expand, [c.graph.float(0), c.graph.ints(sizesOf(c, output))]),
    );
    return [
      c.graph.op(Concat, parts, { axis: (c.node.attributes as { axis?: number }).axis ?? 0 }),
      undefined,
    ];
  },
});

/** One axis of a Slice with its bounds brought inside the input, as ONNX clamps them. */
interface Range {
  start: number;
  step: number;
  count: number;
}

function sliceRanges(
  shape: readonly Dim[],
  lists: (number[] | undefined)[],
  fail: (message: string) => never,
): (Range | undefined)[] {
  const [starts = [], ends = [], axes = starts.map((_, i) => i), steps = starts.map(() => 1)] = lists;
  if ([ends, axes, steps].some(({ length }) => length !== starts.length)) {
    fail(`expected as many ends, axes and steps as starts, ${starts.length}`);
  }
  const ranges: (Range | undefined)[] = shape.map(() => undefined);
  axes.forEach((rawAxis, i) => {
    const axis = axisOf(rawAxis, shape.length, fail);
    const size = fixedDim(shape[axis], `axis ${axis}`);
    const step = steps[i] ?? 1;
    if (step === 0) fail('expected steps other than 0');
    const bound = (value: number, least: number, most: number) =>
      Math.min(Math.max(value < 0 ? value + size : value, least), most);
    const start = bound(starts[i] ?? 0, 0, step > 0 ? size : size - 1);
    const end = step > 0 ? bound(ends[i] ?? 0, 0, size) : bound(ends[i] ?? 0, -1, size - 1);
    ranges[axis] = { start, step, count: Math.max(0, Math.ceil((end - start) / step)) };
  });
  return ranges;
}

/** Inputs: data, starts, ends, axes, steps; all but the data constant. */
export const Slice = defineOp({
  name: 'Slice',
  arity: [3, 5],
  attributes: {},
  infer: (context: InferContext) => {
    const { dtype, shape } = context.inputs[0] as Value;
    const lists = context.inputs.slice(1).map((list, i) => list && constantInput(context, i + 1, 'bounds'));
    const ranges = sliceRanges(shape, lists, context.fail);
    return [{ dtype, shape: shape.map((dim, i) => ranges[i]?.count ?? dim) }];
  },
  gradient: (c): InputGradients => {
    const x = inputOf(c, 0);
    const lists = c.node.inputs.slice(1).map((list, i) => list && parameters(c, i + 1));
    const ranges = sliceRanges(x.shape, lists, (message) => refuseGradient(c, message));
    if (ranges.some((range) => range && range.step < 1)) refuseGradient(c, 'expected steps from 1');
    let grad = gradOf(c);
    ranges.forEach((range, axis) => {
      if (!range || range.step === 1) return;
      const spread = spaced(c.graph, grad, axis, range.step);
      // The zeros after the last element may reach beyond the input.
      const reach = sizeAt(c, x, axis) - range.start;
      const cut = [0, reach, axis].map((n) => c.graph.ints([n]));
      grad = range.count * range.step > reach ? c.graph.op(Slice, [spread, ...cut]) : spread;
    });
    const before = ranges.map((range) => range?.start ?? 0);
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

/** Broadcasts to at least the constant sizes given. */
export const Expand = defineOp({
  name: 'Expand',
  arity: [2, 2],
  attributes: {},
  infer: (context) => {
    const { dtype, shape } = context.inputs[0] as Value;
    const result = broadcast(shape, constantInput(context, 1, 'sizes'));
    return [{ dtype, shape: result ?? context.fail('expected a shape that broadcasts to the sizes') }];
  },
  gradient: (c): InputGradients => [sumTo(c, gradOf(c), inputOf(c, 0)), undefined],
});

/** Picks slices along an axis by index; no gradient, as what is picked here is data and not a weight. */
export const Gather = defineOp({
  name: 'Gather',
  arity: [2, 2],
  attributes: { axis: 'int' },
  infer: ({ inputs, attributes, fail }) => {
    const [data, indices] = [inputs[0] as Value, inputs[1] as Value];
    if (indices.dtype !== 'int64' && indices.dtype !== 'int32')
      fail(`expected integer indices, got ${indices.dtype}`);
    const axis = axisOf(attributes.axis ?? 0, data.shape.length, fail);
    return [
      {
        dtype: data.dtype,
        shape: [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)],
      },
    ];
  },
});
