/** Operators that move elements without changing them. */
import { addDim, agreedDim, formatDim, formatShape, isComputed, type Shape } from '../dim.js';
import { quotientDim } from '../dim-product.js';
import { joinedElements, keptElements, mappedElements, movedElements } from '../elements.js';
import type { Value } from '../graph.js';
import { defineOp, type InputGradients } from '../op-definition.js';
import { axisOf, gradOf, inputOf, knownInput, outputOf, sizeAt, sizesOf } from './access.js';
import { broadcast, sumTo } from './arithmetic.js';

/** Target sizes may hold one -1 (what is left) and 0 (the input's own size there, unless `allowzero`). */
export const Reshape = defineOp({
  name: 'Reshape',
  arity: [2, 2],
  attributes: { allowzero: 'int' },
  infer: (context) => {
    const { attributes, fail } = context;
    const x = context.inputs[0] as Value;
    const target = knownInput(context, 1, 'sizes').map((size, i) =>
      size === 0 && !attributes.allowzero
        ? (x.shape[i] ?? fail('a size of 0 needs an input axis there'))
        : size,
    );
    const given = target.filter((dim) => dim !== -1);
    const misfit = () => fail(`expected as many elements as the input, got sizes ${formatShape(target)}`);
    if (target.length - given.length > 1) misfit();
    const wanted = given.length < target.length;
    const empty = [x.shape, given].map((dims) => dims.includes(0));
    if (empty[1]) {
      // Of nothing, what is left cannot be told.
      if (!empty[0] || wanted) misfit();
      return [{ dtype: x.dtype, shape: target }];
    }
    const rest = quotientDim(x.shape, given);
    const whole = typeof rest === 'number' ? Number.isInteger(rest) && (wanted || rest === 1) : undefined;
    // With declared symbols alone, what does not cancel does not fit.
    const trusted = wanted || [...x.shape, ...given].some(isComputed);
    if (!(whole ?? trusted)) misfit();
    const shape = target.map((dim) => (dim === -1 ? rest : dim));
    return [{ dtype: x.dtype, shape, elements: keptElements(x, shape) }];
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
    const turned = perm.map((axis) => shape[axis] ?? fail(`no axis ${axis}`));
    const elements = movedElements(inputs[0], turned, (index) =>
      shape.map((_, axis) => index[perm.indexOf(axis)] ?? 0),
    );
    return [{ dtype, shape: turned, elements }];
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
  arity: [1, Number.POSITIVE_INFINITY],
  attributes: { axis: 'int' },
  infer: ({ inputs, attributes, fail }) => {
    const values = inputs as Value[];
    const { dtype, shape } = values[0] as Value;
    const axis = axisOf(attributes.axis ?? fail('expected an axis'), shape.length, fail);
    let joined: Shape = shape;
    const ends: number[] = [];
    for (const [i, value] of values.entries()) {
      const merged = value.shape.map((dim, at) =>
        at === axis ? (i === 0 ? dim : addDim(joined[at] ?? 0, dim)) : agreedDim(joined[at] ?? 0, dim),
      );
      const fits = value.dtype === dtype && value.shape.length === shape.length;
      if (!fits || !merged.every((dim) => dim !== undefined)) {
        return fail(`expected inputs alike but for axis ${axis}`);
      }
      joined = merged;
      ends.push(Number(merged[axis]));
    }
    const elements = joinedElements(values, joined, (index) => {
      const at = index[axis] ?? 0;
      const source = ends.findIndex((end) => at < end);
      return { source, index: index.with(axis, at - (ends[source - 1] ?? 0)) };
    });
    return [{ dtype, shape: joined, elements }];
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
    const sizes = knownInput(context, 1, 'sizes');
    const total = shape[axis] ?? 0;
    if (agreedDim(sizes.reduce(addDim, 0), total) === undefined) {
      context.fail(`expected sizes that add up to ${formatDim(total)}, got ${formatShape(sizes)}`);
    }
    let start = 0;
    return sizes.map((size) => {
      const part = shape.with(axis, size);
      const from = start;
      start += Number(size);
      const elements = movedElements(context.inputs[0], part, (index) =>
        index.with(axis, (index[axis] ?? 0) + from),
      );
      return { dtype, shape: part, elements };
    });
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

/** Broadcasts to at least the sizes given. */
export const Expand = defineOp({
  name: 'Expand',
  arity: [2, 2],
  attributes: {},
  infer: (context) => {
    const x = context.inputs[0] as Value;
    const shape =
      broadcast(x.shape, knownInput(context, 1, 'sizes')) ??
      context.fail('expected a shape that broadcasts to the sizes');
    return [{ dtype: x.dtype, shape, elements: mappedElements([x], shape, (element) => element) }];
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
    const shape = [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)];
    // What is picked, spread as the result is: then each element is found where it says.
    const end = axis + indices.shape.length;
    const picks = movedElements(indices, shape, (index) => index.slice(axis, end));
    const size = Number(data.shape[axis]);
    let next = 0;
    const elements =
      picks?.every((pick) => typeof pick === 'number' && pick >= -size && pick < size) &&
      movedElements(data, shape, (index) => {
        const pick = Number(picks[next++]);
        return [...index.slice(0, axis), pick < 0 ? pick + size : pick, ...index.slice(end)];
      });
    return [{ dtype: data.dtype, shape, elements: elements || undefined }];
  },
});
