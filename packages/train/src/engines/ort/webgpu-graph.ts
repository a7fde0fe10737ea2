/** Fits a finished graph to what onnxruntime's WebGPU provider has, without changing what it computes. */
import { type Graph, Greater, type Node, Sign, Slice, Split, type Value, Where } from '@cyclegan/graph';

/** WebGPU promises eight storage buffers a shader; a Split takes one for each part and one for the whole. */
const mostParts = 7;

/**
 * Rewrites in place what the provider refuses, a Split into many parts, and what it would hand to the CPU, Sign. To be
 * called last: Slices have a costlier gradient than the Split that they stand for.
 */
export function fitWebGpu(graph: Graph): void {
  for (const node of graph.nodes.filter(({ op }) => op.name === Sign.name)) {
    graph.replace(node, () => ({ output: sign(graph, node.inputs[0]), result: undefined }));
  }
  graph.nodes = graph.nodes.flatMap((node) =>
    node.op.name === Split.name && node.outputs.length > mostParts ? slices(graph, node) : [node],
  );
}

function sign(graph: Graph, x: Value | undefined): Value {
  const [zero, one, minus] = [graph.float(0), graph.float(1), graph.float(-1)];
  const negative = graph.op(Where, [graph.op(Greater, [zero, x]), minus, zero]);
  return graph.op(Where, [graph.op(Greater, [x, zero]), one, negative]);
}

function slices(graph: Graph, { name, inputs, outputs, attributes }: Node): Node[] {
  const axis = Number(attributes['axis'] ?? 0);
  let end = 0;
  return outputs.map((output, i) => {
    const start = end;
    end += Number(output.shape[axis]);
    return {
      name: `${name}/part_${i}`,
      op: Slice,
      inputs: [inputs[0], graph.ints([start]), graph.ints([end]), graph.ints([axis])],
      outputs: [output],
      attributes: {},
    };
  });
}
