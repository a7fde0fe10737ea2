/**
 * Transposed convolutions as plain ones: for int8 and for CPUs whose ConvTranspose is slow. None of the default passes,
 * as elsewhere it only adds multiplications by zero.
 */
import type { Node, Value } from '../graph.js';
import { Conv, ConvTranspose, DepthToSpace } from '../ops/index.js';
import { type Tensor, tensor } from '../tensor.js';
import { floatsOf, type Pass, rewrite } from './pass.js';

/**
 * ConvTranspose of stride s = DepthToSpace of a Conv of stride 1 with s² times the outputs: output s·q + r is the sum of
 * those taps t that lead to it, t ≡ r + pad (mod s), over the inputs around q; a Conv has them all in one window. The
 * same sums, in another order.
 *
 * Float32 weights that nothing else reads, one stride for both axes, no dilation, and an output of whole blocks (k3 s2
 * p1 with output_padding 1, k4 s2 p1, k2 s2, …); others are left alone.
 */
export const subpixelConvTranspose: Pass = {
  name: 'transposed convolutions as sub-pixels',
  apply: (graph) =>
    rewrite(graph, ({ graph: next, node, links, inputs, put }) => {
      const [, weights, bias] = node.inputs;
      const windows = node.op === ConvTranspose ? windowsOf(node) : undefined;
      if (!windows || !weights || links.readers(weights).length > 1) return undefined;
      const [rows, columns] = windows;
      const stride = rows.phases.length;
      const kernel = next.constant(convolutionWeights(node, weights, windows));
      const shifts = bias && repeated(bias, stride * stride);
      if (bias && !shifts) return undefined;
      const parameters = [inputs[0], kernel, ...(shifts ? [next.constant(shifts)] : [])];
      const attributes = {
        kernel_shape: [rows.size, columns.size],
        pads: [rows.before, columns.before, rows.after, columns.after],
        group: groupOf(node),
      };
      if (stride === 1) return put(Conv, parameters, attributes);
      const blocks = next.op(Conv, parameters, attributes);
      return put(DepthToSpace, [blocks], { blocksize: stride, mode: 'CRD' });
    }),
};

/** The Conv's window along one axis. */
interface Window {
  readonly size: number;
  readonly before: number;
  readonly after: number;
  /** For each place in a block the taps that lead there, and where in the window each is. */
  readonly phases: readonly (readonly { tap: number; at: number }[])[];
}

interface TransposedAttributes {
  strides?: readonly number[];
  pads?: readonly number[];
  dilations?: readonly number[];
  output_padding?: readonly number[];
  auto_pad?: string;
  group?: number;
}

function groupOf({ attributes }: Node): number {
  return (attributes as TransposedAttributes).group ?? 1;
}

function windowsOf({ inputs, attributes }: Node): readonly [Window, Window] | undefined {
  const given = attributes as TransposedAttributes;
  const { strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], output_padding: extra = [0, 0] } = given;
  const shape = floatsOf(inputs[1]) && inputs[1]?.constant?.shape;
  const [stride = 1, other = 1] = strides;
  const plain =
    stride === other && dilations.every((n) => n === 1) && (given.auto_pad ?? 'NOTSET') === 'NOTSET';
  if (!shape || !plain) return undefined;
  const [rows, columns] = [0, 1].map((axis) =>
    windowOf(shape[axis + 2] ?? 0, stride, pads[axis] ?? 0, pads[axis + 2] ?? 0, extra[axis] ?? 0),
  );
  return rows && columns ? [rows, columns] : undefined;
}

function windowOf(
  kernel: number,
  stride: number,
  head: number,
  tail: number,
  extra: number,
): Window | undefined {
  const beyond = kernel - head - tail + extra;
  if (beyond % stride !== 0) return undefined;
  const phases = Array.from({ length: stride }, (_, place) => {
    const [first, offset] = [(place + head) % stride, Math.floor((place + head) / stride)];
    const count = Math.max(0, Math.ceil((kernel - first) / stride));
    return Array.from({ length: count }, (_, m) => ({ tap: first + stride * m, at: offset - m }));
  });
  const places = phases.flat().map(({ at }) => at);
  const least = places.reduce((a, b) => Math.min(a, b), 0);
  const most = places.reduce((a, b) => Math.max(a, b), 0);
  const size = most - least + 1;
  const [before, after] = [-least, beyond / stride - 1 + size - 1 + least];
  if (before < 0 || after < 0) return undefined;
  return {
    size,
    before,
    after,
    phases: phases.map((taps) => taps.map(({ tap, at }) => ({ tap, at: at - least }))),
  };
}

/** From [C, K/group, kh, kw] to [K·s², C/group, rows, columns], channels in DepthToSpace's order CRD. */
function convolutionWeights(
  node: Node,
  { constant }: Value,
  [rows, columns]: readonly [Window, Window],
): Tensor {
  const data = constant?.data as Float32Array;
  const [channels = 1, outputs = 1, height = 1, width = 1] = constant?.shape ?? [];
  const group = groupOf(node);
  const [inputs, stride] = [channels / group, rows.phases.length];
  const shape = [outputs * group * stride * stride, inputs, rows.size, columns.size];
  const result = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let channel = 0; channel < channels; channel++) {
    for (let output = 0; output < outputs; output++) {
      const from = (channel * outputs + output) * height * width;
      const k = Math.floor(channel / inputs) * outputs + output;
      for (const [i, taps] of rows.phases.entries()) {
        for (const [j, across] of columns.phases.entries()) {
          const to = ((k * stride * stride + i * stride + j) * inputs + (channel % inputs)) * rows.size;
          for (const row of taps) {
            for (const column of across) {
              result[(to + row.at) * columns.size + column.at] =
                data[from + row.tap * width + column.tap] ?? 0;
            }
          }
        }
      }
    }
  }
  return tensor('float32', shape, result);
}

function repeated(bias: Value, times: number): Tensor | undefined {
  const data = floatsOf(bias);
  return (
    data &&
    tensor(
      'float32',
      [data.length * times],
      Float32Array.from({ length: data.length * times }, (_, i) => data[Math.floor(i / times)] ?? 0),
    )
  );
}
