/** Elementwise arithmetic. Both sides broadcast as in ONNX; whole numbers divide towards minus infinity. */
import {
  Abs,
  Add,
  Ceil,
  Clip,
  Div,
  Equal,
  Erf,
  Exp,
  Floor,
  type Graph,
  knownElements,
  Log,
  leastOf,
  Max,
  Min,
  Mod,
  Mul,
  Neg,
  type OpDefinition,
  Pow,
  Reciprocal,
  Round,
  Sign,
  Sqrt,
  Sub,
  type Value,
  Where,
} from '@cyclegan/graph';
import { alike, type Converter, castTo } from '../call.js';

type Binary = (graph: Graph, a: Value, b: Value) => Value;

function binary(build: Binary): Converter {
  return ({ graph, input }) => {
    const [a, b] = alike(graph, [input(0), input(1)]) as [Value, Value];
    return build(graph, a, b);
  };
}

const by =
  (op: OpDefinition): Binary =>
  (graph, a, b) =>
    graph.op(op, [a, b]);

function unary(build: (graph: Graph, x: Value) => Value): Converter {
  return ({ graph, input }) => build(graph, input(0));
}

const of =
  (op: OpDefinition): Converter =>
  ({ graph, input }) =>
    graph.op(op, [input(0)]);

const floatDivision: Binary = (graph, a, b) =>
  graph.op(Div, [castTo(graph, a, 'float32'), castTo(graph, b, 'float32')]);

const floorDivision: Binary = (graph, a, b) => {
  if (a.dtype === 'float32') return graph.op(Floor, [graph.op(Div, [a, b])]);
  // ONNX rounds whole quotients towards 0, which for sizes is the same.
  const sizes = [a, b].every((side) => knownElements(side)?.every((size) => leastOf(size) >= 0));
  return sizes ? graph.op(Div, [a, b]) : graph.op(Div, [graph.op(Sub, [a, modulo(graph, a, b)]), b]);
};

/** The remainder with the divisor's sign. */
const modulo: Binary = (graph, a, b) => {
  if (a.dtype !== 'float32') return graph.op(Mod, [a, b]);
  return graph.op(Sub, [a, graph.op(Mul, [graph.op(Floor, [graph.op(Div, [a, b])]), b])]);
};

const noNan: Binary = (graph, a, b) => {
  const isZero = graph.op(Equal, [b, graph.float(0)]);
  return graph.op(Where, [isZero, graph.float(0), graph.op(Div, [a, b])]);
};

const squaredDifference: Binary = (graph, a, b) => {
  const difference = graph.op(Sub, [a, b]);
  return graph.op(Mul, [difference, difference]);
};

const add = binary(by(Add));

export const arithmetic: Readonly<Record<string, Converter>> = {
  Add: add,
  AddV2: add,
  AddN: ({ graph, inputs, input }) =>
    inputs.slice(1).reduce((sum, value) => graph.op(Add, [sum, value]), input(0)),
  Sub: binary(by(Sub)),
  Mul: binary(by(Mul)),
  RealDiv: binary(floatDivision),
  Div: binary((graph, a, b) => (a.dtype === 'float32' ? graph.op(Div, [a, b]) : floorDivision(graph, a, b))),
  DivNoNan: binary(noNan),
  FloorDiv: binary(floorDivision),
  FloorMod: binary(modulo),
  Mod: binary(modulo),
  Pow: binary(by(Pow)),
  Maximum: binary(by(Max)),
  Minimum: binary(by(Min)),
  SquaredDifference: binary(squaredDifference),
  Abs: of(Abs),
  Ceil: of(Ceil),
  Erf: of(Erf),
  Exp: of(Exp),
  Expm1: unary((graph, x) => graph.op(Sub, [graph.op(Exp, [x]), graph.float(1)])),
  Floor: of(Floor),
  Log: of(Log),
  Log1p: unary((graph, x) => graph.op(Log, [graph.op(Add, [x, graph.float(1)])])),
  Neg: of(Neg),
  Reciprocal: of(Reciprocal),
  Round: of(Round),
  Rsqrt: unary((graph, x) => graph.op(Reciprocal, [graph.op(Sqrt, [x])])),
  Sign: of(Sign),
  Sqrt: of(Sqrt),
  Square: unary((graph, x) => graph.op(Mul, [x, x])),
  ClipByValue: ({ graph, input }) => graph.op(Clip, [input(0), input(1), input(2)]),
};
