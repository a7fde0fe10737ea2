/**
 * A generator's ends as a bundle has them: its input `image` and its output `translation`, both on [-1, 1]. What is
 * between them stays as it is.
 */
import { Add, Div, Graph, Mul, rebuild, Sub, type Value, valuesRead } from '@cyclegan/graph';

/** The values of black and white. */
export type ValueRange = readonly [black: number, white: number];

export const INPUT_NAME = 'image';
export const OUTPUT_NAME = 'translation';

/**
 * The graph with a bundle's names and range.
 * @param graph one input and one output
 * @param range the values of black and white that the graph itself takes and gives
 * @returns a graph whose ends have other names only where a value inside has these
 */
export function withBundleInterface(graph: Graph, range: ValueRange): Graph {
  const [black, white] = range;
  const scale = (white - black) / 2;
  const middle = (white + black) / 2;
  const plain = scale === 1 && middle === 0;
  const names = innerNames(graph);
  let translation: Value | undefined;
  const made = rebuild(graph, {
    input(next, { dtype, shape }) {
      const image = next.input(freeName(INPUT_NAME, names), dtype, shape);
      if (plain) return image;
      return next.op(Add, [next.op(Mul, [image, next.float(scale)]), next.float(middle)]);
    },
    output(next, { value }) {
      translation = plain
        ? value
        : next.op(Div, [next.op(Sub, [value, next.float(middle)]), next.float(scale)]);
      return undefined;
    },
  });
  if (!translation) throw new Error('internal: a generator without an output');
  made.output(freeName(OUTPUT_NAME, names), translation);
  return made;
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  while (taken.has(name)) name += '_';
  return name;
}

/** Of the values between the ends, which keep theirs; what is in a subgraph is named beside them. */
function innerNames(graph: Graph): Set<string> {
  const ends = new Set<Value>([...graph.inputs, ...graph.outputs.map(({ value }) => value)]);
  const names = new Set<string>();
  for (const node of graph.nodes) {
    for (const value of [...valuesRead(node), ...node.outputs]) if (!ends.has(value)) names.add(value.name);
    for (const value of Object.values(node.attributes)) {
      if (value instanceof Graph) for (const name of innerNames(value)) names.add(name);
    }
  }
  return names;
}
