/** A GraphModel's nodes, one after another, as a graph. What each becomes is in ops/; which are read, in signature.ts. */
import { Graph, type Tensor, tensor, type Value } from '@cyclegan/graph';
import type { TfjsArtifacts } from '../artifacts.js';
import { imageInput, imageOutput } from '../image-interface.js';
import { refuseModel } from '../model-json.js';
import { nodeAttributes } from './attributes.js';
import type { Call } from './call.js';
import { converterOf } from './ops/index.js';
import { type GraphInterface, graphInterface, type InterfaceOptions, listed } from './signature.js';
import { readTopology, type TfNode } from './topology.js';

export interface ConvertedGraph {
  /** As TensorFlow's operators say, Transposes not yet cancelled. Input `image`, output `translation`. */
  readonly graph: Graph;
  readonly interface: GraphInterface;
}

/**
 * Builds the graph of a GraphModel.
 * @throws CycleganError `bundle` naming every node that cannot be carried over, or the first that does not fit; `usage`
 * where an input or output must be chosen. GraphError where sizes do not go together.
 */
export function convertGraphModel(artifacts: TfjsArtifacts, options: InterfaceOptions): ConvertedGraph {
  const { file, json } = artifacts;
  const topology = readTopology(file, json.modelTopology['node']);
  const chosen = graphInterface(file, json, topology, options);
  const { input, form, output, fixed, order } = chosen;
  refuseUnknown(file, order, ({ name }) => name === input || fixed.has(name));

  const graph = new Graph('model');
  graph.avoidNames(topology.keys());
  const places = new Map<string, readonly Value[]>();
  const calls = new Map<string, Call>();
  for (const node of order) {
    const call = callOf(file, graph, node, places, calls);
    calls.set(node.name, call);
    const given = fixed.get(node.name);
    if (node.name === input) places.set(node.name, [imageInput(graph, form)]);
    else if (given) places.set(node.name, [graph.constant(given)]);
    else places.set(node.name, valuesOf(call, artifacts));
  }
  const value = places.get(output.node)?.[output.index];
  if (!value || !imageOutput(graph, value, form.layout)) {
    const got = value ? `one of ${value.shape.length} axes` : 'none';
    refuseModel(file, `expected an image as output "${output.node}", got ${got}. Name another output.`);
  }
  return { graph, interface: chosen };
}

function refuseUnknown(file: string, order: readonly TfNode[], isSource: (node: TfNode) => boolean): void {
  const unknown = order.filter((node) => !isSource(node) && node.op !== 'Const' && !converterOf(node.op));
  if (unknown.length === 0) return;
  const byOp = new Map<string, string[]>();
  for (const { op, name } of unknown) {
    const names = byOp.get(op);
    if (names) names.push(name);
    else byOp.set(op, [name]);
  }
  const ops = Array.from(byOp, ([op, names]) => `${op.slice(0, 100)} (${listed(names)})`);
  const list = [...ops.slice(0, 50), ...(ops.length > 50 ? [`${ops.length - 50} more`] : [])].join(', ');
  refuseModel(
    file,
    `expected operators that can be carried over, got ${list}. Take a model without control flow, strings and lists, or convert that part by hand.`,
  );
}

function valuesOf(call: Call, { weights }: TfjsArtifacts): readonly Value[] {
  const { graph, node } = call;
  return graph.scope(node.name, () => {
    if (node.op === 'Const') {
      const weight = weights.get(node.name);
      if (!weight) return call.fail('expected its weights in the manifest, got none');
      return [graph.constant(asGraphTensor(weight), node.name)];
    }
    const converter = converterOf(node.op);
    if (!converter) throw new Error(`internal: no converter of ${node.op}`);
    const made = converter(call);
    return 'dtype' in made ? [made] : made;
  });
}

/** Whole numbers are int64 in the graph, as ONNX wants sizes and indices. */
function asGraphTensor(weight: Tensor): Tensor {
  if (weight.dtype !== 'int32') return weight;
  return tensor('int64', weight.shape, BigInt64Array.from(weight.data as Int32Array, BigInt));
}

function callOf(
  file: string,
  graph: Graph,
  node: TfNode,
  places: ReadonlyMap<string, readonly Value[]>,
  calls: ReadonlyMap<string, Call>,
): Call {
  const fail = (sentence: string): never =>
    refuseModel(
      file,
      `${node.op} "${node.name.slice(0, 200)}": ${sentence}. Convert the model again, or that part by hand.`,
    );
  const valueAt = (i: number): Value => {
    const edge = node.inputs[i];
    const value = edge && places.get(edge.node)?.[edge.index];
    return (
      value ?? fail(`expected an input ${i}, got ${edge ? `output ${edge.index} of ${edge.node}` : 'none'}`)
    );
  };
  return {
    graph,
    node,
    attributes: nodeAttributes(node.attributes, fail),
    get inputs() {
      return node.inputs.map((_, i) => valueAt(i));
    },
    input: valueAt,
    producer: (i) => calls.get(node.inputs[i]?.node ?? ''),
    fail,
  };
}
