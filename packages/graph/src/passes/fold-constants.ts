/**
 * Constant folding: what depends on constants alone is computed now, all of it in one run of a runtime, and what shape
 * inference knows already becomes a constant. Knows no operator's arithmetic.
 */
import type { Dim } from '../dim.js';
import { GraphError } from '../errors.js';
import { Graph, type Node, type Value, valuesRead } from '../graph.js';
import { writeOnnx } from '../onnx/write.js';
import { type DType, int64, type Tensor, tensor } from '../tensor.js';
import { type Evaluate, type Pass, sweep } from './pass.js';
import { prune } from './prune.js';

/** A result may take as many bytes as what it is made of, or this many: an Expand is not to fill the file. */
const leastBudget = 16 * 1024;
/** A value made of more constants is left alone, so that following them stays cheap. */
const mostSources = 256;

/**
 * As exact as the runtime. Left alone: what would grow the file, what keeps it small (DequantizeLinear, Casts of half
 * precision), what is random, and what runs a subgraph.
 */
export const foldConstants: Pass = {
  name: 'constant folding',
  async apply(graph, { evaluate }) {
    // What has become a constant may let more become one: it counts by its own size then.
    for (let current = graph; ; ) {
      const next = await foldOnce(current, evaluate);
      if (next === current) return current;
      current = next;
    }
  },
};

async function foldOnce(graph: Graph, evaluate: Evaluate): Promise<Graph> {
  const results = await evaluateAll(graph, findFoldable(graph), evaluate);
  return sweep(graph, ({ graph: next, node, copy }) => {
    const known = node.outputs.map((value) => results.get(value) ?? elementsOf(value));
    if (known.every((constant) => constant === undefined)) return undefined;
    const rest = known.every((constant) => constant !== undefined) ? undefined : copy();
    return node.outputs.map((value, i) => {
      const constant = known[i];
      if (constant)
        return next.constant(constant, constant.data.length > 64 && !rest ? value.name : undefined);
      return rest?.[i] ?? value;
    });
  });
}

/** What shape inference knows of a value's elements, where those are numbers. */
function elementsOf({ dtype, shape, elements }: Value): Tensor | undefined {
  const numbers = elements?.filter((dim) => typeof dim === 'number');
  if (!numbers || numbers.length !== elements?.length || !shape.every((dim) => typeof dim === 'number')) {
    return undefined;
  }
  if (dtype === 'int64') return int64(numbers, shape);
  return dtype === 'int32' ? tensor(dtype, shape, Int32Array.from(numbers)) : undefined;
}

const elementBytes: Partial<Record<DType, number>> = {
  int64: 8,
  float64: 8,
  float16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

function bytesOf({ dtype, shape }: { dtype: DType; shape: readonly Dim[] }): number {
  return shape.reduce<number>(
    (bytes, dim) => (typeof dim === 'number' ? bytes * dim : Number.POSITIVE_INFINITY),
    elementBytes[dtype] ?? 4,
  );
}

/** Nodes that depend on constants alone and whose results are not to stay as they are. */
function findFoldable(graph: Graph): Set<Node> {
  const sources = new Map<Value, ReadonlySet<Tensor>>();
  const foldable = new Set<Node>();
  for (const node of graph.nodes) {
    if (node.inputs.length === 0 || isKept(node)) continue;
    const own = new Set<Tensor>();
    const constant = node.inputs.every((value) => {
      const from = value?.constant
        ? [value.constant]
        : value && (sources.get(value) ?? elementsAsSource(value));
      for (const source of from ?? []) own.add(source);
      return !value || from !== undefined;
    });
    if (!constant || own.size === 0 || own.size > mostSources) continue;
    const budget = Math.max(
      [...own].reduce((sum, source) => sum + bytesOf(source), 0),
      leastBudget,
    );
    if (node.outputs.reduce((sum, value) => sum + bytesOf(value), 0) > budget) continue;
    foldable.add(node);
    for (const value of node.outputs) sources.set(value, own);
  }
  return foldable;
}

function elementsAsSource(value: Value): Tensor[] | undefined {
  const known = elementsOf(value);
  return known && [known];
}

function isKept({ op, inputs, attributes }: Node): boolean {
  if (Object.values(attributes).some((value) => value instanceof Graph)) return true;
  if (/^(DequantizeLinear|Random|Bernoulli|Multinomial)/.test(op.name)) return true;
  return op.name === 'Cast' && inputs[0]?.dtype === 'float16';
}

/** Runs the foldable nodes; returns what the others and the graph's outputs read of them. */
async function evaluateAll(
  graph: Graph,
  foldable: ReadonlySet<Node>,
  evaluate: Evaluate,
): Promise<ReadonlyMap<Value, Tensor>> {
  const others = graph.nodes.filter((node) => !foldable.has(node));
  const read = new Set([...others.flatMap(valuesRead), ...graph.outputs.map(({ value }) => value)]);
  const constants = new Graph('constants');
  const places = new Map<Value, Value>();
  const now = (value: Value): Value => {
    const place = places.get(value) ?? constants.constant(value.constant ?? (elementsOf(value) as Tensor));
    places.set(value, place);
    return place;
  };
  const wanted: { value: Value; name: string }[] = [];
  for (const node of foldable) {
    const made = constants.ops(
      node.op,
      node.inputs.map((value) => value && now(value)),
      node.attributes,
    );
    node.outputs.forEach((value, i) => {
      const place = made[i] as Value;
      places.set(value, place);
      if (!read.has(value) || elementsOf(value)) return;
      wanted.push({ value, name: place.name });
      constants.output(place.name, place);
    });
  }
  if (wanted.length === 0) return new Map();
  const results = await run(graph, constants, evaluate);
  return new Map(wanted.map(({ value, name }) => [value, checked(graph, value, results.get(name))]));
}

async function run(graph: Graph, constants: Graph, evaluate: Evaluate) {
  prune(constants);
  try {
    return await evaluate(writeOnnx(constants));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new GraphError(`graph ${graph.name}: expected constants that can be computed, got: ${why}`, {
      cause,
    });
  }
}

function checked(graph: Graph, { name, dtype, shape }: Value, result: Tensor | undefined): Tensor {
  if (result?.dtype !== dtype || result.shape.join() !== shape.join()) {
    throw new GraphError(
      `graph ${graph.name}: expected constant ${name} of ${dtype}[${shape.join(', ')}], got ${result ? `${result.dtype}[${result.shape.join(', ')}]` : 'none'}.`,
    );
  }
  return result;
}
