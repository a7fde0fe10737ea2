/** ONNX files made by hand with the protobuf library alone, as other programs may write them. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type GraphProtoSchema, ModelProtoSchema } from 'onnx-buf';

type GraphInit = MessageInitShape<typeof GraphProtoSchema>;
type ModelInit = Exclude<MessageInitShape<typeof ModelProtoSchema>, { $typeName: string }>;

/** A float32 input or output. Sizes are numbers, symbols are strings. */
export function floats(name: string, shape: readonly (number | string)[]) {
  const dim = shape.map((size) => ({
    value:
      typeof size === 'number'
        ? { case: 'dimValue' as const, value: BigInt(size) }
        : { case: 'dimParam' as const, value: size },
  }));
  return { name, type: { value: { case: 'tensorType' as const, value: { elemType: 1, shape: { dim } } } } };
}

/** A model that turns x [2, 3] into y by one Relu, but for what is given. */
export function modelBytes(
  graph: Exclude<GraphInit, { $typeName: string }> = {},
  model: ModelInit = {},
): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 17n }],
      graph: {
        name: 'made',
        node: [{ opType: 'Relu', name: 'only', input: ['x'], output: ['y'] }],
        input: [floats('x', [2, 3])],
        output: [floats('y', [2, 3])],
        ...graph,
      },
      ...model,
    }),
  );
}
