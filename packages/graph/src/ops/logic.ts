/** Comparison, choice and type conversion. */
import { equalElements, mappedElements, wholeElement } from '../elements.js';
import type { Value } from '../graph.js';
import { defineOp, type InferContext, type InputGradients } from '../op-definition.js';
import type { DType } from '../tensor.js';
import { gradOf, inputOf } from './access.js';
import { broadcast, inferBroadcast, sumTo } from './arithmetic.js';

function comparison(name: string) {
  return defineOp({
    name,
    arity: [2, 2],
    attributes: {},
    infer: (context) => [{ ...inferBroadcast(context), dtype: 'bool' }],
  });
}

export const Greater = comparison('Greater');
export const GreaterOrEqual = comparison('GreaterOrEqual');
export const Less = comparison('Less');
export const LessOrEqual = comparison('LessOrEqual');

export const Equal = defineOp({
  name: 'Equal',
  arity: [2, 2],
  attributes: {},
  infer: (context) => {
    const { shape } = inferBroadcast(context);
    const elements = mappedElements(context.inputs, shape, (a, b) => {
      const equal = equalElements(a, b);
      return equal === undefined ? undefined : Number(equal);
    });
    return [{ dtype: 'bool', shape, elements }];
  },
});

function inferLogical(context: InferContext) {
  const other = context.inputs.find((input) => input?.dtype !== 'bool');
  if (other) context.fail(`expected bools, got ${other.dtype}`);
  return [
    context.inputs[1]
      ? inferBroadcast(context)
      : { dtype: 'bool' as const, shape: context.inputs[0]?.shape ?? [] },
  ];
}

function logical(name: string, inputs: 1 | 2) {
  return defineOp({ name, arity: [inputs, inputs], attributes: {}, infer: inferLogical });
}

export const And = logical('And', 2);
export const Or = logical('Or', 2);
export const Not = logical('Not', 1);

export const Where = defineOp({
  name: 'Where',
  arity: [3, 3],
  attributes: {},
  infer: (context) => {
    const condition = context.inputs[0] as Value;
    if (condition.dtype !== 'bool') context.fail(`expected a bool condition, got ${condition.dtype}`);
    const { dtype, shape } = inferBroadcast(context, 1);
    const all = broadcast(condition.shape, shape) ?? context.fail('expected shapes that broadcast');
    const elements = mappedElements(context.inputs, all, (choice, yes, no) => (choice === 0 ? no : yes));
    return [{ dtype, shape: all, elements }];
  },
  gradient: (c): InputGradients => {
    const zero = c.graph.float(0);
    const [condition, dy] = [inputOf(c, 0), gradOf(c)];
    const side = (i: 1 | 2) =>
      c.needs[i]
        ? sumTo(c, c.graph.op(Where, i === 1 ? [condition, dy, zero] : [condition, zero, dy]), inputOf(c, i))
        : undefined;
    return [undefined, side(1), side(2)];
  },
});

/** ONNX TensorProto.DataType numbers, shared by Cast and the file format. */
export const onnxTypes: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
};

/** The element type of a TensorProto.DataType number, or undefined for one that is not known here. */
export function dtypeOfOnnx(code: number): DType | undefined {
  return (Object.keys(onnxTypes) as DType[]).find((dtype) => onnxTypes[dtype] === code);
}

export const Cast = defineOp({
  name: 'Cast',
  arity: [1, 1],
  attributes: { to: 'int' },
  infer: ({ inputs, attributes, fail }) => {
    const dtype =
      dtypeOfOnnx(attributes.to ?? 0) ?? fail(`expected a known type in "to", got ${attributes.to}`);
    const { shape } = inputs[0] as Value;
    const elements = mappedElements(inputs, shape, (element) =>
      dtype.startsWith('int') ? wholeElement(element) : dtype.startsWith('float') ? element : undefined,
    );
    return [{ dtype, shape, elements }];
  },
  gradient: (c): InputGradients => [c.graph.op(Cast, [gradOf(c)], { to: onnxTypes[inputOf(c, 0).dtype] })],
});
