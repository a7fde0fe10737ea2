/**
 * The graph's operators in TensorFlow.js, by their ONNX names: those that the objective of any networks is made of.
 * Each is written so that TensorFlow.js can differentiate it as the graph's own rules do.
 */
import type { Tensor } from '@tensorflow/tfjs';
import { Conv, ConvTranspose, Pad, Resize } from './convolutions.js';
import { heldAxis, heldShape, hold } from './layout.js';
import type { Tf } from './load.js';
import type { Operator, OperatorContext } from './operator-context.js';

/** An elementwise operator of two inputs with numpy's broadcasting. */
function binary(compute: (c: OperatorContext, a: Tensor, b: Tensor) => Tensor): Operator {
  return (c) => {
    const rank = c.shape.length;
    return compute(c, aligned(c, 0, rank), aligned(c, 1, rank));
  };
}

/** The i-th input as held, with the axes that broadcasting to a rank of four would put before it. */
function aligned(c: OperatorContext, i: number, rank: number): Tensor {
  const { shape } = c.held(i);
  if (rank !== 4 || shape.length === 4 || shape.length === 0) return c.held(i);
  const lead = new Array<number>(4 - shape.length).fill(1);
  return hold(c.tf, c.tf.reshape(c.natural(i), [...lead, ...shape]));
}

const unary =
  (compute: (c: OperatorContext, x: Tensor) => Tensor): Operator =>
  (c) =>
    compute(c, c.held(0));

/** A reduction; without kept axes those that are left must be in the graph's order. */
function reduction(
  axesOf: (c: OperatorContext) => readonly number[] | undefined,
  compute: (c: OperatorContext, x: Tensor, axes: number[] | undefined, keep: boolean) => Tensor,
): Operator {
  return (c) => {
    const axes = axesOf(c);
    const keep = c.number('keepdims', 1) === 1;
    if (!axes?.length) return compute(c, c.held(0), undefined, keep);
    if (!keep) return compute(c, c.natural(0), [...axes], false);
    const x = c.held(0);
    return compute(
      c,
      x,
      axes.map((axis) => heldAxis(axis, x.rank)),
      true,
    );
  };
}

/** (x − mean) / √(variance + ε), with each sample's and channel's mean and variance over rows and columns. */
function normalised(tf: Tf, x: Tensor, epsilon: number): Tensor {
  const centred = tf.sub(x, tf.mean(x, [1, 2], true));
  const variance = tf.mean(tf.square(centred), [1, 2], true);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)));
}

const operators: Readonly<Record<string, Operator>> = {
  Add: binary(({ tf }, a, b) => tf.add(a, b)),
  Sub: binary(({ tf }, a, b) => tf.sub(a, b)),
  Mul: binary(({ tf }, a, b) => tf.mul(a, b)),
  Div: binary(({ tf }, a, b) => tf.div(a, b)),
  // The comparison itself stops differentiation with an error, a step does not.
  Greater: binary(({ tf }, a, b) => tf.cast(tf.step(tf.sub(a, b)), 'bool')),
  Neg: unary(({ tf }, x) => tf.neg(x)),
  // Its slope at 0 is 0; that of abs itself is -1 there.
  Abs: unary(({ tf }, x) => tf.mul(x, tf.sign(x))),
  Sqrt: unary(({ tf }, x) => tf.sqrt(x)),
  Relu: unary(({ tf }, x) => tf.relu(x)),
  LeakyRelu: unary((c, x) => c.tf.leakyRelu(x, c.number('alpha', 0.01))),
  Tanh: unary(({ tf }, x) => tf.tanh(x)),
  Softplus: unary(({ tf }, x) => tf.softplus(x)),
  Where: (c) => {
    const rank = c.shape.length;
    return c.tf.where(aligned(c, 0, rank), aligned(c, 1, rank), aligned(c, 2, rank));
  },

  InstanceNormalization: (c) => {
    const isPlain = (i: number, value: number) => c.numbers(i)?.every((element) => element === value);
    if (!isPlain(1, 1) || !isPlain(2, 0))
      throw new Error('internal: engine tfjs scales no normalised values');
    return normalised(c.tf, c.held(0), c.number('epsilon', 1e-5));
  },
  BatchNormalization: (c) => {
    const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map(c.held) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const inverse = c.tf.rsqrt(c.tf.add(variance, c.number('epsilon', 1e-5)));
    return c.tf.add(c.tf.mul(c.tf.mul(c.tf.sub(x, mean), inverse), scale), bias);
  },
  ReduceMean: reduction(
    (c) => c.ints('axes', []),
    ({ tf }, x, axes, keep) => tf.mean(x, axes, keep),
  ),
  ReduceSum: reduction(
    (c) => c.numbers(1),
    ({ tf }, x, axes, keep) => tf.sum(x, axes, keep),
  ),

  Conv,
  ConvTranspose,
  Pad,
  Resize,
  MatMul: (c) => {
    const [a, b] = [c.natural(0), c.natural(1)];
    if (b.rank !== 2) throw new Error(`internal: engine tfjs multiplies by matrices alone, got ${b.shape}`);
    const rows = c.tf.reshape(a, [-1, a.shape.at(-1) ?? 1]);
    return hold(c.tf, c.tf.reshape(c.tf.matMul(rows, b), c.shape));
  },

  Reshape: (c) => hold(c.tf, c.tf.reshape(c.natural(0), c.shape)),
  Transpose: (c) => hold(c.tf, c.tf.transpose(c.natural(0), [...c.ints('perm', [])])),
  Expand: (c) => c.tf.broadcastTo(aligned(c, 0, c.shape.length), heldShape(c.shape)),
  Concat: (c) => {
    const parts = Array.from({ length: c.count }, (_, i) => c.held(i));
    return c.tf.concat(parts, heldAxis(c.number('axis', 0), c.shape.length));
  },
  Split: (c) => c.tf.split(c.held(0), c.numbers(1) ?? [], heldAxis(c.number('axis', 0), c.shape.length)),
};

/** @throws for a name that is not known here */
export function operator(name: string): Operator {
  const known = operators[name];
  if (!known) throw new Error(`internal: engine tfjs knows no operator ${name}`);
  return known;
}
