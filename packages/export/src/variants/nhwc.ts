/** The interface of TensorFlow's and of most image libraries: channels last, float32 as before. */
import { type Graph, rebuild, Transpose, type Value } from '@cyclegan/graph';
import { imageEnds } from './ends.js';

/** [N, H, W, C] → [N, C, H, W]. */
export function channelsFirst(graph: Graph, image: Value): Value {
  return graph.op(Transpose, [image], { perm: [0, 3, 1, 2] });
}

/** [N, C, H, W] → [N, H, W, C]. */
export function channelsLast(graph: Graph, image: Value): Value {
  return graph.op(Transpose, [image], { perm: [0, 2, 3, 1] });
}

/**
 * The graph with its image [N, H, W, C] in and out; other inputs and outputs stay as they are.
 * @param graph float32 [N, C, H, W] in and out
 * @throws GraphError for other ends
 */
export function toNhwc(graph: Graph): Graph {
  const { input, output } = imageEnds(graph);
  return rebuild(graph, {
    input(next, old) {
      if (old !== input.value) return undefined;
      const shape = [input.batch, input.height, input.width, input.channels];
      return channelsFirst(next, next.input(old.name, old.dtype, shape));
    },
    output: (next, { name, value }) => (name === output?.name ? channelsLast(next, value) : value),
  });
}
