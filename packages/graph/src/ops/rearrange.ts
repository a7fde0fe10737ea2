/** Operators that give elements another shape or place, and have no gradient here: Reshape and Transpose have one. */
import { type Dim, floorDivDim, formatShape, scaleDim } from '../dim.js';
import { productDim } from '../dim-product.js';
import { keptElements, movedElements } from '../elements.js';
import type { Value } from '../graph.js';
import { defineOp, type InferContext } from '../op-definition.js';
import { axisOf, constantInput, knownInput, oneOf } from './access.js';

function distinctAxes({ fail }: InferContext, axes: readonly number[], rank: number): Set<number> {
  const found = new Set(axes.map((axis) => axisOf(axis, rank, fail)));
  return found.size === axes.length ? found : fail(`expected each axis once, got [${axes.join(', ')}]`);
}

/** Takes axes of size 1 away: those given, or all of them. */
export const Squeeze = defineOp({
  name: 'Squeeze',
  arity: [1, 2],
  attributes: {},
  infer: (context) => {
    const x = context.inputs[0] as Value;
    const axes = context.inputs[1]
      ? distinctAxes(context, constantInput(context, 1, 'axes'), x.shape.length)
      : new Set(x.shape.flatMap((dim, axis) => (dim === 1 ? [axis] : [])));
    const wide = [...axes].find((axis) => typeof x.shape[axis] === 'number' && x.shape[axis] !== 1);
    if (wide !== undefined) context.fail(`expected axes of size 1, got ${x.shape[wide]} along ${wide}`);
    const shape = x.shape.filter((_, axis) => !axes.has(axis));
    return [{ dtype: x.dtype, shape, elements: keptElements(x, shape) }];
  },
});

/** Puts axes of size 1 in, at places of the result. */
export const Unsqueeze = defineOp({
  name: 'Unsqueeze',
  arity: [2, 2],
  attributes: {},
  infer: (context) => {
    const x = context.inputs[0] as Value;
    const places = constantInput(context, 1, 'axes');
    const axes = distinctAxes(context, places, x.shape.length + places.length);
    const left = [...x.shape];
    const shape = Array.from(
      { length: left.length + axes.size },
      (_, axis): Dim => (axes.has(axis) ? 1 : (left.shift() ?? 1)),
    );
    return [{ dtype: x.dtype, shape, elements: keptElements(x, shape) }];
  },
});

/** A matrix: the axes before `axis` (default 1), and the others. */
export const Flatten = defineOp({
  name: 'Flatten',
  arity: [1, 1],
  attributes: { axis: 'int' },
  infer: ({ inputs, attributes, fail }) => {
    const { dtype, shape } = inputs[0] as Value;
    const { axis = 1 } = attributes;
    // One more place to cut than there are axes.
    const cut =
      axis === shape.length ? axis : shape.length === 0 && axis === 1 ? 0 : axisOf(axis, shape.length, fail);
    return [{ dtype, shape: [productDim(shape.slice(0, cut)), productDim(shape.slice(cut))] }];
  },
});

/** Repeats the whole along each axis. */
export const Tile = defineOp({
  name: 'Tile',
  arity: [2, 2],
  attributes: {},
  infer: (context) => {
    const x = context.inputs[0] as Value;
    const repeats = knownInput(context, 1, 'repeats');
    if (repeats.length !== x.shape.length) {
      context.fail(`expected ${x.shape.length} repeats, got ${formatShape(repeats)}`);
    }
    const shape = x.shape.map((dim, axis) => productDim([dim, repeats[axis] ?? 1]));
    const elements = movedElements(x, shape, (index) => index.map((at, axis) => at % Number(x.shape[axis])));
    return [{ dtype: x.dtype, shape, elements }];
  },
});

function blockOf({ inputs, fail }: InferContext, blocksize: number | undefined) {
  const { dtype, shape } = inputs[0] as Value;
  const [n, c, h, w] = shape;
  if (shape.length !== 4 || n === undefined || c === undefined || h === undefined || w === undefined) {
    return fail('expected NCHW');
  }
  const size = blocksize ?? 0;
  if (!(size >= 1)) fail(`expected a blocksize from 1, got ${blocksize}`);
  return { dtype, n, c, h, w, size };
}

function wholeParts({ fail }: InferContext, dim: Dim, n: number): Dim {
  return typeof dim === 'number' && dim % n !== 0
    ? fail(`expected ${n} to divide ${dim}`)
    : floorDivDim(dim, n);
}

/** [N, C, H, W] → [N, C/b², H·b, W·b]; mode DCR (default) takes a block's place as the outer channel axis, CRD as the inner. */
export const DepthToSpace = defineOp({
  name: 'DepthToSpace',
  arity: [1, 1],
  attributes: { blocksize: 'int', mode: 'string' },
  infer: (context) => {
    const { dtype, n, c, h, w, size } = blockOf(context, context.attributes.blocksize);
    oneOf(context, 'mode', context.attributes.mode, ['DCR', 'CRD']);
    const channels = wholeParts(context, c, size * size);
    return [{ dtype, shape: [n, channels, scaleDim(h, size), scaleDim(w, size)] }];
  },
});

/** [N, C, H, W] → [N, C·b², H/b, W/b]. */
export const SpaceToDepth = defineOp({
  name: 'SpaceToDepth',
  arity: [1, 1],
  attributes: { blocksize: 'int' },
  infer: (context) => {
    const { dtype, n, c, h, w, size } = blockOf(context, context.attributes.blocksize);
    const [height, width] = [wholeParts(context, h, size), wholeParts(context, w, size)];
    return [{ dtype, shape: [n, scaleDim(c, size * size), height, width] }];
  },
});

/** The upper (default) or lower triangle of matrices; the second input says which diagonal it ends at. */
export const Trilu = defineOp({
  name: 'Trilu',
  arity: [1, 2],
  attributes: { upper: 'int' },
  infer: ({ inputs, fail }) => {
    const { dtype, shape } = inputs[0] as Value;
    if (shape.length < 2) fail('expected matrices');
    return [{ dtype, shape }];
  },
});
