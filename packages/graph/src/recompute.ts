/**
 * Gradient checkpointing: what a segment of the forward pass made is computed once more where the gradients want it,
 * instead of being kept until then. Only the segments' inputs stay. Changes no result, to the last bit.
 */
import type { PartOf } from './autodiff.js';
import { type Graph, type Node, type Value, valuesRead } from './graph.js';
import { Add } from './ops/index.js';
import { elementsAsZero } from './waiting.js';

/**
 * Lets the gradients' nodes read copies of what the segments made.
 *
 * The copies must not be made before the gradients arrive at them, and no optimiser may find that they equal what was
 * made before: their first node reads its inputs plus zero times an element of the gradient that arrives.
 * @param start index of the first of the gradients' nodes; those before are the forward pass
 * @param segmentOf nodes that follow each other under one name are a segment
 */
export function recompute(graph: Graph, start: number, segmentOf: PartOf): void {
  const forward = graph.nodes.slice(0, start);
  const segments: Node[][] = [];
  let open: string | undefined;
  for (const node of forward) {
    const name = segmentOf(node);
    if (name !== undefined && name === open) segments.at(-1)?.push(node);
    else if (name !== undefined) segments.push([node]);
    open = name;
  }
  const readers = new Map<Value, Node[]>();
  for (const node of forward) {
    for (const value of valuesRead(node)) {
      const known = readers.get(value);
      if (known) known.push(node);
      else readers.set(value, [node]);
    }
  }
  for (const segment of segments) repeat(graph, start, segment, readers);
}

function repeat(
  graph: Graph,
  start: number,
  segment: readonly Node[],
  readers: ReadonlyMap<Value, Node[]>,
): void {
  const own = new Set(segment);
  // What the forward pass needs elsewhere is there anyway.
  const dropped = new Set(
    segment
      .flatMap((node) => node.outputs)
      .filter((output) => readers.get(output)?.every((reader) => own.has(reader)) ?? true),
  );
  const reads = (node: Node) => node.inputs.some((input) => input && dropped.has(input));
  const at = graph.nodes.findIndex((node, i) => i >= start && reads(node));
  if (at < 0) return;
  const before = graph.nodes.slice(start, at).flatMap(({ outputs }) => outputs);
  const made = new Set(before.filter(({ dtype }) => dtype === 'float32'));
  const arriving = graph.nodes[at]?.inputs.find((input) => input && made.has(input)) ?? [...made].at(-1);
  // The segment is the last before the loss: what it made is wanted at once.
  if (!arriving) return;

  const wanted = new Set(
    graph.nodes.slice(start).flatMap(({ inputs }) => inputs.filter((input) => input && dropped.has(input))),
  );
  const needed = segment
    .toReversed()
    .filter((node) => {
      if (!node.outputs.some((output) => wanted.has(output))) return false;
      for (const input of node.inputs) if (input && dropped.has(input)) wanted.add(input);
      return true;
    })
    .reverse();

  const end = graph.nodes.length;
  const copies = new Map<Value, Value>();
  graph.scope('again', () => {
    const zero = elementsAsZero(graph, [arriving]);
    const entry = segment[0]?.inputs.filter((input) => input?.dtype === 'float32' && !input.constant) ?? [];
    for (const input of entry) if (input) copies.set(input, graph.op(Add, [input, zero]));
    for (const { op, inputs, attributes, outputs } of needed) {
      const again = graph.ops(
        op,
        inputs.map((input) => input && (copies.get(input) ?? input)),
        attributes,
      );
      outputs.forEach((output, i) => {
        if (dropped.has(output)) copies.set(output, again[i] as Value);
      });
    }
  });
  const built = graph.nodes.splice(end);
  const later = graph.nodes.splice(at).map((node) =>
    reads(node)
      ? {
          ...node,
          inputs: node.inputs.map((input) => (input && dropped.has(input) ? copies.get(input) : input)),
        }
      : node,
  );
  graph.nodes.push(...built, ...later);
}
