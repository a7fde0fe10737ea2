/** Graph → ONNX bytes at opset 17, IR 8: the newest that onnxruntime's CUDA provider runs without falling back. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  type AttributeProtoSchema,
  type GraphProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from 'onnx-buf';
import { formatDim } from '../dim.js';
import { GraphError } from '../errors.js';
import { Graph, type Node, type Value, valuesRead } from '../graph.js';
import type { AttributeTypes } from '../op-definition.js';
import { onnxTypes } from '../ops/logic.js';
import { type DType, type Tensor, toInt64 } from '../tensor.js';
import { encodeModel } from './encode.js';

export const OPSET = 17;
export const IR_VERSION = 8;

export interface WriteOptions {
  /** Kept as ONNX metadata_props, beside the symbols' units that reading back needs. */
  metadata?: Readonly<Record<string, string>>;
  producer?: { name: string; version: string };
}

/** The metadata key under which the multiples that symbolic dimensions promise are kept: JSON, symbol to unit. */
export const UNITS_KEY = 'dim_units';

/**
 * Serialises a graph.
 * @returns protobuf bytes, owned by the caller
 * @throws GraphError above protobuf's limit of 2 GiB
 */
export function writeOnnx(graph: Graph, options: WriteOptions = {}): Uint8Array {
  const bytes = constantBytes(graph);
  if (bytes > 2 ** 31 - 2 ** 20) {
    throw new GraphError(`writeOnnx ${graph.name}: expected under 2 GiB of constants, got ${bytes} bytes.`);
  }
  const metadata = { ...options.metadata, ...unitsOf(graph) };
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(IR_VERSION),
    producerName: options.producer?.name ?? 'cyclegan',
    producerVersion: options.producer?.version ?? '',
    opsetImport: [{ domain: '', version: BigInt(OPSET) }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: graphProto(graph, ({ name }) => name),
  });
  return encodeModel(model);
}

/** @param outerName names of the values that a subgraph reads from around it */
function graphProto(
  graph: Graph,
  outerName: (value: Value) => string,
): MessageInitShape<typeof GraphProtoSchema> {
  const names = nameOutputs(graph);
  const nameOf = (value: Value) => names.get(value) ?? outerName(value);
  return {
    name: graph.name,
    node: [...graph.nodes.map((node) => nodeProto(node, nameOf)), ...aliases(graph, nameOf)],
    initializer: [...ownConstants(graph)].map(([value, data]) => tensorProto(nameOf(value), data)),
    input: graph.inputs.map((value) => valueInfo(value.name, value)),
    output: graph.outputs.map(({ name, value }) => valueInfo(name, value)),
  };
}

/** Values made by nodes take their (first) output name; inputs and constants keep theirs and get an Identity. */
function nameOutputs(graph: Graph): Map<Value, string> {
  const made = new Set(graph.nodes.flatMap((node) => node.outputs));
  const names = new Map<Value, string>();
  for (const { name, value } of graph.outputs) {
    if (made.has(value) && !names.has(value)) names.set(value, name);
  }
  return names;
}

function aliases(graph: Graph, nameOf: (value: Value) => string): MessageInitShape<typeof NodeProtoSchema>[] {
  return graph.outputs
    .map(({ name, value }) => ({ name, source: nameOf(value) }))
    .filter(({ name, source }) => name !== source)
    .map(({ name, source }) => ({
      opType: 'Identity',
      name: `alias_${name}`,
      input: [source],
      output: [name],
    }));
}

/** The constants that the graph or a subgraph of it reads, without those of the graphs around it. */
function ownConstants(graph: Graph): Map<Value, Tensor> {
  const captured = new Set(graph.captured());
  const read = [...graph.nodes.flatMap(valuesRead), ...graph.outputs.map(({ value }) => value)];
  const own = new Map<Value, Tensor>();
  for (const value of read) if (value.constant && !captured.has(value)) own.set(value, value.constant);
  return own;
}

function constantBytes(graph: Graph): number {
  const own = [...ownConstants(graph).values()].map(({ data }) => data.byteLength);
  const inner = graph.nodes.flatMap(({ attributes }) =>
    Object.values(attributes).map((value) => (value instanceof Graph ? constantBytes(value) : 0)),
  );
  return [...own, ...inner].reduce((sum, bytes) => sum + bytes, 0);
}

function nodeProto(node: Node, nameOf: (value: Value) => string): MessageInitShape<typeof NodeProtoSchema> {
  return {
    opType: node.op.name,
    name: node.name,
    input: node.inputs.map((input) => (input ? nameOf(input) : '')),
    output: node.outputs.map(nameOf),
    attribute: Object.entries(node.attributes).flatMap(([name, value]) => {
      const kind = node.op.attributes[name];
      return kind && value !== undefined ? [attributeProto(name, kind, value, nameOf)] : [];
    }),
  };
}

/** Attribute kinds as the file numbers them. */
export const attributeTypes: Readonly<Record<keyof AttributeTypes, AttributeProto_AttributeType>> = {
  int: AttributeProto_AttributeType.INT,
  float: AttributeProto_AttributeType.FLOAT,
  string: AttributeProto_AttributeType.STRING,
  ints: AttributeProto_AttributeType.INTS,
  tensor: AttributeProto_AttributeType.TENSOR,
  graph: AttributeProto_AttributeType.GRAPH,
};

function attributeProto(
  name: string,
  kind: keyof AttributeTypes,
  value: AttributeTypes[keyof AttributeTypes],
  nameOf: (value: Value) => string,
): MessageInitShape<typeof AttributeProtoSchema> {
  const type = attributeTypes[kind];
  switch (kind) {
    case 'int':
      return { name, type, i: toInt64(value as number) };
    case 'float':
      return { name, type, f: value as number };
    case 'string':
      return { name, type, s: new TextEncoder().encode(value as string) };
    case 'ints':
      return { name, type, ints: (value as readonly number[]).map(toInt64) };
    case 'tensor':
      return { name, type, t: tensorProto('', value as Tensor) };
    case 'graph':
      return { name, type, g: graphProto(value as Graph, nameOf) };
  }
}

function tensorProto(
  name: string,
  { dtype, shape, data }: Tensor,
): MessageInitShape<typeof TensorProtoSchema> {
  const rawData = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return { name, dataType: onnxTypes[dtype as DType], dims: shape.map(BigInt), rawData };
}

function valueInfo(name: string, { dtype, shape }: Value): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = shape.map((size) => ({
    value:
      typeof size === 'number'
        ? { case: 'dimValue' as const, value: BigInt(size) }
        : { case: 'dimParam' as const, value: formatDim(size) },
  }));
  return {
    name,
    type: { value: { case: 'tensorType', value: { elemType: onnxTypes[dtype], shape: { dim } } } },
  };
}

function unitsOf(graph: Graph): Record<string, string> {
  const units: Record<string, number> = {};
  for (const { shape } of graph.inputs) {
    for (const dim of shape) if (typeof dim !== 'number' && dim.unit > 1) units[dim.symbol] = dim.unit;
  }
  return Object.keys(units).length > 0 ? { [UNITS_KEY]: JSON.stringify(units) } : {};
}
