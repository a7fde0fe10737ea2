/**
 * The order of nodes in the file, for onnxruntime's sake: it decides when what is computed can be freed. Changes no
 * result.
 */
import { type Graph, type Node, type Value, valuesRead } from '../graph.js';

/**
 * Reorders the nodes so that onnxruntime runs them in about the order in which they are now.
 *
 * onnxruntime does not run a file's nodes in the file's order: it goes depth first from the outputs to the inputs,
 * and of several inputs takes the one first whose node comes last in the file. Left alone, that puts off all
 * gradients by weights until the last gradient by an input is there, and with it keeps every activation and every
 * gradient alive: twice the memory. So the nodes are placed from the end of the file on, what is first now as late as
 * its readers and the wishes of {@link inputsInTurn} allow.
 */
export function orderForDepthFirst(graph: Graph): void {
  const { nodes } = graph;
  const sources = sourcesOf(nodes);
  const readers = nodes.map(() => 0);
  for (const at of sources.flat()) readers[at] = (readers[at] ?? 0) + 1;
  const leaves = [...nodes.keys()].filter((at) => readers[at] === 0);
  // Wishes, unlike readers: where nothing else is left they are passed over.
  const blockers = nodes.map(() => 0);
  const blocked: number[][] = nodes.map(() => []);
  for (const [first, second] of inputsInTurn(sources, leaves)) {
    blocked[first]?.push(second);
    blockers[second] = (blockers[second] ?? 0) + 1;
  }
  const free = new Set(leaves);
  const backwards: Node[] = [];
  while (free.size > 0) {
    let next = -1;
    for (const at of free) {
      const [now, best] = [blockers[at] === 0, blockers[next] === 0];
      if (next < 0 || (now === best ? at < next : now)) next = at;
    }
    free.delete(next);
    backwards.push(nodes[next] as Node);
    for (const at of blocked[next] ?? []) blockers[at] = (blockers[at] ?? 0) - 1;
    for (const at of sources[next] ?? []) {
      const left = (readers[at] ?? 0) - 1;
      readers[at] = left;
      if (left === 0) free.add(at);
    }
  }
  graph.nodes = backwards.reverse();
}

/**
 * Goes through the nodes depth first, of several inputs taking the one first that leads to the earliest node not run
 * yet, and among equals the one that was first.
 * @returns pairs of nodes, of which the first is to be taken before the second
 */
function inputsInTurn(sources: readonly number[][], leaves: readonly number[]): [number, number][] {
  const { earliest, run, hasRun, dependsOn } = progress(sources);
  // What depends on the other runs it anyway.
  const inTurn = (a: number, b: number) => (dependsOn(b, a) || dependsOn(a, b) ? b - a : a - b);
  const wishes: [number, number][] = [];
  const stack = [...leaves].reverse();
  for (let at = stack.at(-1); at !== undefined; at = stack.at(-1)) {
    const left = (sources[at] ?? []).filter((source) => !hasRun(source));
    const [first, ...others] = left
      .map((source) => ({ source, from: left.length > 1 ? earliest(source) : 0 }))
      .sort((a, b) => a.from - b.from || inTurn(a.source, b.source));
    if (first === undefined) {
      run(at);
      stack.pop();
    } else {
      stack.push(first.source);
      for (const { source } of others)
        if (!dependsOn(first.source, source)) wishes.push([first.source, source]);
    }
  }
  return wishes;
}

/** Which nodes have run, and what they depend on; one bit for each pair of nodes. */
function progress(sources: readonly number[][]) {
  const words = Math.ceil(sources.length / 32);
  const done = new Uint32Array(words);
  const rows: Uint32Array[] = [];
  const bit = (row: Uint32Array | undefined, at: number) => (((row?.[at >> 5] ?? 0) >>> (at & 31)) & 1) === 1;
  const set = (row: Uint32Array, at: number) => {
    row[at >> 5] = (row[at >> 5] ?? 0) | (1 << (at & 31));
  };
  for (const [at, read] of sources.entries()) {
    const row = new Uint32Array(words);
    for (const source of read) {
      rows[source]?.forEach((bits, i) => {
        row[i] = (row[i] ?? 0) | bits;
      });
    }
    set(row, at);
    rows.push(row);
  }
  return {
    hasRun: (at: number) => bit(done, at),
    run: (at: number) => set(done, at),
    dependsOn: (at: number, source: number) => bit(rows[at], source),
    /** The earliest node not run yet among those that a node depends on, itself included. */
    earliest(at: number): number {
      const row = rows[at] ?? done;
      for (let i = 0; i < words; i++) {
        const open = (row[i] ?? 0) & ~(done[i] ?? 0);
        if (open !== 0) return 32 * i + 31 - Math.clz32(open & -open);
      }
      return at;
    },
  };
}

/**
 * Moves what leads to `value` to just before the first node that reads it, so that a forward pass comes when its
 * gradients are about to.
 */
export function delayUntilRead(graph: Graph, value: Value): void {
  const { nodes } = graph;
  const sources = sourcesOf(nodes);
  const first = nodes.map(() => Number.POSITIVE_INFINITY);
  const leads = new Set([nodes.findLastIndex(({ outputs }) => outputs.includes(value))]);
  for (const at of [...nodes.keys()].reverse()) {
    const place = leads.has(at) ? (first[at] ?? at) : at;
    first[at] = place;
    for (const source of sources[at] ?? []) {
      first[source] = Math.min(first[source] ?? place, place);
      if (leads.has(at)) leads.add(source);
    }
  }
  const order = [...nodes.keys()].sort((a, b) =>
    first[a] === first[b] ? a - b : (first[a] ?? a) - (first[b] ?? b),
  );
  graph.nodes = order.map((at) => nodes[at] as Node);
}

/** For each node the places of those that it reads, each once. */
function sourcesOf(nodes: readonly Node[]): number[][] {
  const makers = new Map<Value, number>();
  nodes.forEach((node, at) => {
    for (const output of node.outputs) makers.set(output, at);
  });
  return nodes.map((node) => [...new Set(valuesRead(node).flatMap((value) => makers.get(value) ?? []))]);
}
