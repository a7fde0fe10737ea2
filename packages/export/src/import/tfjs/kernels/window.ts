/**
 * Where windows lie: TensorFlow's SAME and VALID as ONNX's pads. SAME is symmetric but for one pixel that goes behind,
 * and depends on the size where the stride is above 1.
 */
import { type Dim, fixedDim, type Graph, type Value } from '@cyclegan/graph';

/** Of height and of width. */
export type Pair = readonly [number, number];

/** The numbers are [top, left, bottom, right]. */
export type Padding = 'SAME' | 'VALID' | readonly [number, number, number, number];

export interface Windows {
  kernel: Pair;
  strides: Pair;
  dilations: Pair;
  padding: Padding;
}

/** The attributes of a Conv or a pool over `x` that lay its windows as TensorFlow does. */
export function windowAttributes(x: Value, { kernel, strides, dilations, padding }: Windows) {
  const common = { kernel_shape: kernel, strides, dilations };
  if (padding === 'VALID') return common;
  if (padding !== 'SAME') return padding.some((n) => n !== 0) ? { ...common, pads: padding } : common;
  const totals = ([0, 1] as const).map((axis) => {
    const reach = (kernel[axis] - 1) * dilations[axis] + 1;
    return samePadding(x.shape[axis + 2], reach, strides[axis]);
  });
  const [height, width] = totals;
  // What the size decides is left to the runtime.
  if (height === undefined || width === undefined) return { ...common, auto_pad: 'SAME_UPPER' };
  return { ...common, pads: splitPadding(height, width) };
}

/** Half before and half behind, an odd pixel behind. */
export function splitPadding(height: number, width: number): [number, number, number, number] {
  const [top, left] = [Math.floor(height / 2), Math.floor(width / 2)];
  return [top, left, height - top, width - left];
}

/** Pixels that SAME adds in all; undefined where the symbol's value decides. */
function samePadding(size: Dim | undefined, reach: number, stride: number): number | undefined {
  if (typeof size === 'number') {
    return Math.max((Math.ceil(size / stride) - 1) * stride + reach - size, 0);
  }
  const divisible = size !== undefined && size.scale % stride === 0 && size.offset % stride === 0;
  return divisible ? Math.max(reach - stride, 0) : undefined;
}

/** A filter's height and width. @throws GraphError where they are not fixed */
export function kernelOf(filter: Value): Pair {
  const what = `filter ${filter.name}`;
  return [fixedDim(filter.shape[0], what), fixedDim(filter.shape[1], what)];
}

/** A value of rank 1 as the graph's operators take sizes: int64. */
export function sizesValue(graph: Graph, sizes: readonly number[] | Value): Value {
  return 'dtype' in sizes ? sizes : graph.ints(sizes);
}
