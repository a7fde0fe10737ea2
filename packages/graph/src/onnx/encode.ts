/**
 * A model as protobuf bytes, with its constants copied but once: straight to their place. The encoder itself grows a
 * buffer and copies it in the end, which for hundreds of megabytes of weights takes several times their size.
 */
import { clearField, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from 'onnx-buf';

/**
 * @param model whose initializers hold `rawData`; it is taken apart
 * @returns bytes of the caller's own
 */
export function encodeModel(model: ModelProto): Uint8Array {
  const { graph } = model;
  if (!graph) throw new Error('internal: a model without a graph');
  clearField(model, ModelProtoSchema.field.graph);
  const { initializer } = graph;
  clearField(graph, GraphProtoSchema.field.initializer);
  const tensors = initializer.flatMap((tensor) =>
    field(GraphProtoSchema.field.initializer.number, encodeTensor(tensor)),
  );
  const inner = [toBinary(GraphProtoSchema, graph), ...tensors];
  const parts = [toBinary(ModelProtoSchema, model), ...field(ModelProtoSchema.field.graph.number, inner)];
  const bytes = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function encodeTensor(tensor: TensorProto): Uint8Array[] {
  const { rawData } = tensor;
  clearField(tensor, TensorProtoSchema.field.rawData);
  return [toBinary(TensorProtoSchema, tensor), ...field(TensorProtoSchema.field.rawData.number, [rawData])];
}

/** A field of bytes or of a message, which come in parts: its number and length before them. */
function field(number: number, parts: readonly Uint8Array[]): Uint8Array[] {
  const prefix = new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(lengthOf(parts)).finish();
  return [prefix, ...parts];
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
