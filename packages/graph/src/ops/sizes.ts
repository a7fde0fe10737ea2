/** Operators that make tensors of sizes, and tensors by sizes. What they make of symbols is followed as elements. */
import { addDim, type Dim, floorDivDim, subDim, type Shape as TensorShape } from '../dim.js';
import { productDim } from '../dim-product.js';
import { knownElements, MAX_ELEMENTS } from '../elements.js';
import type { Value } from '../graph.js';
import { defineOp } from '../op-definition.js';
import { checkSameType, knownInput } from './access.js';

/** The type of that name, which stands beside the operator's in the package's interface. */
export type Shape = TensorShape;

/** The sizes of the axes from `start` up to `end`, int64; negative ones count from the back. */
export const Shape = defineOp({
  name: 'Shape',
  arity: [1, 1],
  attributes: { start: 'int', end: 'int' },
  infer: ({ inputs, attributes }) => {
    const { shape } = inputs[0] as Value;
    const sizes = shape.slice(attributes.start ?? 0, attributes.end ?? shape.length);
    return [{ dtype: 'int64', shape: [sizes.length], elements: sizes }];
  },
});

/** The number of elements, an int64 scalar. */
export const Size = defineOp({
  name: 'Size',
  arity: [1, 1],
  attributes: {},
  infer: ({ inputs }) => [{ dtype: 'int64', shape: [], elements: [productDim((inputs[0] as Value).shape)] }],
});

/** A tensor of the sizes given, filled with `value`, which has one element; default float32 0. */
export const ConstantOfShape = defineOp({
  name: 'ConstantOfShape',
  arity: [1, 1],
  attributes: { value: 'tensor' },
  infer: (context) => {
    const { value } = context.attributes;
    if (value && value.data.length !== 1)
      context.fail(`expected a value of one element, got ${value.data.length}`);
    const shape = knownInput(context, 0, 'sizes');
    const dtype = value?.dtype ?? 'float32';
    const count = shape.reduce<number>((product, size) => product * Number(size), 1);
    const filled = value && dtype.startsWith('int') && count <= MAX_ELEMENTS;
    return [
      { dtype, shape, elements: filled ? new Array<Dim>(count).fill(Number(value.data[0])) : undefined },
    ];
  },
});

/** Scalars start, limit (not reached), delta → a vector. */
export const Range = defineOp({
  name: 'Range',
  arity: [3, 3],
  attributes: {},
  infer: (context) => {
    const { inputs, fail } = context;
    checkSameType(context);
    if (inputs.some((input) => input?.shape.some((dim) => dim !== 1))) fail('expected scalars');
    const { dtype } = inputs[0] as Value;
    const [start, limit, delta] = inputs.map(
      (input) => knownElements(input)?.[0] ?? fail('expected known bounds'),
    );
    if (start === undefined || limit === undefined || typeof delta !== 'number' || delta === 0) {
      return fail('expected a known step other than 0');
    }
    if (typeof start === 'number' && typeof limit === 'number') {
      const size = Math.max(0, Math.ceil((limit - start) / delta));
      const listed = dtype.startsWith('int') && size <= MAX_ELEMENTS;
      const elements = listed ? Array.from({ length: size }, (_, i) => start + i * delta) : undefined;
      return [{ dtype, shape: [size], elements }];
    }
    const [from, to] = delta > 0 ? [start, limit] : [limit, start];
    const step = Math.abs(delta);
    return [{ dtype, shape: [floorDivDim(addDim(subDim(to, from), step - 1), step)] }];
  },
});
