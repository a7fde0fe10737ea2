/**
 * Transposes that undo each other: neighbours become one, and nodes between them work in the other order where that
 * saves some. What is left stands at the graph's ends, or at operators that know one order alone.
 */
import type { Graph, Value } from '../../graph.js';
import { Reshape, Transpose } from '../../ops/index.js';
import { rebuild, type Turn } from '../../rebuild.js';
import { mostSweeps, type Pass } from '../pass.js';
import { prune } from '../prune.js';
import { composed, inverse, isIdentity, type Permutation, transposeTensor, withRank } from './permutation.js';
import { type PlannedMove, permutationOf, planMoves } from './plan.js';

/**
 * Exact but for the order in which reductions add up. T_b(T_a(x)) = T_ab(x), and f(T(x)) = T(f'(x)) where f' is f with
 * its axes renamed. Applied only where fewer Transposes are left than before.
 */
export const cancelTransposes: Pass = {
  name: 'transposes',
  apply(graph) {
    let current = graph;
    for (let turn = 0; turn < mostSweeps; turn++) {
      const next = moved(current);
      if (count(next) >= count(current)) break;
      current = next;
    }
    return current;
  },
};

function count({ nodes }: Graph): number {
  return nodes.filter(({ op }) => op === Transpose).length;
}

function moved(old: Graph): Graph {
  const plan = planMoves(old);
  const outputs = new Set(old.outputs.map(({ name }) => name));
  let axes: Axes | undefined;
  const graph = rebuild(old, {
    node(turn) {
      axes ??= new Axes(turn.graph);
      const { node, inputs } = turn;
      const planned = plan.get(node);
      if (planned) return movedNode(turn, axes, planned, outputs);
      if (node.op !== Transpose || !inputs[0]) return undefined;
      const [name] = node.outputs.map((value) => value.name);
      return [axes.transposed(inputs[0], permutationOf(node), name, node.name)];
    },
  });
  prune(graph);
  return graph;
}

/** The node in the new order, and its outputs in the old one again, for who may want them. */
function movedNode(
  { graph, node, inputs }: Turn,
  axes: Axes,
  { permutation, move }: PlannedMove,
  outputs: ReadonlySet<string>,
): Value[] {
  const taken = inputs.map((value, i) =>
    value && move.takes.includes(i) ? axes.transposed(value, permutation) : value,
  );
  const named = node.outputs.map(({ name }, i) =>
    move.finish || (move.gives.includes(i) && outputs.has(name)) ? undefined : name,
  );
  const made = graph.ops(
    move.op ?? node.op,
    move.inputs?.(graph, taken) ?? taken,
    move.attributes ?? node.attributes,
    named,
    node.name,
  );
  return made.map((value, i) => {
    const finished = move.finish?.(graph, value) ?? value;
    return move.gives.includes(i) ? axes.transposed(finished, inverse(permutation)) : finished;
  });
}

/** Values of a graph under construction in other orders, each made once. */
class Axes {
  readonly #graph: Graph;
  /** What each Transpose's result was. */
  readonly #sources = new Map<Value, { source: Value; permutation: Permutation }>();
  readonly #made = new Map<Value, Map<string, Value>>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** The value with its axes moved; of fewer axes, it gets ones in front. */
  transposed(value: Value, permutation: Permutation, name?: string, nodeName?: string): Value {
    const known = this.#sources.get(value);
    const source = known?.source ?? this.#ranked(value, permutation.length);
    const whole = known ? composed(known.permutation, permutation) : permutation;
    if (isIdentity(whole)) return source;
    const made = this.#made.get(source) ?? new Map<string, Value>();
    this.#made.set(source, made);
    const result = made.get(whole.join()) ?? this.#make(source, whole, name, nodeName);
    made.set(whole.join(), result);
    return result;
  }

  #ranked(value: Value, rank: number): Value {
    if (value.constant || value.shape.length === rank) return value;
    const sizes = withRank(value.shape, rank).map(Number);
    return this.#graph.op(Reshape, [value, this.#graph.ints(sizes)]);
  }

  #make(source: Value, permutation: Permutation, name?: string, nodeName?: string): Value {
    if (source.constant) return this.#graph.constant(transposeTensor(source.constant, permutation));
    const [result] = this.#graph.ops(Transpose, [source], { perm: permutation }, [name], nodeName);
    if (!result) throw new Error('internal: a Transpose has no output');
    this.#sources.set(result, { source, permutation });
    return result;
  }
}
