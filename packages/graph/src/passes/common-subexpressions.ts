/**
 * Common subexpressions: nodes of one operator with equal attributes and the same inputs become one, and so do equal
 * constants. Looks into no subgraph, and knows no algebra: a + b and b + a stay two.
 */
import { Graph, type Node, type Value } from '../graph.js';
import { rebuild } from '../rebuild.js';
import type { Pass } from './pass.js';
import { prune } from './prune.js';

/** Exact to the last bit: every operator known here gives the same for the same inputs. The earlier name stays. */
export const commonSubexpressions: Pass = {
  name: 'common subexpressions',
  apply(graph) {
    const first = firstOfEqual(graph);
    const numbers = new Map<Value, number>();
    const known = new Map<string, Value[]>();
    let merged = 0;
    const next = rebuild(graph, {
      node({ node, copy, now }) {
        const inputs = node.inputs.map((value) => value && now(first(value)));
        if (node.inputs.some((value) => value && first(value) !== value)) merged++;
        if (Object.values(node.attributes).some((value) => value instanceof Graph)) return copy({ inputs });
        const key = keyOf(node, inputs, numbers);
        const earlier = known.get(key);
        if (earlier) merged++;
        const outputs = earlier ?? copy({ inputs });
        known.set(key, outputs);
        return outputs;
      },
    });
    if (merged === 0) return graph;
    prune(next);
    return next;
  },
};

function keyOf(node: Node, inputs: readonly (Value | undefined)[], numbers: Map<Value, number>): string {
  const sources = inputs.map((value) => {
    if (!value) return -1;
    const number = numbers.get(value) ?? numbers.size;
    numbers.set(value, number);
    return number;
  });
  const attributes = Object.entries(node.attributes).filter(([, value]) => value !== undefined);
  attributes.sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([node.op.name, attributes, sources, node.outputs.length], (_, value) =>
    ArrayBuffer.isView(value) ? [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)] : value,
  );
}

/** Which constant is the first among those equal to one. */
function firstOfEqual(graph: Graph): (value: Value) => Value {
  const read = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  const constants = [...read].filter((value) => value?.constant !== undefined) as Value[];
  const firsts = new Map<Value, Value>();
  const alike = grouped(constants, ({ dtype, shape }) => `${dtype}[${shape.join()}]`);
  for (const values of alike) {
    // Most large shapes have one constant alone, whose elements need no look.
    if (values.length === 1) continue;
    for (const candidates of grouped(values, hashOf)) {
      const distinct: Value[] = [];
      for (const value of candidates) {
        const equal = distinct.find((other) => equalBytes(bytesOf(other), bytesOf(value)));
        if (equal) firsts.set(value, equal);
        else distinct.push(value);
      }
    }
  }
  return (value) => firsts.get(value) ?? value;
}

function grouped<K>(values: readonly Value[], keyOf: (value: Value) => K): Iterable<Value[]> {
  const groups = new Map<K, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups.values();
}

function bytesOf({ constant }: Value): Uint8Array {
  if (!constant) throw new Error('internal: expected a constant');
  const { buffer, byteOffset, byteLength } = constant.data;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

const hashes = new WeakMap<object, number>();

/** FNV-1a, kept as long as the elements are. */
function hashOf(value: Value): number {
  const elements = value.constant?.data ?? [];
  let hash = hashes.get(elements);
  if (hash !== undefined) return hash;
  hash = 0x811c9dc5;
  for (const byte of bytesOf(value)) hash = Math.imul(hash ^ byte, 0x01000193);
  hashes.set(elements, hash);
  return hash;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
