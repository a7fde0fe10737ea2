/**
 * What a file holds that cannot be read, found before anything is built: everything at once, with the names of the
 * nodes, so that nobody mends a model one message at a time.
 */
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  type GraphProto,
  type ModelProto,
  type NodeProto,
} from 'onnx-buf';
import { GraphError } from '../errors.js';
import type { OpDefinition } from '../op-definition.js';
import * as operators from '../ops/index.js';
import { type FileAttributeTypes, forms } from './forms/index.js';
import { attributeTypes } from './write.js';

export const oldestOpset = 7;
export const newestOpset = 22;
/** Names in one message: of operators, and of nodes for each. */
const [mostProblems, mostNodes] = [12, 3];

const registry: ReadonlyMap<string, OpDefinition> = new Map(
  Object.values(operators).map((op) => [op.name, op as OpDefinition]),
);

/** The operator of this package, where it goes by the same name. */
export function operatorOf(node: NodeProto): OpDefinition | undefined {
  return registry.get(operatorName(node));
}

/** Operators of other domains keep their domain, so that none is taken for one of ONNX's. */
export function operatorName({ domain, opType }: NodeProto): string {
  return domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`;
}

/** What a node is called in messages: many exporters leave names out. */
export function nodeLabel({ name, output }: NodeProto): string {
  return name || output[0] || 'unnamed';
}

/** What the attribute is, as the operator or an older or newer form of it declares it. */
export function attributeKind(node: NodeProto, name: string): keyof FileAttributeTypes | undefined {
  const declared = [forms.get(operatorName(node))?.attributes, operatorOf(node)?.attributes];
  return declared.flatMap((kinds) => (kinds && Object.hasOwn(kinds, name) ? [kinds[name]] : []))[0];
}

/**
 * The graph and its opset.
 * @throws GraphError for what no graph here can hold
 */
export function checkModel(model: ModelProto): { source: GraphProto; opset: number } {
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
  if (model.functions.length > 0) {
    throw new GraphError(
      `readOnnx: expected operators alone, got functions of the file's own (${names(model.functions.map(({ name }) => name))}). Export with functions inlined.`,
    );
  }
  if (model.trainingInfo.length > 0) {
    throw new GraphError('readOnnx: expected a model for inference, got training information.');
  }
  const problems = new Map<string, string[]>();
  findProblems(source, problems);
  if (problems.size > 0) {
    const listed = [...problems].slice(0, mostProblems).map(([what, nodes]) => `${what} (${names(nodes)})`);
    const more = problems.size > mostProblems ? ` and ${problems.size - mostProblems} more` : '';
    throw new GraphError(
      `readOnnx: expected operators and attributes known here, got ${listed.join(', ')}${more}.`,
    );
  }
  return { source, opset };
}

function names(all: readonly string[]): string {
  const more = all.length > mostNodes ? ` and ${all.length - mostNodes} more` : '';
  return `${all.slice(0, mostNodes).join(', ')}${more}`;
}

/** Collects what is not known, by what it is, with the nodes; of a graph and the graphs in it. */
function findProblems({ node: nodes, sparseInitializer }: GraphProto, problems: Map<string, string[]>): void {
  const add = (what: string, where: string) => {
    const known = problems.get(what);
    if (known) known.push(where);
    else problems.set(what, [where]);
  };
  for (const { values } of sparseInitializer) add('sparse initializers', values?.name || 'unnamed');
  for (const node of nodes) {
    const name = operatorName(node);
    const known = operatorOf(node) || forms.has(name);
    if (!known) add(name, nodeLabel(node));
    for (const attribute of node.attribute) {
      const kind = attributeKind(node, attribute.name);
      if (known && !kind) add(`${name}.${attribute.name}`, nodeLabel(node));
      else if (kind && !isOfKind(attribute, kind))
        add(`${name}.${attribute.name} that is no ${kind}`, nodeLabel(node));
      if (attribute.g) findProblems(attribute.g, problems);
    }
  }
}

function isOfKind(attribute: AttributeProto, kind: keyof FileAttributeTypes): boolean {
  const type = kind === 'floats' ? AttributeProto_AttributeType.FLOATS : attributeTypes[kind];
  const there = kind === 'graph' ? attribute.g : kind === 'tensor' ? attribute.t : true;
  return attribute.type === type && there !== undefined;
}
