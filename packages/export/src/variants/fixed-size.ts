/**
 * A graph for images of one size: every dimension a number and every computation of sizes done, as WebGPU's graph
 * capture wants it. Changes no weights.
 */
import {
  type Dim,
  fixedShape,
  formatDim,
  formatShape,
  type Graph,
  GraphError,
  int64,
  knownElements,
  prune,
  rebuild,
  type Value,
} from '@cyclegan/graph';
import { imageEnds } from './ends.js';

export interface FixedSize {
  /** Pixels; multiples of what the graph's symbols promise. */
  readonly width: number;
  readonly height: number;
  /** Default 1. */
  readonly batch?: number | undefined;
}

/**
 * @param graph float32 [N, C, H, W] in; other inputs follow where they share its symbols
 * @throws GraphError for a size that the graph does not take, and where a dimension is known only at run time
 */
export function toFixedSize(graph: Graph, { width, height, batch = 1 }: FixedSize): Graph {
  const { input } = imageEnds(graph);
  const symbols = new Map<string, number>();
  for (const [dim, size] of [
    [input.batch, batch],
    [input.height, height],
    [input.width, width],
  ] as const) {
    solve(graph, symbols, dim, size);
  }
  const made = rebuild(graph, {
    input: (next, old) =>
      next.input(
        old.name,
        old.dtype,
        old.shape.map((dim) => evaluate(graph, symbols, dim)),
      ),
    node: (turn) => turn.copy().map((value) => folded(turn.graph, value)),
  });
  prune(made);
  for (const { name, outputs } of made.nodes) {
    const open = outputs.find(({ shape }) => shape.some((dim) => typeof dim !== 'number'));
    if (open) {
      throw new GraphError(
        `graph ${graph.name}: expected node ${name} to have a fixed size for images of ${width}x${height}, got ${formatShape(open.shape)}. It is known only at run time.`,
      );
    }
  }
  return made;
}

/** Notes what a dimension's symbol stands for where the dimension is to be `size`. */
function solve(graph: Graph, symbols: Map<string, number>, dim: Dim, size: number): void {
  const refuse = (expected: string): never => {
    throw new GraphError(`graph ${graph.name}: expected ${expected}, got ${size}. Choose another size.`);
  };
  if (!Number.isSafeInteger(size) || size < 1) refuse('whole sizes from 1');
  if (typeof dim === 'number') {
    if (dim !== size) refuse(`a size of ${dim}, as the model has it`);
    return;
  }
  const symbol = ((size - dim.offset) / dim.scale) * dim.unit;
  if (!Number.isInteger(symbol / dim.unit)) refuse(`${formatDim(dim)} to be a multiple of ${dim.unit}`);
  if ((symbols.get(dim.symbol) ?? symbol) !== symbol) refuse(`one size for every ${dim.symbol}`);
  symbols.set(dim.symbol, symbol);
}

function evaluate(graph: Graph, symbols: ReadonlyMap<string, number>, dim: Dim): number {
  if (typeof dim === 'number') return dim;
  const symbol = symbols.get(dim.symbol);
  if (symbol === undefined) {
    throw new GraphError(`graph ${graph.name}: expected inputs of the image's sizes, got ${formatDim(dim)}.`);
  }
  return (symbol / dim.unit) * dim.scale + dim.offset;
}

/** Whole numbers that are known before the graph runs, as a constant; the node that computes them is then unread. */
function folded(graph: Graph, value: Value): Value {
  const elements = value.dtype === 'int64' ? knownElements(value) : undefined;
  const numbers = elements?.filter((element) => typeof element === 'number');
  if (!numbers || numbers.length !== elements?.length) return value;
  return graph.constant(int64(numbers, fixedShape(value.shape, value.name)));
}
