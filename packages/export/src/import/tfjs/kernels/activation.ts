/** Activations by the names that tfjs gives them. None depends on the layout but softmax, which takes its axis. */
import {
  Abs,
  Add,
  Clip,
  Div,
  Elu,
  Erf,
  Exp,
  type Graph,
  HardSigmoid,
  Identity,
  LeakyRelu,
  Mul,
  PRelu,
  Relu,
  Selu,
  Sigmoid,
  Softmax,
  Softplus,
  Tanh,
  type Value,
} from '@cyclegan/graph';

type Activation = (graph: Graph, x: Value) => Value;

/** x · Φ(x). */
function gelu(graph: Graph, x: Value): Value {
  const erf = graph.op(Erf, [graph.op(Mul, [x, graph.float(Math.SQRT1_2)])]);
  return halved(graph, x, erf);
}

/** Gelu by the tanh that comes near it. */
function geluTanh(graph: Graph, x: Value): Value {
  const cube = graph.op(Mul, [graph.op(Mul, [x, x]), x]);
  const inner = graph.op(Add, [x, graph.op(Mul, [cube, graph.float(0.044715)])]);
  const tanh = graph.op(Tanh, [graph.op(Mul, [inner, graph.float(Math.sqrt(2 / Math.PI))])]);
  return halved(graph, x, tanh);
}

/** x · (1 + gate) / 2. */
function halved(graph: Graph, x: Value, gate: Value): Value {
  return graph.op(Mul, [graph.op(Mul, [x, graph.float(0.5)]), graph.op(Add, [gate, graph.float(1)])]);
}

const swish: Activation = (graph, x) => graph.op(Mul, [x, graph.op(Sigmoid, [x])]);
const hardSigmoid: Activation = (graph, x) => graph.op(HardSigmoid, [x], { alpha: 0.2, beta: 0.5 });

const activations = {
  linear: (_, x) => x,
  relu: (graph, x) => graph.op(Relu, [x]),
  relu6: (graph, x) => clip(graph, x, 0, 6),
  elu: (graph, x) => graph.op(Elu, [x]),
  selu: (graph, x) => graph.op(Selu, [x]),
  sigmoid: (graph, x) => graph.op(Sigmoid, [x]),
  hardSigmoid,
  hard_sigmoid: hardSigmoid,
  tanh: (graph, x) => graph.op(Tanh, [x]),
  softmax: (graph, x) => softmax(graph, x),
  softplus: (graph, x) => graph.op(Softplus, [x]),
  softsign: (graph, x) => graph.op(Div, [x, graph.op(Add, [graph.op(Abs, [x]), graph.float(1)])]),
  swish,
  silu: swish,
  gelu,
  gelu_new: geluTanh,
  mish: (graph, x) => graph.op(Mul, [x, graph.op(Tanh, [graph.op(Softplus, [x])])]),
  exponential: (graph, x) => graph.op(Exp, [x]),
} satisfies Record<string, Activation>;

export type ActivationName = keyof typeof activations;

/** Whether {@link activate} knows the name. */
export function isActivation(name: string): name is ActivationName {
  return Object.hasOwn(activations, name);
}

/** The activation without parameters of that name; softmax goes along the last axis. */
export function activate(graph: Graph, x: Value, name: ActivationName): Value {
  const activation: Activation = activations[name];
  return activation(graph, x);
}

/** x below 0 times alpha. */
export function leakyRelu(graph: Graph, x: Value, alpha: number): Value {
  return graph.op(LeakyRelu, [x], { alpha });
}

/** alpha · (eˣ − 1) below 0. */
export function elu(graph: Graph, x: Value, alpha: number): Value {
  return graph.op(Elu, [x], { alpha });
}

/** x below 0 times a slope that broadcasts to x from the last axis. */
export function prelu(graph: Graph, x: Value, slope: Value): Value {
  return graph.op(PRelu, [x, slope]);
}

/** @param axis default the last */
export function softmax(graph: Graph, x: Value, axis = -1): Value {
  return graph.op(Softmax, [x], { axis: axis < 0 ? axis + x.shape.length : axis });
}

/** Bounds may be left out. */
export function clip(graph: Graph, x: Value, least: number | undefined, most: number | undefined): Value {
  const bounds = [least, most].map((bound) => (bound === undefined ? undefined : graph.float(bound)));
  return bounds.every((bound) => bound === undefined)
    ? graph.op(Identity, [x])
    : graph.op(Clip, [x, ...bounds]);
}
