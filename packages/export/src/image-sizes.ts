/**
 * Which sizes of images a generator's graph takes: set free where they are fixed, and found by inferring shapes, since
 * a foreign model does not say. Runs nothing.
 */
import { formatShape, Graph, GraphError, rebuild, type Shape, sameDim, symbolicDim } from '@cyclegan/graph';

/** The multiples tried: what a network halves up to ten times. */
const MULTIPLES = Array.from({ length: 11 }, (_, halvings) => 2 ** halvings);
/** The largest that a manifest may say. */
const LARGEST_MIN_SIZE = 4096;

export interface ImageSizes {
  /** Height and width must be multiples of it: for these the output is as large as the input. A power of two. */
  readonly sizeMultiple: number;
  /** The least height and width, a multiple of `sizeMultiple`. */
  readonly minSize: number;
}

export interface SizedGraph extends ImageSizes {
  /** The input is [N, C, H, W] with H and W multiples of `sizeMultiple`; N is 1 where the graph holds on to that. */
  readonly graph: Graph;
}

/** A graph that takes one size alone, or whose output is not as large as its input. */
export interface UnsizedGraph {
  /** As it was. */
  readonly graph: Graph;
  /** Why, in words that follow "because". */
  readonly reason: string;
}

/**
 * Lets a graph take images of any height and width.
 * @param graph one input [N, C, H, W], one output of rank 4; whatever of N, H and W is fixed is set free if it can be
 */
export function freeSizes(graph: Graph): SizedGraph | UnsizedGraph {
  let reason = `its output is not of its input's size for any multiple up to ${MULTIPLES.at(-1)}`;
  for (const sizeMultiple of MULTIPLES) {
    for (const batch of [symbolicDim('N'), 1]) {
      const shape = [
        batch,
        channelsOf(graph),
        symbolicDim('H', sizeMultiple),
        symbolicDim('W', sizeMultiple),
      ];
      const tried = attempt(graph, shape);
      if (tried instanceof GraphError) reason = tried.message.replace(/\.$/, '');
      else if (keepsSize(tried)) {
        const minSize = leastSize(graph, sizeMultiple);
        if (minSize !== undefined) return { graph: tried, sizeMultiple, minSize };
      }
    }
  }
  const own = attempt(graph, graph.inputs[0]?.shape ?? []);
  if (own instanceof Graph && !keepsSize(own)) {
    reason = `it turns ${formatShape(own.inputs[0]?.shape ?? [])} into ${formatShape(outputShape(own))}`;
  }
  return { graph, reason };
}

/**
 * The least side from which on sides of this multiple fit. Numbers decide what symbols may leave open, so that a
 * multiple at which some of them do not fit is refused.
 */
function leastSize(graph: Graph, multiple: number): number | undefined {
  const fits = (height: number, width: number) => {
    const tried = attempt(graph, [1, channelsOf(graph), height, width]);
    return !(tried instanceof GraphError) && keepsSize(tried);
  };
  const most = LARGEST_MIN_SIZE / multiple;
  let above = 1;
  while (!fits(above * multiple, above * multiple)) {
    above *= 2;
    if (above > most) return undefined;
  }
  let below = Math.floor(above / 2);
  while (above - below > 1) {
    const middle = Math.floor((above + below) / 2);
    if (fits(middle * multiple, middle * multiple)) above = middle;
    else below = middle;
  }
  const others = [1, 2, 3, 5, 6, 11].map((more) => (above + more) * multiple);
  const all = others.every((side) => fits(side, above * multiple) && fits(above * multiple, side));
  return all ? above * multiple : undefined;
}

function attempt(graph: Graph, shape: Shape): Graph | GraphError {
  try {
    return rebuild(graph, { input: (next, old) => next.input(old.name, old.dtype, shape) });
  } catch (error) {
    if (error instanceof GraphError) return error;
    throw error;
  }
}

/** Whether N, H and W come out as they went in. */
function keepsSize(graph: Graph): boolean {
  const [input, output] = [graph.inputs[0]?.shape ?? [], outputShape(graph)];
  return [0, 2, 3].every((axis) => {
    const [before, after] = [input[axis], output[axis]];
    return before !== undefined && after !== undefined && sameDim(before, after);
  });
}

function outputShape(graph: Graph): Shape {
  return graph.outputs[0]?.value.shape ?? [];
}

function channelsOf(graph: Graph) {
  return graph.inputs[0]?.shape[1] ?? 0;
}
