/** The graph's own error: a graph that cannot be built, differentiated, read or written. Names op, node, shapes. */

export class GraphError extends Error {
  override readonly name = 'GraphError';
}
