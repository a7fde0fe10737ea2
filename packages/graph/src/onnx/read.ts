/**
 * ONNX bytes → Graph: the operators of ops/, opset 13 to 17, no external data. Shapes are inferred anew, so
 * that a file whose shapes do not fit is refused here and not in a runtime.
 */
import { fromBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  type GraphProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  TensorProto_DataLocation,
  type ValueInfoProto,
} from 'onnx-buf';
import { type Dim, symbolicDim } from '../dim.js';
import { GraphError } from '../errors.js';
import { Graph, type Value } from '../graph.js';
import type { Attributes, AttributeTypes, OpDefinition } from '../op-definition.js';
import * as operators from '../ops/index.js';
import { dtypeOfOnnx } from '../ops/logic.js';
import { type DType, type DTypeArrays, type Tensor, tensor } from '../tensor.js';
import { attributeTypes, UNITS_KEY } from './write.js';

const registry = new Map<string, OpDefinition>(Object.values(operators).map((op) => [op.name, op]));
const oldestOpset = 13;
const newestOpset = 17;

/** What a file holds: the graph, and what ONNX says beside it. */
export interface OnnxModel {
  graph: Graph;
  opset: number;
  irVersion: number;
  metadata: Record<string, string>;
}

/**
 * Reads a model. Whatever the bytes are, it ends with a graph or this error, and takes memory by the file's size, not
 * by the sizes that it claims.
 * @param bytes copied, not kept
 * @throws GraphError for bytes that are no ONNX model, an opset outside 13…17, operators that are not there (all of
 *   which are named at once), tensors outside the file, and all that building such a graph would refuse
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
  if (!source || source.output.length === 0) {
    throw new GraphError('readOnnx: expected an ONNX model, got no graph with outputs in it.');
  }
  const opset = Number(
    model.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 0,
  );
  if (opset < oldestOpset || opset > newestOpset) {
    throw new GraphError(`readOnnx: expected opset ${oldestOpset} to ${newestOpset}, got ${opset}.`);
  }
  const unknown = new Set(operatorNames(source).filter((name) => !registry.has(name)));
  if (unknown.size > 0) {
    throw new GraphError(`readOnnx: expected operators known here, got ${[...unknown].join(', ')}.`);
  }
  const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
  const units = parseUnits(metadata[UNITS_KEY]);

  const graph = new Graph(source.name || 'graph');
  fillGraph(graph, source, { own: new Map() }, units);
  return { graph, opset, irVersion: Number(model.irVersion), metadata };
}

/** Values by name: a graph's own, then those of the graphs around it. */
interface Scope {
  own: Map<string, Value>;
  outer?: Scope;
}

/** Builds what `source` says into an empty graph. */
function fillGraph(graph: Graph, source: GraphProto, scope: Scope, units: ReadonlyMap<string, number>): void {
  const values = scope.own;
  const constants = new Set<string>();
  for (const initializer of source.initializer) {
    constants.add(initializer.name);
    values.set(initializer.name, graph.constant(readTensor(initializer), initializer.name));
  }
  for (const info of source.input) {
    if (!constants.has(info.name)) values.set(info.name, graph.input(info.name, ...readType(info, units)));
  }
  const subgraph = (inner: GraphProto) => {
    const built = graph.subgraph(inner.name);
    fillGraph(built, inner, { own: new Map(), outer: scope }, units);
    return built;
  };
  for (const node of source.node) {
    const op = registry.get(operatorName(node)) as OpDefinition;
    const inputs = node.input.map((name) => (name === '' ? undefined : lookUp(scope, name, node.name)));
    const attributes = readAttributes(op, node, subgraph);
    const outputs = graph.ops(op, inputs, attributes, node.output, node.name);
    for (const output of outputs) values.set(output.name, output);
  }
  for (const { name } of source.output) graph.output(name, lookUp(scope, name, 'output'));
}

function decode(bytes: Uint8Array) {
  return fromBinary(ModelProtoSchema, bytes);
}

/** Operators of other domains keep their domain, so that none is taken for one of ONNX's. */
function operatorName({ domain, opType }: NodeProto): string {
  return domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`;
}

/** Of a graph and the graphs in it. */
function operatorNames({ node }: GraphProto): string[] {
  return node.flatMap((each) => [
    operatorName(each),
    ...each.attribute.flatMap(({ g }) => (g ? operatorNames(g) : [])),
  ]);
}

function lookUp(scope: Scope, name: string, reader: string): Value {
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    const value = at.own.get(name);
    if (value) return value;
  }
  throw new GraphError(`readOnnx ${reader}: expected a value "${name}" made before it is read, got none.`);
}

function parseUnits(text = '{}'): ReadonlyMap<string, number> {
  try {
    const parsed: unknown = JSON.parse(text);
    const units = new Map(Object.entries(parsed ?? {}));
    if ([...units.values()].every((unit) => Number.isSafeInteger(unit) && unit > 0)) return units;
  } catch {
    // Said below, as for JSON that holds something else.
  }
  throw new GraphError(`readOnnx: expected ${UNITS_KEY} to give each symbol a whole number, got ${text}.`);
}

function readType(info: ValueInfoProto, units: ReadonlyMap<string, number>): [DType, Dim[]] {
  const type = info.type?.value;
  const dtype = type?.case === 'tensorType' ? dtypeOfOnnx(type.value.elemType) : undefined;
  if (type?.case !== 'tensorType' || !dtype) {
    throw new GraphError(`readOnnx ${info.name}: expected a tensor input of a known element type.`);
  }
  const dims = (type.value.shape?.dim ?? []).map(({ value }, i): Dim => {
    if (value.case === 'dimValue') return Number(value.value);
    const symbol = value.value || `${info.name}_${i}`;
    return symbolicDim(symbol, units.get(symbol) ?? 1);
  });
  return [dtype, dims];
}

function readAttributes(
  op: OpDefinition,
  node: NodeProto,
  subgraph: (inner: GraphProto) => Graph,
): Attributes {
  return Object.fromEntries(
    node.attribute.map((attribute) => [attribute.name, readAttribute(op, node, attribute, subgraph)]),
  );
}

function readAttribute(
  op: OpDefinition,
  node: NodeProto,
  attribute: AttributeProto,
  subgraph: (inner: GraphProto) => Graph,
): AttributeTypes[keyof AttributeTypes] {
  const kind = Object.hasOwn(op.attributes, attribute.name) ? op.attributes[attribute.name] : undefined;
  if (!kind || attribute.type !== attributeTypes[kind] || (kind === 'graph' && !attribute.g)) {
    const expected = kind ? `"${attribute.name}" of type ${kind}` : 'attributes that are known here';
    throw new GraphError(`${op.name} ${node.name}: expected ${expected}, got "${attribute.name}".`);
  }
  switch (kind) {
    case 'int':
      return Number(attribute.i);
    case 'float':
      return attribute.f;
    case 'string':
      return new TextDecoder().decode(attribute.s);
    case 'ints':
      return attribute.ints.map(Number);
    case 'graph':
      return subgraph(attribute.g as GraphProto);
  }
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

/** Where ONNX keeps a type's elements when they are not raw bytes. */
const lists: { readonly [T in DType]: (proto: TensorProto) => DTypeArrays[T] } = {
  float32: ({ floatData }) => Float32Array.from(floatData),
  float16: ({ int32Data }) => Uint16Array.from(int32Data),
  int64: ({ int64Data }) => BigInt64Array.from(int64Data),
  int32: ({ int32Data }) => Int32Array.from(int32Data),
  int8: ({ int32Data }) => Int8Array.from(int32Data),
  uint8: ({ int32Data }) => Uint8Array.from(int32Data),
  bool: ({ int32Data }) => Uint8Array.from(int32Data),
};

function readTensor(proto: TensorProto): Tensor {
  const dtype = dtypeOfOnnx(proto.dataType);
  if (!dtype) {
    throw new GraphError(`readOnnx ${proto.name}: expected a known element type, got ${proto.dataType}.`);
  }
  if (proto.externalData.length > 0 || proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    throw new GraphError(`readOnnx ${proto.name}: expected its data in the file, got external data.`);
  }
  const data = elements(proto, dtype);
  const shape = proto.dims.map(Number);
  try {
    return tensor(dtype, shape, data);
  } catch (error) {
    throw new GraphError(`readOnnx ${proto.name}: ${(error as Error).message}`, { cause: error });
  }
}

/** A tensor's elements; a copy. */
function elements(proto: TensorProto, dtype: DType): DTypeArrays[DType] {
  if (proto.rawData.length === 0) return lists[dtype](proto);
  // Not slice: of a Buffer, which files are read into, that is no copy.
  const { buffer } = new Uint8Array(proto.rawData);
  if (buffer.byteLength % arrays[dtype].prototype.BYTES_PER_ELEMENT !== 0) {
    throw new GraphError(
      `readOnnx ${proto.name}: expected whole ${dtype} elements, got ${buffer.byteLength} bytes.`,
    );
  }
  return new arrays[dtype](buffer);
}
