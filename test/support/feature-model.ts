/** A small feature model for evaluation's tests: a real convolutional network with random weights, as an ONNX file. */
import { writeFile } from 'node:fs/promises';
import { Conv, Graph, ReduceMean, Relu, symbolicDim, tensor, writeOnnx } from '@cyclegan/graph';
import { type StoredTensor, writeSafetensors } from '@cyclegan/model';

export interface FeatureModelFile {
  path: string;
  /** Edge of its input, or any; default 24. */
  size?: number | 'free';
  /** Images a run; default: any number. */
  batch?: number;
  channels?: number;
  /** Leave the pooling out, as a mistaken export would. */
  unpooled?: boolean;
  /** Where the weights go too, by PyTorch's names, as safetensors. */
  weights?: string;
}

/** Features of an image. */
export const FEATURE_DIMENSIONS = 16;

/** Two convolutions with ReLU, then the mean over the image: [N, 3, size, size] → [N, 16, 1, 1]. */
export async function writeFeatureModel(options: FeatureModelFile): Promise<string> {
  const { path, size = 24, batch = symbolicDim('N'), channels = 3, unpooled = false } = options;
  const graph = new Graph('features');
  const edge = (symbol: string) => (size === 'free' ? symbolicDim(symbol, 4) : size);
  const image = graph.input('image', 'float32', [batch, channels, edge('H'), edge('W')]);
  const held = new Map<string, StoredTensor>();
  const parameter = (name: string, shape: readonly number[], seed: number) => {
    const count = shape.reduce((product, dim) => product * dim, 1);
    const data = Float32Array.from({ length: count }, (_, at) => 0.4 * Math.sin(1.7 * at * at + seed));
    held.set(name, { dtype: 'F32', shape: [...shape], data });
    return graph.constant(tensor('float32', shape, data), name);
  };
  const [w1, b1] = [parameter('0.weight', [8, channels, 3, 3], 1), parameter('0.bias', [8], 2)];
  const [w2, b2] = [
    parameter('2.weight', [FEATURE_DIMENSIONS, 8, 3, 3], 3),
    parameter('2.bias', [FEATURE_DIMENSIONS], 4),
  ];
  const attributes = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
  const first = graph.op(Relu, [graph.op(Conv, [image, w1, b1], attributes)]);
  const second = graph.op(Relu, [graph.op(Conv, [first, w2, b2], attributes)]);
  graph.output('pool', unpooled ? second : graph.op(ReduceMean, [second], { axes: [2, 3], keepdims: 1 }));
  await writeFile(path, writeOnnx(graph));
  if (options.weights !== undefined) await writeSafetensors(options.weights, held, {});
  return path;
}
