/**
 * ONNX bytes → Graph: the operators of ops/ in any opset from 7 to 22, brought to 17. Shapes are inferred anew, so that a
 * file whose shapes do not fit is refused here and not in a runtime.
 */
import { fromBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  type GraphProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from 'onnx-buf';
import { type Dim, symbolicDim } from '../dim.js';
import { GraphError } from '../errors.js';
import { Graph, type Value } from '../graph.js';
import type { OpDefinition } from '../op-definition.js';
import { dtypeOfOnnx } from '../ops/logic.js';
import type { DType } from '../tensor.js';
import { attributeKind, checkModel, nodeLabel, operatorName, operatorOf } from './check.js';
import { type FileAttribute, type FileNode, forms } from './forms/index.js';
import { type ExternalData, readTensor } from './read-tensor.js';
import { UNITS_KEY } from './write.js';

export interface ReadOptions {
  /** What symbols of the inputs are multiples of, where the file's own metadata says nothing; default 1. */
  units?: Readonly<Record<string, number>>;
  /**
   * Gives the bytes of a file beside the model, which are copied; called once for each location. The location is as the
   * model says: whether a path may be opened is the caller's to decide. Without it such models are refused.
   */
  externalData?: (location: string) => Uint8Array;
}

/** What a file holds: the graph, and what ONNX says beside it. */
export interface OnnxModel {
  /** At opset 17, whatever the file's. */
  graph: Graph;
  /** The file's. */
  opset: number;
  irVersion: number;
  metadata: Record<string, string>;
  producer: { name: string; version: string };
}

/**
 * Reads a model. Whatever the bytes are, it ends with a graph or this error, and takes memory by the file's size, not
 * by the sizes that it claims.
 * @param bytes copied, not kept
 * @throws GraphError for bytes that are no ONNX model, an opset outside 7…22, operators and attributes that are not
 *   there (all of which are named at once), tensors outside the file, and all that building such a graph would refuse;
 *   what `externalData` throws
 */
export function readOnnx(bytes: Uint8Array, options: ReadOptions = {}): OnnxModel {
  let model: ReturnType<typeof decode>;
  try {
    model = decode(bytes);
  } catch (error) {
    throw new GraphError('readOnnx: expected an ONNX model, got bytes that are no such protobuf.', {
      cause: error,
    });
  }
  const { source, opset } = checkModel(model);
  const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
  const units = new Map([...Object.entries(options.units ?? {}), ...parseUnits(metadata[UNITS_KEY])]);

  const graph = new Graph(source.name || 'graph');
  const names = namesIn(source);
  graph.avoidNames(names.made);
  const file = { opset, units, read: names.read, externalData: once(options.externalData) };
  fillGraph(graph, source, { own: new Map() }, file);
  const producer = { name: model.producerName, version: model.producerVersion };
  return { graph, opset, irVersion: Number(model.irVersion), metadata, producer };
}

function decode(bytes: Uint8Array) {
  return fromBinary(ModelProtoSchema, bytes);
}

/** What all nodes of a file share. */
interface File {
  readonly opset: number;
  readonly units: ReadonlyMap<string, number>;
  /** Names that a node or an output of any graph reads. */
  readonly read: ReadonlySet<string>;
  readonly externalData: ExternalData | undefined;
}

/** Values by name: a graph's own, then those of the graphs around it. */
interface Scope {
  own: Map<string, Value>;
  outer?: Scope;
}

/** Builds what `source` says into an empty graph. */
function fillGraph(graph: Graph, source: GraphProto, scope: Scope, file: File): void {
  const values = scope.own;
  const constants = new Set<string>();
  for (const initializer of source.initializer) {
    constants.add(initializer.name);
    const constant = readTensor(initializer, file.externalData);
    values.set(initializer.name, graph.constant(constant, initializer.name));
  }
  for (const info of source.input) {
    if (!constants.has(info.name)) {
      values.set(info.name, graph.input(info.name, ...readType(info, file.units)));
    }
  }
  for (const node of source.node) placeNode(graph, node, scope, file);
  for (const { name } of source.output) graph.output(name, lookUp(scope, name, 'output'));
}

function placeNode(graph: Graph, node: NodeProto, scope: Scope, file: File): void {
  const name = operatorName(node);
  const label = nodeLabel(node);
  const inputs = withoutTrailing(node.input).map((input) =>
    input === '' ? undefined : lookUp(scope, input, label),
  );
  const outputs = wantedOutputs(node, file);
  const subgraph = (inner: GraphProto) => {
    const built = graph.subgraph(inner.name);
    fillGraph(built, inner, { own: new Map(), outer: scope }, file);
    return built;
  };
  const attributes = Object.fromEntries(
    node.attribute.map((each) => [each.name, readAttribute(node, each, file, subgraph)]),
  );
  const form = forms.get(name);
  const fail = (message: string): never => {
    throw new GraphError(`readOnnx ${name} ${label}: ${message}.`);
  };
  const fileNode: FileNode = {
    graph,
    opset: file.opset,
    inputs,
    attributes,
    outputs: outputs.length,
    fail,
  };
  const brought = form ? form.bring(fileNode) : { op: operatorOf(node) as OpDefinition, inputs, attributes };
  const made = isPlaced(brought)
    ? graph.ops(
        brought.op,
        withoutTrailing(brought.inputs),
        brought.attributes as Record<string, never>,
        outputs.map((output) => output || undefined),
        node.name,
      )
    : brought;
  if (made.length < outputs.length) fail(`expected ${made.length} outputs, got ${outputs.length}`);
  outputs.forEach((output, i) => {
    const value = made[i];
    if (output === '' || !value) return;
    if (scope.own.has(output)) fail(`expected "${output}" made once, got it made again`);
    scope.own.set(output, value);
  });
}

function isPlaced<P extends object>(brought: P | readonly Value[]): brought is P {
  return !Array.isArray(brought);
}

/** Inputs without those at the end that are left out. */
function withoutTrailing<T extends Value | string | undefined>(inputs: readonly T[]): T[] {
  return inputs.slice(0, inputs.findLastIndex((input) => input !== undefined && input !== '') + 1);
}

/** Operators whose first output alone is made here, or made on demand. */
const optionalOutputs = new Set(['BatchNormalization', 'Dropout', 'LayerNormalization', 'MaxPool']);

/** Names of the outputs, without those at the end that an operator may leave out and nothing reads. */
function wantedOutputs(node: NodeProto, { read }: File): string[] {
  if (!optionalOutputs.has(operatorName(node))) return node.output;
  const last = node.output.findLastIndex((name, i) => i === 0 || read.has(name));
  return node.output.slice(0, last + 1);
}

/** Names that a graph and the graphs in it give (to nodes too) and read. */
function namesIn(graph: GraphProto): { made: Set<string>; read: Set<string> } {
  const [made, read] = [new Set<string>(), new Set(graph.output.map(({ name }) => name))];
  for (const { name } of [...graph.initializer, ...graph.input, ...graph.output]) made.add(name);
  for (const node of graph.node) {
    made.add(node.name);
    for (const name of node.input) if (name !== '') read.add(name);
    for (const name of node.output) made.add(name);
    for (const { g } of node.attribute) {
      if (!g) continue;
      const inner = namesIn(g);
      for (const name of inner.made) made.add(name);
      for (const name of inner.read) read.add(name);
    }
  }
  return { made, read };
}

function lookUp(scope: Scope, name: string, reader: string): Value {
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    const value = at.own.get(name);
    if (value) return value;
  }
  throw new GraphError(`readOnnx ${reader}: expected a value "${name}" made before it is read, got none.`);
}

function once(externalData: ExternalData | undefined): ExternalData | undefined {
  if (!externalData) return undefined;
  const known = new Map<string, Uint8Array>();
  return (location) => {
    const bytes = known.get(location) ?? externalData(location);
    known.set(location, bytes);
    return bytes;
  };
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
    // Some exporters write -1 where nothing is known.
    if (value.case === 'dimValue' && value.value !== -1n) return Number(value.value);
    const symbol = (value.case === 'dimParam' && value.value) || `${info.name}_${i}`;
    return symbolicDim(symbol, units.get(symbol) ?? 1);
  });
  return [dtype, dims];
}

function readAttribute(
  node: NodeProto,
  attribute: AttributeProto,
  { externalData }: File,
  subgraph: (inner: GraphProto) => Graph,
): FileAttribute {
  switch (attributeKind(node, attribute.name)) {
    case 'int':
      return Number(attribute.i);
    case 'float':
      return attribute.f;
    case 'string':
      return new TextDecoder().decode(attribute.s);
    case 'ints':
      return attribute.ints.map(Number);
    case 'floats':
      return attribute.floats;
    case 'tensor':
      return readTensor(attribute.t as TensorProto, externalData);
    case 'graph':
      return subgraph(attribute.g as GraphProto);
    default:
      throw new Error(`internal: attribute ${attribute.name} has not been checked`);
  }
}
