/**
 * Shape inference held against onnxruntime: with sizes fixed, with symbols that promise to be multiples of 4, and with
 * symbols that promise nothing, for which two sizes are put in. No tests.
 */
import {
  type Abs,
  type Add,
  type AttributeSchema,
  type Attributes,
  type Dim,
  Graph,
  GraphError,
  knownElements,
  type OpDefinition,
  symbolicDim,
  type Value,
  writeOnnx,
} from '@cyclegan/graph';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect } from 'vitest';
import { evaluateDim } from '../dim-text.ts';

type Symbols = Record<'N' | 'H' | 'W', number>;
const image = ['N', 3, 'H', 'W'] as const;
export type Size = number | keyof Symbols;

export interface Case {
  build(graph: Graph, inputs: Value[]): Value | Value[];
  /** Of the float32 inputs; default: one image [N, 3, H, W]. */
  shapes?: readonly (readonly Size[])[];
  /** Whether H and W must be multiples of 4 for the operator to run at all. */
  multiples?: true;
}

/** Sizes put in for the symbols, and what H and W are declared multiples of. */
const trials: readonly { unit: number; sizes: readonly Symbols[] }[] = [
  {
    unit: 4,
    sizes: [
      { N: 1, H: 8, W: 12 },
      { N: 3, H: 20, W: 16 },
    ],
  },
  {
    unit: 1,
    sizes: [
      { N: 2, H: 9, W: 14 },
      { N: 1, H: 15, W: 11 },
    ],
  },
];

/** A one-input operator on an image. */
export function each<A extends AttributeSchema>(op: OpDefinition<A>, attributes: Attributes<A> = {}): Case {
  return { build: (g, [x]) => g.op(op, [x], attributes) };
}

export function pair(op: typeof Add | typeof Abs, ...shapes: Size[][]): Case {
  return { build: (g, [x, y]) => g.op(op, [x, y]), shapes };
}

export function zeros(graph: Graph, shape: readonly number[]): Value {
  return graph.float(new Array(shape.reduce((a, b) => a * b, 1)).fill(0), shape);
}

function build({ build: make, shapes = [image] }: Case, dimOf: (size: Size) => Dim) {
  const graph = new Graph('shapes');
  const inputs = shapes.map((shape, i) => graph.input(`x${i}`, 'float32', shape.map(dimOf)));
  const outputs = [make(graph, inputs)].flat();
  outputs.forEach((output, i) => {
    graph.output(`y${i}`, output);
  });
  return { graph, outputs };
}

const open = (graph: Graph) => InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 4 });

/** What the session gives for inputs of zeros. */
async function run(
  session: InferenceSession,
  { shapes = [image] }: Case,
  symbols: Symbols,
): Promise<{ dims: number[]; data: Tensor['data'] }[]> {
  const feeds = shapes.map((shape, i): [string, Tensor] => {
    const dims = shape.map((size) => (typeof size === 'number' ? size : symbols[size]));
    return [`x${i}`, new Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b, 1)), dims)];
  });
  const results = await session.run(Object.fromEntries(feeds));
  return session.outputNames.map((name) => {
    const { dims, data } = results[name] as Tensor;
    return { dims: [...dims], data };
  });
}

/** What is inferred must be what is returned, the elements of outputs computed from shapes included. */
export async function expectSameShapes(definition: Case): Promise<void> {
  for (const { unit, sizes } of definition.multiples ? trials.slice(0, 1) : trials) {
    const symbol = (size: Size): Dim =>
      typeof size === 'number' ? size : symbolicDim(size, size === 'N' ? 1 : unit);
    const { graph, outputs } = build(definition, symbol);
    const session = await open(graph);
    for (const symbols of sizes) {
      const returned = await run(session, definition, symbols);
      const fixed = build(definition, (size) => (typeof size === 'number' ? size : symbols[size]));
      for (const made of [outputs, fixed.outputs]) {
        const shapes = made.map(({ shape }) => shape.map((dim) => evaluateDim(dim, symbols)));
        expect(shapes).toEqual(returned.map(({ dims }) => dims));
        made.forEach((output, i) => {
          const elements = knownElements(output)?.map((dim) => evaluateDim(dim, symbols));
          if (elements) expect(elements).toEqual(Array.from(returned[i]?.data as BigInt64Array, Number));
        });
      }
    }
    await session.release();
  }
}

/** Builds and runs: the inferred shape must be the one returned; what cannot be built is refused with a GraphError. */
export async function expectAgreement(definition: Case): Promise<'same' | 'refused'> {
  let built: ReturnType<typeof build>;
  try {
    built = build(definition, Number);
  } catch (error) {
    expect(error).toBeInstanceOf(GraphError);
    return 'refused';
  }
  const session = await open(built.graph);
  const returned = await run(session, definition, { N: 1, H: 8, W: 12 });
  await session.release();
  expect(built.outputs.map(({ shape }) => shape)).toEqual(returned.map(({ dims }) => dims));
  return 'same';
}
