/** Comparison, choice and type conversion. */
import type { Value } from '../graph.js';
import { defineOp, type InputGradients } from '../op-definition.js';
import type { DType } from '../tensor.js';
import { gradOf, inputOf } from './access.js';
import { broadcast, inferBroadcast, sumTo } from './arithmetic.js';

export const Greater = defineOp({
  name: 'Greater',
  arity: [2, 2],
  attributes: {},
  infer: (context) => [{ ...inferBroadcast(context), dtype: 'bool' }],
});

export const Where = defineOp({
  name: 'Where',
  arity: [3, 3],
  attributes: {},
  infer: (context) => {
    const condition = context.inputs[0] as Value;
    if (condition.dtype !== 'bool') context.fail(`expected a bool condition, got ${condition.dtype}`);
    const { dtype, shape } = inferBroadcast(context, 1);
    const all = broadcast(condition.shape, shape);
    return all ? [{ dtype, shape: all }] : context.fail('expected shapes that broadcast');
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
    return [{ dtype, shape: (inputs[0] as Value).shape }];
  },
  gradient: (c): InputGradients => [c.graph.op(Cast, [gradOf(c)], { to: onnxTypes[inputOf(c, 0).dtype] })],
});
