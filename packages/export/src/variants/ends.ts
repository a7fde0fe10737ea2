/** Where the image goes into a graph and comes out of it: what every change of interface begins with. */
import { type Dim, formatShape, type Graph, GraphError, type Value } from '@cyclegan/graph';

/** An image [N, C, H, W]. */
export interface ImageEnd {
  readonly name: string;
  readonly value: Value;
  readonly channels: 1 | 3;
  /** N, H, W. */
  readonly batch: Dim;
  readonly height: Dim;
  readonly width: Dim;
}

export interface ImageEnds {
  readonly input: ImageEnd;
  /** Undefined in a graph of statistics, which gives no image. */
  readonly output: ImageEnd | undefined;
}

/**
 * The first input, and the first output where it is of rank 4.
 * @throws GraphError unless they are float32 [N, C, H, W] of one or three channels
 */
export function imageEnds(graph: Graph): ImageEnds {
  const [input] = graph.inputs;
  const [output] = graph.outputs;
  if (!input || !output) {
    throw new GraphError(`graph ${graph.name}: expected an image as input and an output, got none.`);
  }
  const end = (name: string, value: Value): ImageEnd => {
    const [batch, channels, height, width] = value.shape;
    const image = value.shape.length === 4 && value.dtype === 'float32' && (channels === 1 || channels === 3);
    if (!image || batch === undefined || height === undefined || width === undefined) {
      throw new GraphError(
        `graph ${graph.name}: expected "${name}" to be float32 [N, C, H, W] with 1 or 3 channels, got ${value.dtype}${formatShape(value.shape)}.`,
      );
    }
    return { name, value, channels, batch, height, width };
  };
  return {
    input: end(input.name, input),
    output: output.value.shape.length === 4 ? end(output.name, output.value) : undefined,
  };
}
