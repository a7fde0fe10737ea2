/**
 * ONNX bytes → Graph: the operators of ops/, opset 13 to 17, one graph without subgraphs or external data. Shapes
 * are inferred anew, so that a file whose shapes do not fit is refused here and not in a runtime.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { type AttributeProto, ModelProtoSchema, type TensorProto, type ValueInfoProto } from 'onnx-buf';
import { type Dim, symbolicDim } from '../dim.js';
import { GraphError } from '../errors.js';
import { Graph, type Value } from '../graph.js';
import type { Attributes, AttributeTypes, OpDefinition } from '../op-definition.js';
import * as operators from '../ops/index.js';
import { dtypeOfOnnx } from '../ops/logic.js';
import { type DType, type DTypeArrays, type Tensor, tensor } from '../tensor.js';
import { UNITS_KEY } from './write.js';

const registry = new Map<string, OpDefinition>(Object.values(operators).map((op) => [op.name, op]));
const oldestOpset = 13;
const newestOpset = 17;

export interface OnnxModel {
  graph: Graph;
  opset: number;
  irVersion: number;
  metadata: Record<string, string>;
}

/**
 * Reads a model.
 * @throws GraphError for bytes that are no ONNX model, an opset outside 13…17, or operators that are not there,
 *   all of which are named at once
 */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  let model: ReturnType<typeof decode>;
  try {
    model = decode(bytes);
  } catch (error) {
    throw new GraphError('readOnnx: expected an ONNX model, got bytes that are no such protobuf.', {
      cause: error,
    });
  }
  const source = model.graph;
  if (!source || source.node.length === 0)
    throw new GraphError('readOnnx: expected an ONNX model, got no graph in it.');
  const opset = Number(
    model.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 0,
  );
  if (opset < oldestOpset || opset > newestOpset) {
    throw new GraphError(`readOnnx: expected opset ${oldestOpset} to ${newestOpset}, got ${opset}.`);
  }
  const unknown = new Set(source.node.map(({ opType }) => opType).filter((name) => !registry.has(name)));
  if (unknown.size > 0) {
    throw new GraphError(`readOnnx: expected operators known here, got ${[...unknown].join(', ')}.`);
  }
  const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
  const units = parseUnits(metadata[UNITS_KEY]);

  const graph = new Graph(source.name || 'graph');
  const values = new Map<string, Value>();
  for (const initializer of source.initializer) {
    values.set(initializer.name, graph.constant(readTensor(initializer), initializer.name));
  }
  for (const info of source.input) {
    if (!values.has(info.name)) values.set(info.name, graph.input(info.name, ...readType(info, units)));
  }
  for (const node of source.node) {
    const op = registry.get(node.opType) as OpDefinition;
    const inputs = node.input.map((name) => (name === '' ? undefined : lookUp(values, name, node.name)));
    const outputs = graph.ops(op, inputs, readAttributes(op, node.attribute, node.name), node.output);
    for (const output of outputs) values.set(output.name, output);
  }
  for (const { name } of source.output) graph.output(name, lookUp(values, name, 'output'));
  return { graph, opset, irVersion: Number(model.irVersion), metadata };
}

function decode(bytes: Uint8Array) {
  return fromBinary(ModelProtoSchema, bytes);
}

function lookUp(values: ReadonlyMap<string, Value>, name: string, reader: string): Value {
  const value = values.get(name);
  if (!value)
    throw new GraphError(`readOnnx ${reader}: expected a value "${name}" made before it is read, got none.`);
  return value;
}

function parseUnits(text: string | undefined): Record<string, number> {
  if (text === undefined) return {};
  const parsed: unknown = JSON.parse(text);
  const entries = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : [];
  return Object.fromEntries(entries.filter(([, unit]) => Number.isInteger(unit) && unit > 0));
}

function readType(info: ValueInfoProto, units: Record<string, number>): [DType, Dim[]] {
  const type = info.type?.value;
  const dtype = type?.case === 'tensorType' ? dtypeOfOnnx(type.value.elemType) : undefined;
  if (type?.case !== 'tensorType' || !dtype)
    throw new GraphError(`readOnnx ${info.name}: expected a tensor input.`);
  const dims = (type.value.shape?.dim ?? []).map(({ value }, i): Dim => {
    if (value.case === 'dimValue') return Number(value.value);
    const symbol = value.case === 'dimParam' ? value.value : `${info.name}_${i}`;
    return symbolicDim(symbol, units[symbol] ?? 1);
  });
  return [dtype, dims];
}

function readAttributes(op: OpDefinition, attributes: readonly AttributeProto[], node: string): Attributes {
  return Object.fromEntries(
    attributes.map((attribute): [string, AttributeTypes[keyof AttributeTypes]] => {
      switch (op.attributes[attribute.name]) {
        case 'int':
          return [attribute.name, Number(attribute.i)];
        case 'float':
          return [attribute.name, attribute.f];
        case 'string':
          return [attribute.name, new TextDecoder().decode(attribute.s)];
        case 'ints':
          return [attribute.name, attribute.ints.map(Number)];
        default:
          throw new GraphError(`${op.name} ${node}: there is no attribute "${attribute.name}" here.`);
      }
    }),
  );
}

const arrays: { readonly [T in DType]: new (buffer: ArrayBuffer) => DTypeArrays[T] } = {
  float32: Float32Array,
  float16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

function readTensor(proto: TensorProto): Tensor {
  const dtype = dtypeOfOnnx(proto.dataType);
  if (!dtype)
    throw new GraphError(`readOnnx ${proto.name}: expected a known element type, got ${proto.dataType}.`);
  if (proto.externalData.length > 0) {
    throw new GraphError(`readOnnx ${proto.name}: expected its data in the file, got external data.`);
  }
  const shape = proto.dims.map(Number);
  if (proto.rawData.length > 0) {
    // Not slice: of a Buffer, which files are read into, that is no copy.
    const { buffer } = new Uint8Array(proto.rawData);
    if (buffer.byteLength % arrays[dtype].prototype.BYTES_PER_ELEMENT !== 0) {
      throw new GraphError(
        `readOnnx ${proto.name}: expected whole ${dtype} elements, got ${buffer.byteLength} bytes.`,
      );
    }
    return tensor(dtype, shape, new arrays[dtype](buffer));
  }
  if (dtype === 'int64') return tensor(dtype, shape, BigInt64Array.from(proto.int64Data));
  if (dtype === 'float32') return tensor(dtype, shape, Float32Array.from(proto.floatData));
  if (dtype === 'int32') return tensor(dtype, shape, Int32Array.from(proto.int32Data));
  throw new GraphError(`readOnnx ${proto.name}: expected ${dtype} elements as raw data, got none.`);
}
