/**
 * Which nodes are to work with their axes in another order so that the fewest Transposes are left: a smallest cut
 * between what wants the one order and what wants the other. Changes no graph.
 */
import type { Graph, Node, Value } from '../../graph.js';
import { Transpose } from '../../ops/index.js';
import { type Links, linksOf } from '../../rebuild.js';
import { CutNetwork } from './min-cut.js';
import { type Move, moveOf } from './movers.js';
import { composed, inverse, isIdentity, type Permutation } from './permutation.js';

/** A node that is to take and give tensors permuted so. */
export interface PlannedMove {
  readonly permutation: Permutation;
  readonly move: Move;
}

/** A Transpose's axes; ONNX's default turns them round. */
export function permutationOf({ inputs, attributes }: Node): Permutation {
  const { perm } = attributes as { perm?: Permutation };
  return perm ?? (inputs[0]?.shape ?? []).map((_, i, { length }) => length - 1 - i);
}

/** Moves that together save Transposes, and none where there are none to be saved. */
export function planMoves(graph: Graph): ReadonlyMap<Node, PlannedMove> {
  const links = linksOf(graph);
  const groups = candidates(graph).flatMap((permutation) =>
    movableGroups(graph, links, permutation).map((moves) => chosen(moves, permutation, links)),
  );
  groups.sort((a, b) => b.saved - a.saved);
  const planned = new Map<Node, PlannedMove>();
  // Two groups that count on the same Transpose to go cannot both have it: the next round sees what is left.
  const taken = new Set<Node>();
  for (const { saved, moves, permutation, transposes } of groups) {
    if (saved <= 0 || [...moves.keys(), ...transposes].some((node) => taken.has(node))) continue;
    for (const node of [...moves.keys(), ...transposes]) taken.add(node);
    for (const [node, move] of moves) planned.set(node, { permutation, move });
  }
  return planned;
}

/** Each is tried on all nodes; of more, those that occur most are. */
const mostOrders = 8;

function candidates(graph: Graph): Permutation[] {
  const counts = new Map<string, { permutation: Permutation; count: number }>();
  for (const node of graph.nodes) {
    if (node.op !== Transpose || isIdentity(permutationOf(node))) continue;
    for (const permutation of [permutationOf(node), inverse(permutationOf(node))]) {
      const known = counts.get(permutation.join()) ?? { permutation, count: 0 };
      known.count++;
      counts.set(permutation.join(), known);
    }
  }
  const sorted = [...counts.values()].sort((a, b) => b.count - a.count);
  return sorted.slice(0, mostOrders).map(({ permutation }) => permutation);
}

type Moves = ReadonlyMap<Node, Move>;

/** Values that come or go moved. */
function movedValues(node: Node, move: Move): Value[] {
  const read = move.takes.map((i) => node.inputs[i]).filter((value) => value && !value.constant);
  return [...read, ...move.gives.map((i) => node.outputs[i])] as Value[];
}

/** All nodes that can be moved, in groups that share no moved value. */
function movableGroups(graph: Graph, links: Links, permutation: Permutation): Moves[] {
  const moves = new Map<Node, Move>();
  const touching = new Map<Value, Node[]>();
  for (const node of graph.nodes) {
    const move = moveOf(node, permutation);
    if (!move) continue;
    moves.set(node, move);
    for (const value of movedValues(node, move)) {
      const nodes = touching.get(value);
      if (nodes) nodes.push(node);
      else touching.set(value, [node]);
    }
  }
  const groups: Map<Node, Move>[] = [];
  const seen = new Set<Node>();
  for (const start of moves.keys()) {
    if (seen.has(start)) continue;
    seen.add(start);
    const group = new Map<Node, Move>();
    const open = [start];
    for (let node = open.pop(); node; node = open.pop()) {
      const move = moves.get(node);
      if (!move) continue;
      group.set(node, move);
      for (const value of movedValues(node, move)) {
        for (const other of touching.get(value) ?? []) {
          if (seen.has(other)) continue;
          seen.add(other);
          open.push(other);
        }
        touching.delete(value);
      }
    }
    if (hasTransposes(group, links)) groups.push(group);
  }
  return groups;
}

function hasTransposes(moves: Moves, links: Links): boolean {
  return besides(moves, links).length > 0;
}

/** The Transposes whose results the nodes take, or that take theirs. */
function besides(moves: Moves, links: Links): Node[] {
  const values = new Set([...moves].flatMap(([node, move]) => movedValues(node, move)));
  const nodes = [...values].flatMap((value) => [links.producer(value), ...links.readers(value)]);
  return nodes.filter((node) => node?.op === Transpose) as Node[];
}

/** What a value's maker or reader wants: its order as it is, moved, whatever a node decides, or yet another. */
type Side = 'as is' | 'moved' | 'another' | Node;

interface Flow {
  maker: Side;
  readers: Side[];
}

function flowsOf(moves: Moves, permutation: Permutation, links: Links): Flow[] {
  const flows = new Map<Value, Flow>();
  for (const [node, move] of moves) {
    for (const value of movedValues(node, move)) {
      if (flows.has(value)) continue;
      const others = links.readers(value).filter((reader) => !moves.has(reader));
      const readers = others.flatMap((reader) => readerSide(reader, permutation) ?? []);
      if (links.isOutput(value)) readers.push('as is');
      flows.set(value, { maker: makerSide(links.producer(value), value, moves, permutation), readers });
    }
  }
  for (const [node, move] of moves) {
    const taken = new Set(move.takes);
    node.inputs.forEach((value, i) => {
      if (value) flows.get(value)?.readers.push(taken.has(i) ? node : 'as is');
    });
  }
  return [...flows.values()];
}

/** Of a reader that is not moved; undefined for another Transpose, which stays whatever comes. */
function readerSide(reader: Node, permutation: Permutation): Side | undefined {
  if (reader.op !== Transpose) return 'as is';
  return permutationOf(reader).join() === permutation.join() ? 'moved' : undefined;
}

function makerSide(producer: Node | undefined, value: Value, moves: Moves, permutation: Permutation): Side {
  const move = producer && moves.get(producer);
  if (move) return move.gives.includes(producer.outputs.indexOf(value)) ? producer : 'as is';
  if (producer?.op !== Transpose) return 'as is';
  return isIdentity(composed(permutationOf(producer), permutation)) ? 'moved' : 'another';
}

/** How many Transposes the flows need when these nodes are moved. */
function cost(flows: readonly Flow[], moved: ReadonlySet<Node>): number {
  const sideOf = (side: Side) => (typeof side === 'string' ? side : moved.has(side) ? 'moved' : 'as is');
  return flows.reduce((sum, { maker, readers }) => {
    const from = sideOf(maker);
    const wanted = new Set(readers.map(sideOf));
    return sum + [...wanted].filter((side) => side !== from).length;
  }, 0);
}

interface Group {
  readonly moves: Moves;
  readonly permutation: Permutation;
  readonly saved: number;
  readonly transposes: readonly Node[];
}

/** Those of the nodes whose moving saves most. */
function chosen(moves: Moves, permutation: Permutation, links: Links): Group {
  const flows = flowsOf(moves, permutation, links);
  const moved = smallestCut(flows);
  const kept = new Map([...moves].filter(([node]) => moved.has(node)));
  const saved = cost(flows, new Set()) - cost(flows, moved);
  return { moves: kept, permutation, saved, transposes: besides(kept, links) };
}

/** The source's side is as is, the sink's moved. */
function smallestCut(flows: readonly Flow[]): ReadonlySet<Node> {
  const network = new CutNetwork();
  const vertices = new Map<Node, number>();
  const vertexOf = (side: Side): number => {
    if (side === 'as is') return network.source;
    if (side === 'moved') return network.sink;
    if (side === 'another') throw new Error('internal: another order is on no side');
    const vertex = vertices.get(side) ?? network.vertex();
    vertices.set(side, vertex);
    return vertex;
  };
  for (const { maker, readers } of flows) {
    // One Transpose is enough for all readers on the other side of the maker.
    const [toMoved, toAsIs] = [network.vertex(), network.vertex()];
    network.edge(maker === 'another' ? network.source : vertexOf(maker), toMoved, 1);
    network.edge(toAsIs, maker === 'another' ? network.sink : vertexOf(maker), 1);
    for (const reader of readers) {
      network.edge(toMoved, vertexOf(reader), Number.POSITIVE_INFINITY);
      network.edge(vertexOf(reader), toAsIs, Number.POSITIVE_INFINITY);
    }
  }
  const moved = network.sinkSide();
  return new Set([...vertices].filter(([, vertex]) => moved.has(vertex)).map(([node]) => node));
}
