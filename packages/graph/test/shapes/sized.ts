/** Operators whose parameters are computed from shapes, as exporters write them, and those that compute them. No tests. */
import {
  Add,
  Cast,
  Ceil,
  Concat,
  ConstantOfShape,
  Div,
  Equal,
  Expand,
  Flatten,
  Floor,
  Gather,
  type Graph,
  Identity,
  int64,
  Max,
  Min,
  Mod,
  Mul,
  onnxTypes,
  Pad,
  Range,
  ReduceProd,
  Reshape,
  Resize,
  Shape,
  Size,
  Slice,
  Split,
  Squeeze,
  Sub,
  Tile,
  Transpose,
  tensor,
  Unsqueeze,
  type Value,
  Where,
} from '@cyclegan/graph';
import type { Case } from './run.ts';

type Input = Value | undefined;
const scalar = (g: Graph, n: number) => g.constant(int64([n], []));
/** One size of x, a vector of one element. */
const size = (g: Graph, x: Input, axis: number) => g.op(Shape, [x], { start: axis, end: axis + 1 });
const join = (g: Graph, parts: Value[]) => g.op(Concat, parts, { axis: 0 });
const asFloat = (g: Graph, x: Value) => g.op(Cast, [x], { to: onnxTypes.float32 });
const asInt = (g: Graph, x: Value) => g.op(Cast, [x], { to: onnxTypes.int64 });

/** Pads to a multiple of 8 by reflection on the right, with the exporter's way of turning the order of pads round. */
function padToMultiple(g: Graph, x: Input): Value {
  const missing = (axis: number) => {
    const rest = g.op(Mod, [size(g, x, axis), g.ints([8])]);
    return g.op(Mod, [g.op(Sub, [g.ints([8]), rest]), g.ints([8])]);
  };
  const pairs = join(g, [g.ints([0]), missing(3), g.ints([0]), missing(2)]);
  const all = join(g, [pairs, g.op(ConstantOfShape, [g.ints([4])], { value: int64([0]) })]);
  const rows = g.op(Reshape, [all, g.ints([-1, 2])]);
  const turned = g.op(Slice, [rows, g.ints([-1]), g.ints([-(2 ** 40)]), g.ints([0]), g.ints([-1])]);
  const columns = g.op(Transpose, [turned], { perm: [1, 0] });
  return g.op(Pad, [x, asInt(g, g.op(Reshape, [columns, g.ints([-1])]))], { mode: 'reflect' });
}

export const sized: Record<string, Case> = {
  Shape: { build: (g, [x]) => g.op(Shape, [x]) },
  'Shape, a part': {
    build: (g, [x]) => [g.op(Shape, [x], { start: -2 }), g.op(Shape, [x], { start: 1, end: -9 })],
  },
  Size: { build: (g, [x]) => g.op(Size, [x]) },
  'ReduceProd of a shape': { build: (g, [x]) => g.op(ReduceProd, [g.op(Shape, [x])], { keepdims: 0 }) },
  'Add, Sub, Mul, Div of sizes': {
    build: (g, [x]) => {
      const [h, w] = [size(g, x, 2), size(g, x, 3)];
      const two = g.ints([2]);
      const half = g.op(Div, [g.op(Add, [h, g.ints([1])]), two]);
      const area = g.op(Mul, [h, w]);
      return [half, area, g.op(Sub, [w, h]), g.op(Div, [area, w]), g.op(Sub, [h, g.op(Mul, [half, two])])];
    },
  },
  'Min and Max of sizes': {
    build: (g, [x]) => {
      const [h, w] = [size(g, x, 2), size(g, x, 3)];
      return [
        g.op(Min, [h, w]),
        g.op(Max, [h, g.ints([10]), w]),
        g.op(Max, [h, g.op(Add, [h, g.ints([1])])]),
      ];
    },
  },
  'Mod of a size': {
    build: (g, [x]) => [g.op(Mod, [size(g, x, 2), g.ints([4])]), g.op(Mod, [g.ints([-3]), g.ints([5])])],
  },
  'Floor and Ceil of sizes in floats': {
    build: (g, [x]) => {
      const h = asFloat(g, size(g, x, 2));
      const scaled = (n: number) => g.op(Mul, [h, g.float(n)]);
      const third = g.op(Div, [h, g.float(3)]);
      return [g.op(Floor, [scaled(1.5)]), g.op(Ceil, [scaled(2)]), g.op(Floor, [third])].map((y) =>
        asInt(g, y),
      );
    },
  },
  'Gather, Squeeze and Unsqueeze of a shape': {
    build: (g, [x]) => {
      const height = g.op(Gather, [g.op(Shape, [x]), scalar(g, -2)]);
      const row = g.op(Unsqueeze, [height, g.ints([0])]);
      const both = g.op(Gather, [g.op(Shape, [x]), g.constant(int64([3, 0, 1, 1], [2, 2]))]);
      return [height, row, g.op(Squeeze, [row, g.ints([0])]), g.op(Squeeze, [row]), both];
    },
  },
  'Split, Slice and Tile of a shape': {
    build: (g, [x]) => {
      const shape = g.op(Shape, [x]);
      const parts = g.ops(Split, [shape, g.ints([1, 3])], { axis: 0 });
      const turned = g.op(Slice, [shape, g.ints([-1]), g.ints([-9]), g.ints([0]), g.ints([-2])]);
      return [...parts, turned, g.op(Tile, [turned, g.ints([2])]), g.op(Identity, [turned])];
    },
  },
  'Where and Equal, as for sizes of -1': {
    build: (g, [x]) => {
      const wanted = g.ints([-1, 3, -1, 1]);
      const kept = g.op(Equal, [wanted, g.ints([-1])]);
      return g.op(Where, [kept, g.op(Shape, [x]), wanted]);
    },
  },
  'Reshape to sizes and back': {
    build: (g, [x]) => {
      const flat = g.op(Reshape, [x, g.ints([0, 3, -1])]);
      return [flat, g.op(Reshape, [flat, g.op(Shape, [x])])];
    },
  },
  'Reshape to a row and back by one size left open': {
    build: (g, [x]) => {
      const flat = g.op(Reshape, [x, g.ints([-1])]);
      return g.op(Reshape, [flat, join(g, [size(g, x, 0), g.ints([-1]), size(g, x, 3), size(g, x, 2)])]);
    },
  },
  'Reshape, as a pixel shuffle': {
    build: (g, [x]) => {
      const [n, h, w] = [0, 2, 3].map((axis) => size(g, x, axis)) as [Value, Value, Value];
      const two = g.ints([2]);
      const split = g.op(Reshape, [x, join(g, [n, g.ints([3, 2, 2]), h, w])]);
      const moved = g.op(Transpose, [split], { perm: [0, 1, 4, 2, 5, 3] });
      return g.op(Reshape, [moved, join(g, [n, g.ints([-1]), g.op(Mul, [h, two]), g.op(Mul, [w, two])])]);
    },
    shapes: [['N', 12, 'H', 'W']],
  },
  'Reshape, zeros that are zeros': {
    build: (g, [x]) => g.op(Reshape, [x, g.ints([0, 5])], { allowzero: 1 }),
    shapes: [[2, 0]],
  },
  Squeeze: { build: (g, [x]) => g.op(Squeeze, [x, g.ints([-2])]), shapes: [['N', 1, 'H']] },
  'Squeeze, all': { build: (g, [x]) => g.op(Squeeze, [x]), shapes: [[1, 'H', 1]] },
  Unsqueeze: { build: (g, [x]) => g.op(Unsqueeze, [x, g.ints([-1, 0])]), shapes: [['N', 'H']] },
  Flatten: { build: (g, [x]) => g.op(Flatten, [x]) },
  'Flatten, all axes': {
    build: (g, [x]) => [g.op(Flatten, [x], { axis: 4 }), g.op(Flatten, [x], { axis: -4 })],
  },
  Tile: { build: (g, [x]) => g.op(Tile, [x, g.ints([2, 1, 3, 1])]) },
  'Tile by a size': {
    build: (g, [x]) => g.op(Tile, [x, join(g, [g.ints([2]), size(g, x, 1)])]),
    shapes: [['N', 'H']],
  },
  ConstantOfShape: { build: (g, [x]) => g.op(ConstantOfShape, [g.op(Shape, [x])]) },
  'ConstantOfShape, of its type': {
    build: (g, [x]) =>
      g.op(ConstantOfShape, [size(g, x, 2)], { value: tensor('int32', [1], Int32Array.of(7)) }),
  },
  Range: {
    build: (g, [x]) => {
      const height = g.op(Gather, [g.op(Shape, [x]), scalar(g, 2)]);
      const counted = g.op(Range, [scalar(g, 0), height, scalar(g, 1)]);
      return [
        counted,
        g.op(Range, [height, scalar(g, 0), scalar(g, -2)]),
        g.op(Range, [scalar(g, 9), scalar(g, 2), scalar(g, -3)]),
      ];
    },
  },
  'Expand to a shape': {
    build: (g, [x, y]) => g.op(Expand, [y, g.op(Shape, [x])]),
    shapes: [
      ['N', 3, 'H', 'W'],
      [3, 1, 1],
    ],
  },
  'Resize to sizes': {
    build: (g, [x]) => {
      const twice = g.op(Mul, [g.op(Shape, [x], { start: 2 }), g.ints([2])]);
      const sizes = join(g, [g.op(Shape, [x], { start: 0, end: 2 }), twice]);
      return g.op(Resize, [x, undefined, undefined, sizes], { mode: 'linear' });
    },
  },
  'Resize by scales that follow from sizes': {
    build: (g, [x]) => {
      const now = asFloat(g, g.op(Shape, [x], { start: 2 }));
      const wanted = asFloat(g, g.op(Mul, [g.op(Shape, [x], { start: 2 }), g.ints([2])]));
      const scales = g.op(Concat, [g.float([1, 1]), g.op(Div, [wanted, now])], { axis: 0 });
      return g.op(Resize, [x, undefined, scales]);
    },
  },
  'Pad to a multiple': { build: (g, [x]) => padToMultiple(g, x) },
  'Split by sizes': {
    build: (g, [x]) => {
      const half = g.op(Div, [size(g, x, 2), g.ints([2])]);
      return g.ops(Split, [x, join(g, [half, g.op(Sub, [size(g, x, 2), half])])], { axis: 2 });
    },
  },
  'Slice by sizes': {
    build: (g, [x]) => {
      const half = g.op(Div, [size(g, x, 3), g.ints([2])]);
      const first = g.op(Slice, [x, g.ints([0]), half, g.ints([3])]);
      return [first, g.op(Slice, [x, half, g.ints([2 ** 40]), g.ints([3])])];
    },
  },
  'Concat along a symbol': { build: (g, [x]) => g.op(Concat, [x, x, x], { axis: 3 }) },
};
