/** LeakyRelu from its parts, as TensorFlow writes it: one node instead of two, which runtimes join to convolutions. */
import type { Node, Value } from '../graph.js';
import { LeakyRelu, Max, Mul } from '../ops/index.js';
import { floatsOf, numberOf, type Pass, rewrite } from './pass.js';

/** max(x, a·x) = LeakyRelu(x) for 0 ≤ a ≤ 1, exactly. Beyond 1 the maximum bends the other way: left alone. */
export const fuseLeakyRelu: Pass = {
  name: 'leaky ReLU',
  apply: (graph) =>
    rewrite(graph, ({ node, links, now, put }) => {
      if (node.op !== Max || node.inputs.length !== 2) return undefined;
      for (const [i, scaled] of node.inputs.entries()) {
        const x = node.inputs[1 - i];
        const alpha = slopeOf(links.producer(scaled), x);
        if (x && alpha !== undefined && alpha >= 0 && alpha <= 1) return put(LeakyRelu, [now(x)], { alpha });
      }
      return undefined;
    }),
};

function slopeOf(node: Node | undefined, x: Value | undefined): number | undefined {
  if (node?.op !== Mul || !x || x.constant) return undefined;
  const factor = node.inputs[node.inputs[0] === x ? 1 : 0];
  // A factor of more axes than x would give the result more.
  const fits = node.inputs.includes(x) && floatsOf(factor) && (factor?.shape.length ?? 0) <= x.shape.length;
  return fits ? numberOf(factor) : undefined;
}
