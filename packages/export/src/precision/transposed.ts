/**
 * Transposed convolutions, for which there are no integer kernels, as plain ones; and back where those stayed float32,
 * in which they are up to twice as slow.
 */
import {
  Conv,
  ConvTranspose,
  DepthToSpace,
  type Graph,
  linksOf,
  optimize,
  prune,
  rebuild,
  subpixelConvTranspose,
} from '@cyclegan/graph';
import { evaluate } from '../ort/evaluate.js';

/** @returns a graph that computes the same but for rounding */
export async function withoutTransposed(graph: Graph): Promise<Graph> {
  return (await optimize(graph, { evaluate, passes: [subpixelConvTranspose] })).graph;
}

/**
 * @param made of what {@link withoutTransposed} returned
 * @param original what it was given: what takes a transposed convolution's place has the name of its output
 */
export function restoreTransposed(made: Graph, original: Graph): Graph {
  const transposed = new Map(
    original.nodes.flatMap((node) => (node.op === ConvTranspose ? [[node.outputs[0]?.name, node]] : [])),
  );
  const links = linksOf(made);
  const graph = rebuild(made, {
    node({ graph, node, now }) {
      const [output] = node.outputs;
      const was = node.op === DepthToSpace ? transposed.get(output?.name) : undefined;
      const convolution = links.producer(node.inputs[0]);
      const [x] = convolution?.inputs ?? [];
      // On bytes it goes by another name.
      if (!was || !output || !x || convolution?.op !== Conv) return undefined;
      const [, ...parameters] = was.inputs;
      const constants = parameters.flatMap((value) =>
        value?.constant ? [graph.constant(value.constant)] : [],
      );
      return graph.ops(ConvTranspose, [now(x), ...constants], was.attributes, [output.name], was.name);
    },
  });
  prune(graph);
  return graph;
}
