/** Elementwise operators of exported models that training does without: no gradients. */
import type { Dim } from '../dim.js';
import { elementArithmetic, mappedElements, wholeElement } from '../elements.js';
import type { Value } from '../graph.js';
import { defineOp, type InferContext, type Inferred } from '../op-definition.js';
import { checkSameType, sameAsInput } from './access.js';
import { broadcast, inferArithmetic } from './arithmetic.js';

function plain(name: string) {
  return defineOp({ name, arity: [1, 1], attributes: {}, infer: sameAsInput });
}

export const Reciprocal = plain('Reciprocal');
/** To the nearest whole number, halves to the even one. */
export const Round = plain('Round');
export const Erf = plain('Erf');
export const Sin = plain('Sin');
export const Cos = plain('Cos');

/** An operator that rounds, and follows the elements of sizes computed in floats. */
function rounding(name: string, round: (element: Dim) => Dim | undefined) {
  return defineOp({
    name,
    arity: [1, 1],
    attributes: {},
    infer: ({ inputs }) => {
      const { dtype, shape } = inputs[0] as Value;
      return [{ dtype, shape, elements: mappedElements(inputs, shape, round) }];
    },
  });
}

export const Floor = rounding('Floor', wholeElement);
export const Ceil = rounding('Ceil', (element) => {
  if (typeof element === 'number') return Math.ceil(element);
  return Number.isInteger(element.scale) && Number.isInteger(element.offset) ? element : undefined;
});

/** The base's type; the exponent may have another. */
export const Pow = defineOp({
  name: 'Pow',
  arity: [2, 2],
  attributes: {},
  infer: ({ inputs, fail }) => {
    const [base, exponent] = inputs as [Value, Value];
    const shape = broadcast(base.shape, exponent.shape) ?? fail('expected shapes that broadcast');
    return [{ dtype: base.dtype, shape }];
  },
});

/** The sign is the divisor's, or with `fmod` 1 (which floats need) the dividend's. */
export const Mod = defineOp({
  name: 'Mod',
  arity: [2, 2],
  attributes: { fmod: 'int' },
  infer: (context) => {
    const { fmod } = context.attributes;
    const { elements, ...result } = inferArithmetic(context, 'Mod');
    if (result.dtype.startsWith('float') && !fmod) context.fail('expected fmod 1 for floats');
    return [fmod ? result : { ...result, elements }];
  },
});

function inferVariadic(context: InferContext, name: string): Inferred {
  const { inputs, fail } = context;
  checkSameType(context);
  const [first, ...others] = inputs as [Value, ...Value[]];
  let shape = first.shape;
  for (const other of others) shape = broadcast(shape, other.shape) ?? fail('expected shapes that broadcast');
  const compute = elementArithmetic[name];
  const reduce = ([head, ...tail]: Dim[]) =>
    tail.reduce<Dim | undefined>((a, b) => (a === undefined ? a : compute?.(a, b, true)), head);
  return { dtype: first.dtype, shape, elements: mappedElements(inputs, shape, (...all) => reduce(all)) };
}

/** An operator of any number of inputs, which broadcast. */
function variadic(name: string) {
  return defineOp({
    name,
    arity: [1, Number.POSITIVE_INFINITY],
    attributes: {},
    infer: (context) => [inferVariadic(context, name)],
  });
}

export const Min = variadic('Min');
export const Max = variadic('Max');
export const Sum = variadic('Sum');
export const Mean = variadic('Mean');
