/** Resizing as TensorFlow defines it: three ways to lay the pixels of two grids on each other. */
import {
  Concat,
  type Dim,
  type Graph,
  knownElements,
  Resize,
  Shape,
  Slice,
  sameDim,
  scaleDim,
  type Value,
} from '@cyclegan/graph';
import { axesOf, channelsSecond, type Layout } from './layout.js';
import { sizesValue } from './window.js';

export interface ResizingOptions {
  /** Height and width of the result: int64 [2] or numbers. */
  size: readonly [number, number] | Value;
  method: 'bilinear' | 'nearest';
  /** The corners' pixel centres lie on each other. */
  alignCorners?: boolean;
  /** Pixels are areas: their edges lie on each other. Without either, their upper left corners do. */
  halfPixelCenters?: boolean;
  /** Default NHWC. */
  layout?: Layout;
}

/** x [N, H, W, C] → [N, H', W', C]. @throws GraphError for sizes that do not go together */
export function resize(graph: Graph, x: Value, options: ResizingOptions): Value {
  const { layout = 'NHWC' } = options;
  const size = sizesValue(graph, options.size);
  const factors = axesOf(layout).spatial.map((axis, i) =>
    wholeFactor(x.shape[axis], knownElements(size)?.[i]),
  );
  const [height, width] = factors;
  if (height && width) return upsample(graph, x, { ...options, factors: [height, width] });
  return channelsSecond(graph, x, layout, (nchw) => {
    const kept = graph.op(Slice, [graph.op(Shape, [nchw]), graph.ints([0]), graph.ints([2])]);
    const sizes = graph.op(Concat, [kept, size], { axis: 0 });
    return graph.op(Resize, [nchw, undefined, undefined, sizes], resizeMode(options));
  });
}

/** Enlargements are looked for up to here. */
const largestFactor = 16;

/** How many times the old size the new one is, where that is a whole number: scales need no sizes at run time. */
function wholeFactor(from: Dim | undefined, to: Dim | undefined): number | undefined {
  if (from === undefined || to === undefined) return undefined;
  const factors = Array.from({ length: largestFactor }, (_, i) => i + 1);
  return factors.find((factor) => sameDim(scaleDim(from, factor), to));
}

export interface UpsamplingOptions extends Omit<ResizingOptions, 'size'> {
  /** Whole factors for height and width. */
  factors: readonly [number, number];
}

/** x [N, H, W, C] → [N, H · factor, W · factor, C]: Keras's UpSampling2D. */
export function upsample(graph: Graph, x: Value, options: UpsamplingOptions): Value {
  return channelsSecond(graph, x, options.layout ?? 'NHWC', (nchw) =>
    graph.op(Resize, [nchw, undefined, graph.float([1, 1, ...options.factors])], resizeMode(options)),
  );
}

/** Of half-pixel centres TensorFlow rounds (i + ½) · scale down, which is to round the centre itself, halves upwards. */
function resizeMode({
  method,
  alignCorners = false,
  halfPixelCenters = false,
}: Pick<ResizingOptions, 'method' | 'alignCorners' | 'halfPixelCenters'>) {
  const coordinates = alignCorners ? 'align_corners' : halfPixelCenters ? 'half_pixel' : 'asymmetric';
  if (method === 'bilinear') return { mode: 'linear', coordinate_transformation_mode: coordinates };
  return {
    mode: 'nearest',
    coordinate_transformation_mode: coordinates,
    nearest_mode: coordinates === 'asymmetric' ? 'floor' : 'round_prefer_ceil',
  };
}
