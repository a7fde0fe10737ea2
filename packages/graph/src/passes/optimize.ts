/** Runs the passes in turn until none finds anything to do, and tells what each has done. Is no pass itself. */
import type { Graph } from '../graph.js';
import { commonSubexpressions } from './common-subexpressions.js';
import { deadCode } from './dead-code.js';
import { foldAffine } from './fold-affine.js';
import { foldConstants } from './fold-constants.js';
import { foldPads } from './fold-pads.js';
import { fuseInstanceNormalization } from './instance-norm/fuse.js';
import { cancelTransposes } from './layout/transposes.js';
import { fuseLeakyRelu } from './leaky-relu.js';
import { countNodes, type Evaluate, type Pass } from './pass.js';
import { shapeParameters } from './shape-parameters.js';
import { simplify } from './simplify.js';

/** In the order in which they run: what knows more about shapes first, what rounds anew last. */
export const defaultPasses: readonly Pass[] = [
  deadCode,
  foldConstants,
  shapeParameters,
  simplify,
  commonSubexpressions,
  fuseInstanceNormalization,
  fuseLeakyRelu,
  cancelTransposes,
  foldPads,
  foldAffine,
];

/** More than any graph is known to need. */
const mostRounds = 8;

export interface OptimizeOptions {
  /** How constants are computed; the graph knows no runtime. */
  evaluate: Evaluate;
  /** Default: {@link defaultPasses}. */
  passes?: readonly Pass[];
  signal?: AbortSignal;
}

/** What one pass has done over all rounds. */
export interface PassRow {
  pass: string;
  /** Nodes when its first turn came, and what its turns made of them. */
  before: number;
  after: number;
  /** Rounds in which it found something to do. */
  rounds: number;
}

export interface OperatorRow {
  /** ONNX's name. */
  operator: string;
  before: number;
  after: number;
}

export interface OptimizeTable {
  passes: PassRow[];
  /** Nodes of each operator; those of subgraphs are not counted. */
  operators: OperatorRow[];
}

/**
 * Makes a graph smaller and faster that computes the same: exactly, or, where weights take up what stands beside them,
 * to float32's rounding. Inputs, outputs, their names and shapes stay. Doing it again changes nothing.
 * @returns a new graph, which shares constants' data with the old one; or the old one where there is nothing to do
 * @throws GraphError for constants that cannot be computed; the signal's reason when it is aborted
 */
export async function optimize(
  graph: Graph,
  { evaluate, passes = defaultPasses, signal }: OptimizeOptions,
): Promise<{ graph: Graph; table: OptimizeTable }> {
  const context = signal ? { evaluate, signal } : { evaluate };
  const rows = new Map<Pass, PassRow>();
  let current = graph;
  for (let round = 0, last: Graph | undefined; round < mostRounds && current !== last; round++) {
    last = current;
    for (const pass of passes) {
      signal?.throwIfAborted();
      const next = await pass.apply(current, context);
      const size = current.nodes.length;
      const row = rows.get(pass) ?? { pass: pass.name, before: size, after: size, rounds: 0 };
      row.after += next.nodes.length - size;
      if (next !== current) row.rounds++;
      rows.set(pass, row);
      current = next;
    }
  }
  return { graph: current, table: { passes: [...rows.values()], operators: operatorRows(graph, current) } };
}

function operatorRows(old: Graph, now: Graph): OperatorRow[] {
  const [before, after] = [countNodes(old), countNodes(now)];
  return [...new Set([...before.keys(), ...after.keys()])].map((operator) => ({
    operator,
    before: before.get(operator) ?? 0,
    after: after.get(operator) ?? 0,
  }));
}
