/** Dead code: removes the nodes that no output depends on. */
import { type Graph, type Value, valuesRead } from '../graph.js';

/** Drops unused nodes in place and returns how many went. Graph inputs stay: they are the graph's interface. */
export function prune(graph: Graph): number {
  const live = new Set<Value>(graph.outputs.map(({ value }) => value));
  const kept = graph.nodes
    .toReversed()
    .filter((node) => {
      if (!node.outputs.some((output) => live.has(output))) return false;
      for (const value of valuesRead(node)) live.add(value);
      return true;
    })
    .reverse();
  const removed = graph.nodes.length - kept.length;
  graph.nodes = kept;
  return removed;
}
