/** A graph again, and where its values are in the copy: for looking at them, or at their sizes. */
import { type Graph, rebuild, type Value } from '@cyclegan/graph';

/**
 * @param shape of the only input, if another than the graph's own
 * @returns a copy without outputs, and what each of the values is in it
 */
export function follow(
  old: Graph,
  values: readonly Value[],
  shape?: readonly number[],
): { graph: Graph; places: Value[] } {
  const now = new Map<Value, Value>();
  const graph = rebuild(old, {
    input(made, value) {
      const input = made.input(value.name, value.dtype, shape ?? value.shape);
      now.set(value, input);
      return input;
    },
    node({ node, copy }) {
      const made = copy();
      node.outputs.forEach((value, i) => {
        now.set(value, made[i] ?? value);
      });
      return made;
    },
    output: () => undefined,
  });
  return { graph, places: values.map((value) => now.get(value) ?? value) };
}
