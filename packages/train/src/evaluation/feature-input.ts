/**
 * Images as a feature model wants them: its size, three channels, its range of values. A graph of two matrix products
 * and a scale; reads no files.
 */
import { Add, float32, Graph, MatMul, Mul, symbolicDim, writeOnnx } from '@cyclegan/graph';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ImageShape } from './image-shape.js';

/**
 * What black and white are for a feature model: `signed` [−1, 1], `unit` [0, 1], `bytes` [0, 255], `imagenet` the unit
 * range with torchvision's means and deviations taken out.
 */
export const featureRanges = ['signed', 'unit', 'bytes', 'imagenet'] as const;
export type FeatureRange = (typeof featureRanges)[number];

export interface FeatureInput {
  /**
   * @param images [N, channels, height, width] on [−1, 1]
   * @returns [N, 3, size, size]
   */
  prepare(images: Float32Array, count: number): Promise<Tensor>;
  release(): Promise<void>;
}

/** Each value of the model's range is `scale` times one on [−1, 1], and `offset`, channel by channel. */
const ranges: Record<FeatureRange, { scale: readonly number[]; offset: readonly number[] }> = {
  signed: { scale: [1, 1, 1], offset: [0, 0, 0] },
  unit: { scale: [0.5, 0.5, 0.5], offset: [0.5, 0.5, 0.5] },
  bytes: { scale: [127.5, 127.5, 127.5], offset: [127.5, 127.5, 127.5] },
  imagenet: {
    scale: [0.5 / 0.229, 0.5 / 0.224, 0.5 / 0.225],
    offset: [(0.5 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0.5 - 0.406) / 0.225],
  },
};

export async function createFeatureInput(
  options: ImageShape & { size: number; range: FeatureRange; threads: number | undefined },
): Promise<FeatureInput> {
  const { channels, height, width, size, range, threads } = options;
  const graph = new Graph('feature_input');
  const image = graph.input('image', 'float32', [symbolicDim('N'), channels, height, width]);
  const down = graph.constant(float32(resizeWeights(height, size), [size, height]));
  const across = graph.constant(float32(transposed(resizeWeights(width, size), width), [width, size]));
  const resized = graph.op(MatMul, [graph.op(MatMul, [down, image]), across]);
  const { scale, offset } = ranges[range];
  // One grey plane becomes three by broadcasting.
  const scaled = graph.op(Mul, [resized, graph.float(scale, [1, 3, 1, 1])]);
  graph.output('prepared', graph.op(Add, [scaled, graph.float(offset, [1, 3, 1, 1])]));
  const session = await InferenceSession.create(writeOnnx(graph), {
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  });
  return {
    async prepare(images, count) {
      const feeds = { image: new Tensor('float32', images, [count, channels, height, width]) };
      const { prepared } = await session.run(feeds);
      if (!prepared) throw new Error('internal: no prepared images');
      return prepared;
    },
    release: () => session.release(),
  };
}

/**
 * Bilinear interpolation as a matrix [to, from]: pixels are areas, and where the image shrinks the triangle widens, so
 * that nothing aliases. This is Pillow's; enlarging, it is PyTorch's `interpolate(mode='bilinear')` as well.
 */
function resizeWeights(from: number, to: number): number[] {
  const step = from / to;
  const reach = Math.max(1, step);
  return Array.from({ length: to }, (_, row) => {
    const centre = (row + 0.5) * step - 0.5;
    const weights = Array.from({ length: from }, (_, at) => Math.max(0, 1 - Math.abs(at - centre) / reach));
    const sum = weights.reduce((total, weight) => total + weight);
    return weights.map((weight) => weight / sum);
  }).flat();
}

function transposed(rows: readonly number[], columns: number): number[] {
  const count = rows.length / columns;
  return rows.map((_, at) => rows[(at % count) * columns + Math.floor(at / count)] ?? 0);
}
