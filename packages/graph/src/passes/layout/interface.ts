/** From images with their channels last to images with their channels first, at a graph's ends. Optimises nothing. */
import type { Graph, Value } from '../../graph.js';
import { Transpose } from '../../ops/index.js';
import { rebuild } from '../../rebuild.js';
import { permuted } from './permutation.js';

const toFirst = [0, 3, 1, 2];
const toLast = [0, 2, 3, 1];

export interface InterfaceChoice {
  /** Inputs and outputs to turn, by name; default: all of four axes. */
  names?: readonly string[];
}

/**
 * A graph that takes and gives [N, C, H, W] where `graph` takes and gives [N, H, W, C], under the same names: Transposes
 * at the ends, which `optimize` then takes away together with those inside.
 */
export function toNCHW(graph: Graph, { names }: InterfaceChoice = {}): Graph {
  const turns = (name: string, { shape }: Value) => names?.includes(name) ?? shape.length === 4;
  return rebuild(graph, {
    input(next, old) {
      if (!turns(old.name, old)) return undefined;
      const image = next.input(old.name, old.dtype, permuted(old.shape, toFirst));
      return next.op(Transpose, [image], { perm: toLast });
    },
    output: (next, { name, value }) =>
      turns(name, value) ? next.op(Transpose, [value], { perm: toFirst }) : value,
  });
}
