/** Operators that opset 17 does not have, or means otherwise, written in those that it has. */
import type { Value } from '../../graph.js';
import type { OpDefinition } from '../../op-definition.js';
import {
  Add,
  Div,
  Erf,
  Expand,
  Flatten,
  InstanceNormalization,
  LogSoftmax,
  Mul,
  Pow,
  ReduceMean,
  Reshape,
  Shape,
  Softmax,
  Softplus,
  Sqrt,
  Sub,
  Tanh,
  Unsqueeze,
} from '../../ops/index.js';
import { float32, int64, type Tensor } from '../../tensor.js';
import { attributeOf, type FileNode, type Form, ofType, scalarLike } from './form.js';

function only(node: FileNode): Value {
  return node.inputs[0] ?? node.fail('expected an input');
}

/** Before opset 13 all axes from `axis` on were one. */
function softmax(op: OpDefinition): Form {
  return {
    bring: (node) => {
      const x = only(node);
      const { axis: given, ...rest } = node.attributes as { axis?: number };
      const axis = given ?? (node.opset < 13 ? 1 : -1);
      const last = axis === -1 || axis === x.shape.length - 1;
      if (node.opset >= 13 || last) return { op, inputs: [x], attributes: { ...rest, axis } };
      const flat = node.graph.op(op, [node.graph.op(Flatten, [x], { axis })], { axis: -1 });
      return { op: Reshape, inputs: [flat, node.graph.op(Shape, [x])], attributes: {} };
    },
  };
}

/** Opset 20: x · Φ(x), or its approximation by tanh. */
const gelu: Form = {
  attributes: { approximate: 'string' },
  bring: (node) => {
    const { graph } = node;
    const x = only(node);
    const number = (value: number) => scalarLike(node, value, x);
    let inside: Value;
    if (attributeOf(node, 'approximate', 'string') === 'tanh') {
      const cubed = graph.op(Pow, [x, number(3)]);
      const sum = graph.op(Add, [x, graph.op(Mul, [cubed, number(0.044715)])]);
      inside = graph.op(Tanh, [graph.op(Mul, [sum, number(Math.sqrt(2 / Math.PI))])]);
    } else {
      inside = graph.op(Erf, [graph.op(Div, [x, number(Math.SQRT2)])]);
    }
    const half = graph.op(Mul, [x, number(0.5)]);
    return { op: Mul, inputs: [half, graph.op(Add, [inside, number(1)])], attributes: {} };
  },
};

/** Opset 18: x · tanh(softplus(x)). */
const mish: Form = {
  bring: (node) => {
    const x = only(node);
    const inside = node.graph.op(Tanh, [node.graph.op(Softplus, [x])]);
    return { op: Mul, inputs: [x, inside], attributes: {} };
  },
};

/** Opset 18 has a scale and bias for each group, opset 21 for each channel. */
const groupNormalization: Form = {
  attributes: { epsilon: 'float', num_groups: 'int', stash_type: 'int' },
  bring: (node) => {
    const { graph } = node;
    const [x, scale, bias] = node.inputs;
    const groups = attributeOf(node, 'num_groups', 'int') ?? 0;
    if (!x || !scale || !bias || !(groups >= 1)) {
      return node.fail('expected an input, a scale, a bias and num_groups');
    }
    const { epsilon = 1e-5 } = node.attributes as { epsilon?: number };
    const perGroup = node.opset < 21;
    const grouped = graph.op(Reshape, [x, graph.ints([0, groups, -1])]);
    const all = (value: number) =>
      graph.op(Expand, [ofType(node, graph.float(value), x), graph.ints([groups])]);
    const normal = graph.op(
      InstanceNormalization,
      [grouped, ...(perGroup ? [scale, bias] : [all(1), all(0)])],
      { epsilon },
    );
    const sizes = graph.op(Shape, [x]);
    if (perGroup) return { op: Reshape, inputs: [normal, sizes], attributes: {} };
    const spatial = graph.ints(x.shape.slice(2).map((_, i) => i + 1));
    const [factor, offset] = [scale, bias].map((vector) => graph.op(Unsqueeze, [vector, spatial]));
    const whole = graph.op(Mul, [graph.op(Reshape, [normal, sizes]), factor]);
    return { op: Add, inputs: [whole, offset], attributes: {} };
  },
};

/** (x − mean) / (√(mean(x²) − mean²) + 1e-9), by default over batch, height and width. */
const meanVarianceNormalization: Form = {
  attributes: { axes: 'ints' },
  bring: (node) => {
    const { graph } = node;
    const x = only(node);
    const over = { axes: attributeOf(node, 'axes', 'ints') ?? [0, 2, 3], keepdims: 1 };
    const mean = graph.op(ReduceMean, [x], over);
    const squares = graph.op(ReduceMean, [graph.op(Mul, [x, x])], over);
    const deviation = graph.op(Sqrt, [graph.op(Sub, [squares, graph.op(Mul, [mean, mean])])]);
    const divisor = graph.op(Add, [deviation, scalarLike(node, 1e-9, x)]);
    return { op: Div, inputs: [graph.op(Sub, [x, mean]), divisor], attributes: {} };
  },
};

const constantAttributes = {
  value: 'tensor',
  value_float: 'float',
  value_floats: 'floats',
  value_int: 'int',
  value_ints: 'ints',
} as const;

/** Not a node here: what it holds is a constant of the graph. */
const constant: Form = {
  attributes: constantAttributes,
  bring: (node) => [node.graph.constant(constantOf(node))],
};

function constantOf(node: FileNode): Tensor {
  const given = <K extends keyof typeof constantAttributes>(name: K) =>
    attributeOf(node, name, constantAttributes[name]);
  const whole = given('value');
  const float = given('value_float') ?? given('value_floats');
  const int = given('value_int');
  const ints = given('value_ints');
  if (whole) return whole;
  if (float !== undefined) return float32(float);
  if (int !== undefined) return int64([int], []);
  return ints ? int64(ints) : node.fail('expected a value');
}

export const composedForms: Readonly<Record<string, Form>> = {
  Constant: constant,
  Gelu: gelu,
  GroupNormalization: groupNormalization,
  LogSoftmax: softmax(LogSoftmax),
  MeanVarianceNormalization: meanVarianceNormalization,
  Mish: mish,
  Softmax: softmax(Softmax),
};
