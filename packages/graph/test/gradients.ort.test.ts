import {
  Abs,
  Add,
  Cast,
  Concat,
  Conv,
  ConvTranspose,
  Div,
  Exp,
  Expand,
  Gemm,
  Greater,
  Identity,
  InstanceNormalization,
  LeakyRelu,
  Log,
  MatMul,
  Mul,
  Neg,
  onnxTypes,
  Pad,
  ReduceMean,
  ReduceSum,
  Relu,
  Reshape,
  Resize,
  Sigmoid,
  Slice,
  Softplus,
  Split,
  Sqrt,
  Sub,
  Tanh,
  Transpose,
  type Value,
  Where,
} from '@cyclegan/graph';
import { describe, it } from 'vitest';
import { type Case, checkCase, gradientsOf } from './gradient-check.ts';

const cases: Record<string, Case> = {
  Add: {
    build: (g, [a, b]) => g.op(Add, [a, b]),
    shapes: [
      [2, 3],
      [2, 3],
    ],
  },
  'Add, broadcast': {
    build: (g, [a, b]) => g.op(Add, [a, b]),
    shapes: [
      [2, 3, 4],
      [3, 1],
    ],
  },
  'Add, a value to itself': { build: (g, [a]) => g.op(Add, [a, a]), shapes: [[3]] },
  Sub: {
    build: (g, [a, b]) => g.op(Sub, [a, b]),
    shapes: [
      [2, 1],
      [2, 3],
    ],
  },
  Mul: { build: (g, [a, b]) => g.op(Mul, [a, b]), shapes: [[2, 3], [3]] },
  Div: {
    build: (g, [a, b]) => g.op(Div, [a, b]),
    shapes: [
      [2, 3],
      [2, 3],
    ],
    range: [1, 2],
  },
  Neg: { build: (g, [a]) => g.op(Neg, [a]), shapes: [[3]] },
  Abs: { build: (g, [a]) => g.op(Abs, [a]), shapes: [[7]], gap: 0.1 },
  Sqrt: { build: (g, [a]) => g.op(Sqrt, [a]), shapes: [[7]], range: [0.5, 2] },
  Exp: { build: (g, [a]) => g.op(Exp, [a]), shapes: [[7]] },
  Log: { build: (g, [a]) => g.op(Log, [a]), shapes: [[7]], range: [0.5, 2] },
  Identity: { build: (g, [a]) => g.op(Identity, [a]), shapes: [[3]] },
  Relu: { build: (g, [a]) => g.op(Relu, [a]), shapes: [[2, 9]], gap: 0.1 },
  LeakyRelu: { build: (g, [a]) => g.op(LeakyRelu, [a], { alpha: 0.2 }), shapes: [[2, 9]], gap: 0.1 },
  Tanh: { build: (g, [a]) => g.op(Tanh, [a]), shapes: [[2, 9]] },
  Sigmoid: { build: (g, [a]) => g.op(Sigmoid, [a]), shapes: [[2, 9]] },
  Softplus: { build: (g, [a]) => g.op(Softplus, [a]), shapes: [[2, 9]] },
  'ReduceMean, all': { build: (g, [a]) => g.op(ReduceMean, [a], { keepdims: 0 }), shapes: [[2, 3]] },
  'ReduceMean, some': { build: (g, [a]) => g.op(ReduceMean, [a], { axes: [1, -1] }), shapes: [[2, 3, 4]] },
  'ReduceSum, all': { build: (g, [a]) => g.op(ReduceSum, [a], { keepdims: 0 }), shapes: [[2, 3]] },
  'ReduceSum, some': {
    build: (g, [a]) => g.op(ReduceSum, [a, g.ints([0, 2])], { keepdims: 0 }),
    shapes: [[2, 3, 4]],
  },
  MatMul: {
    build: (g, [a, b]) => g.op(MatMul, [a, b]),
    shapes: [
      [3, 4],
      [4, 2],
    ],
  },
  'MatMul, batches': {
    build: (g, [a, b]) => g.op(MatMul, [a, b]),
    shapes: [
      [2, 3, 4],
      [4, 5],
    ],
  },
  'Gemm, with C': {
    build: (g, [a, b, c]) => g.op(Gemm, [a, b, c], { alpha: 0.5, beta: 2 }),
    shapes: [[3, 4], [4, 2], [2]],
  },
  'Gemm, both turned': {
    build: (g, [a, b]) => g.op(Gemm, [a, b], { alpha: 0.5, transA: 1, transB: 1 }),
    shapes: [
      [4, 3],
      [2, 4],
    ],
  },
  'Gemm, the first turned': {
    build: (g, [a, b, c]) => g.op(Gemm, [a, b, c], { transA: 1 }),
    shapes: [
      [4, 3],
      [4, 2],
      [3, 1],
    ],
  },
  'Gemm, the second turned': {
    build: (g, [a, b]) => g.op(Gemm, [a, b], { transB: 1 }),
    shapes: [
      [3, 4],
      [2, 4],
    ],
  },
  'ReduceSum, an empty list of axes': {
    build: (g, [a]) => g.op(ReduceSum, [a, g.ints([])]),
    shapes: [[2, 3]],
  },
  Reshape: { build: (g, [a]) => g.op(Reshape, [a, g.ints([3, -1])]), shapes: [[2, 6]] },
  Transpose: { build: (g, [a]) => g.op(Transpose, [a], { perm: [2, 0, 1] }), shapes: [[2, 3, 4]] },
  Concat: {
    build: (g, [a, b]) => g.op(Concat, [a, b], { axis: 1 }),
    shapes: [
      [2, 3],
      [2, 1],
    ],
  },
  'Split, one part used': {
    build: (g, [a]) => g.ops(Split, [a, g.ints([2, 3])], { axis: -1 })[1] as never,
    shapes: [[2, 5]],
  },
  'Slice, from the end': {
    build: (g, [a]) => g.op(Slice, [a, g.ints([-3]), g.ints([1000]), g.ints([1])]),
    shapes: [[2, 5]],
  },
  'Slice, strided on two axes': {
    build: (g, [a]) => g.op(Slice, [a, g.ints([1, 0]), g.ints([7, 6]), g.ints([0, 2]), g.ints([3, 2])]),
    shapes: [[8, 2, 6]],
  },
  'Slice, strided to the last element': {
    build: (g, [a]) => g.op(Slice, [a, g.ints([0]), g.ints([7]), g.ints([1]), g.ints([3])]),
    shapes: [[2, 7]],
  },
  Expand: { build: (g, [a]) => g.op(Expand, [a, g.ints([2, 3, 4])]), shapes: [[3, 1]] },
  'Pad, constant': {
    build: (g, [a]) => g.op(Pad, [a, g.ints([0, 0, 1, 2, 0, 0, 0, 1])]),
    shapes: [[1, 2, 3, 4]],
  },
  'Pad, reflect': {
    build: (g, [a]) => g.op(Pad, [a, g.ints([0, 0, 2, 1, 0, 0, 3, 2])], { mode: 'reflect' }),
    shapes: [[2, 2, 5, 4]],
  },
  'Resize, nearest': {
    build: (g, [a]) =>
      g.op(Resize, [a, undefined, g.float([1, 1, 2, 3])], {
        mode: 'nearest',
        coordinate_transformation_mode: 'asymmetric',
        nearest_mode: 'floor',
      }),
    shapes: [[1, 2, 3, 2]],
  },
  'Resize, nearest by centres': {
    build: (g, [a]) => g.op(Resize, [a, undefined, g.float([1, 1, 3, 4])]),
    shapes: [[1, 1, 2, 3]],
  },
  'Conv of groups, dilated, weights frozen': {
    build: (g, [x]) =>
      g.op(Conv, [x, g.float([1, -2, 3, 4, -5, 6, 0.5, 2], [2, 1, 2, 2])], {
        group: 2,
        dilations: [2, 3],
        strides: [2, 1],
        pads: [1, 2, 0, 1],
      }),
    shapes: [[2, 2, 6, 5]],
  },
  'ConvTranspose of groups, dilated, weights frozen': {
    build: (g, [x]) =>
      g.op(ConvTranspose, [x, g.float([1, -2, 3, 4, -5, 6, 0.5, 2], [2, 1, 2, 2])], {
        group: 2,
        dilations: [2, 1],
        strides: [2, 3],
        pads: [0, 1, 1, 0],
        output_padding: [1, 2],
      }),
    shapes: [[2, 2, 3, 2]],
  },
  'Conv, weights used twice': {
    build: (g, [x, w]) => g.op(Add, [g.op(Conv, [x, w]), g.op(Conv, [g.op(Mul, [x, x]), w])]),
    shapes: [
      [2, 2, 4, 5],
      [3, 2, 3, 3],
    ],
  },
  'Transpose and Concat, values used twice': {
    build: (g, [a, b]) => {
      const joined = (x: Value) => g.op(Transpose, [g.op(Concat, [x, b], { axis: 1 })]);
      return g.op(Mul, [joined(a as Value), joined(g.op(Mul, [a, a]))]);
    },
    shapes: [
      [2, 3],
      [2, 1],
    ],
  },
  'Where and Greater': {
    build: (g, [a, b]) => g.op(Where, [g.op(Greater, [a, g.float(0)]), a, g.op(Mul, [b, b])]),
    shapes: [[2, 5], [5]],
    gap: 0.1,
  },
  'Cast to the same type': { build: (g, [a]) => g.op(Cast, [a], { to: onnxTypes.float32 }), shapes: [[3]] },
};

/** Of several inputs the first is the picture. Odd sizes, strides 1 and 2, batches of 1 and 3. */
const convolutions: Record<string, Case> = {};
for (const batch of [1, 3]) {
  for (const stride of [1, 2]) {
    for (const [height, width] of [
      [5, 7],
      [6, 6],
    ] as const) {
      const strides = [stride, stride];
      const name = `${batch}×2×${height}×${width}, stride ${stride}`;
      convolutions[`Conv ${name}`] = {
        build: (g, inputs) => g.op(Conv, inputs, { strides, pads: [1, 1, 1, 1] }),
        shapes: [[batch, 2, height, width], [3, 2, 3, 3], [3]],
      };
      convolutions[`ConvTranspose ${name}`] = {
        build: (g, inputs) =>
          g.op(ConvTranspose, inputs, {
            strides,
            pads: [1, 1, 1, 1],
            output_padding: stride === 2 ? [1, 0] : [0, 0],
          }),
        shapes: [[batch, 2, Math.ceil(height / 2), 3], [2, 3, 3, 3], [3]],
      };
    }
  }
  convolutions[`Conv with fewer outputs than inputs, batch ${batch}`] = {
    build: (g, inputs) => g.op(Conv, inputs, { pads: [1, 2, 1, 0] }),
    shapes: [[batch, 4, 5, 4], [1, 4, 4, 3], [1]],
  };
  convolutions[`Conv of kernel 4, batch ${batch}`] = {
    build: (g, inputs) => g.op(Conv, inputs, { strides: [2, 2], pads: [1, 1, 1, 1] }),
    shapes: [
      [batch, 1, 7, 8],
      [2, 1, 4, 4],
    ],
  };
  convolutions[`Conv of many pixels, batch ${batch}`] = {
    build: (g, inputs) => g.op(Conv, inputs, { pads: [0, 1, 2, 1] }),
    shapes: [
      [batch, 1, 34, 33],
      [1, 1, 3, 3],
    ],
  };
  convolutions[`Pad by reflection, batch ${batch}`] = {
    build: (g, [x]) => g.op(Pad, [x, g.ints([0, 0, 1, 1, 0, 0, 1, 1])], { mode: 'reflect' }),
    shapes: [[batch, 2, 5, 3]],
  };
  convolutions[`Resize, batch ${batch}`] = {
    build: (g, [x]) =>
      g.op(Resize, [x, undefined, g.float([1, 1, 2, 2])], {
        mode: 'nearest',
        coordinate_transformation_mode: 'asymmetric',
        nearest_mode: 'floor',
      }),
    shapes: [[batch, 2, 3, 5]],
  };
  convolutions[`InstanceNormalization, batch ${batch}`] = {
    build: (g, [x]) => g.op(InstanceNormalization, [x, g.float([1, 1]), g.float([0, 0])]),
    shapes: [[batch, 2, 3, 5]],
  };
}

describe('gradients against central differences', () => {
  it.each(Object.entries({ ...cases, ...convolutions }))('%s', async (_, definition) => {
    await checkCase(definition);
  });
});

describe('gradients of gradients against central differences', () => {
  const small = Object.entries({ ...cases, ...convolutions }).filter(
    ([name]) => !name.includes('many pixels'),
  );
  it.each(small)('%s', async (_, definition) => {
    await checkCase(gradientsOf(definition));
  });
});
