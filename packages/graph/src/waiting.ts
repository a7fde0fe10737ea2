/**
 * Dependencies without arithmetic: ONNX has no way to say that a node is to run after another but by a value that it
 * reads.
 */
import type { Graph, Node, Value } from './graph.js';
import type { OpDefinition } from './op-definition.js';
import { Concat, Mul, ReduceSum, Reshape, Slice, Transpose } from './ops/index.js';

/** Operators that move all elements and change none. */
export const movers: ReadonlySet<OpDefinition> = new Set<OpDefinition>([Concat, Reshape, Transpose]);

/** Those inputs of a mover's node that hold elements, and not sizes. */
export function movedInputs({ op, inputs }: Node): Value[] {
  return (op === Concat ? inputs : inputs.slice(0, 1)).filter((input) => input !== undefined);
}

/** The node that makes the value; those made last are found first. */
export function makerOf(graph: Graph, value: Value): Node | undefined {
  return graph.nodes.findLast(({ outputs }) => outputs.includes(value));
}

/**
 * A zero, float32 [1], that is there when all of the values are. What it is added to waits for them, and is changed
 * only where one of them is not finite.
 */
export function elementsAsZero(graph: Graph, values: readonly Value[]): Value {
  const sources = [...new Set(values.flatMap((value) => unmoved(graph, value)))];
  const firsts = sources.map((value) =>
    graph.op(Slice, [graph.op(Reshape, [value, graph.ints([-1])]), graph.ints([0]), graph.ints([1])]),
  );
  const all = firsts.length === 1 ? firsts[0] : graph.op(Concat, firsts, { axis: 0 });
  const zeros = graph.op(Mul, [all, graph.float(0)]);
  return firsts.length === 1 ? zeros : graph.op(ReduceSum, [zeros]);
}

/** What the value was before it was moved: any element of it will do. */
function unmoved(graph: Graph, value: Value): Value[] {
  const maker = makerOf(graph, value);
  return maker && movers.has(maker.op)
    ? movedInputs(maker).flatMap((input) => unmoved(graph, input))
    : [value];
}
