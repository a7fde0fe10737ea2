/** How onnxruntime runs a graph, modelled: the order of its nodes, and the bytes that are alive at a time. No tests. */
import { type Graph, type Node, Reshape, type Value, valuesRead } from '@cyclegan/graph';

/** Depth first from the nodes that nobody reads; of those and of inputs, what comes last in the file first. */
export function executionOrder(graph: Graph): Node[] {
  const makers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
  );
  const at = new Map(graph.nodes.map((node, i) => [node, i]));
  const read = new Set(graph.nodes.flatMap(valuesRead));
  const place = (node: Node) => at.get(node) ?? -1;
  const order = new Set<Node>();
  const visit = (node: Node) => {
    if (order.has(node)) return;
    const sources = valuesRead(node).flatMap((value) => makers.get(value) ?? []);
    for (const source of sources.sort((a, b) => place(b) - place(a))) visit(source);
    order.add(node);
  };
  for (const node of graph.nodes.toReversed())
    if (!node.outputs.some((output) => read.has(output))) visit(node);
  return [...order];
}

/** The most bytes of nodes' outputs that are alive at once; a Reshape takes none. Outputs of the graph stay. */
export function peakBytes(graph: Graph, order = executionOrder(graph)): number {
  const root = (value: Value): Value => {
    const maker = order.find(({ op, outputs }) => op === Reshape && outputs.includes(value));
    return maker?.inputs[0] ? root(maker.inputs[0]) : value;
  };
  const roots = new Map(
    order.flatMap(({ outputs }) => outputs.map((output) => [output, root(output)] as const)),
  );
  const rootOf = (value: Value) => roots.get(value) ?? value;
  const last = new Map<Value, number>();
  order.forEach((node, i) => {
    for (const value of [...valuesRead(node), ...node.outputs]) last.set(rootOf(value), i);
  });
  for (const { value } of graph.outputs) last.set(rootOf(value), order.length);
  const sizes: Partial<Record<Value['dtype'], number>> = { bool: 1, int64: 8 };
  const bytes = ({ shape, dtype }: Value) =>
    shape.reduce<number>((product, dim) => product * Number(dim), sizes[dtype] ?? 4);
  const alive = new Map<Value, number>();
  let peak = 0;
  order.forEach((node, i) => {
    for (const output of node.outputs) if (rootOf(output) === output) alive.set(output, bytes(output));
    peak = Math.max(
      peak,
      [...alive.values()].reduce((sum, size) => sum + size, 0),
    );
    for (const value of alive.keys()) if ((last.get(value) ?? i) <= i) alive.delete(value);
  });
  return peak;
}
