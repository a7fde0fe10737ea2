/** The graph's own error: a graph that cannot be built, differentiated, read or written. Names op, node, shapes. */

const longestMessage = 2000;

export class GraphError extends Error {
  override readonly name = 'GraphError';

  /** @param message of which names may come from a file: control characters are left out, and what is too long is cut */
  constructor(message: string, options?: ErrorOptions) {
    const line = message.replaceAll(/\p{Cc}+/gu, ' ');
    const half = longestMessage / 2 - 1;
    super(line.length > longestMessage ? `${line.slice(0, half)}…${line.slice(-half)}` : line, options);
  }
}
