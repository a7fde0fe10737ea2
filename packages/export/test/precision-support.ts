/** Generators and pictures to try precisions on, and what onnxruntime makes of a file. Random weights; trains nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { generatorGraph } from '@cyclegan/export';
import { type Graph, writeOnnx } from '@cyclegan/graph';
import type { GeneratorConfig, Tensor } from '@cyclegan/model';
import { ModelProtoSchema } from 'onnx-buf';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { randomWeights, smallNetworks } from '../../../test/support/make-bundle.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';

/** Every operator that our generators have. */
export const kinds: Record<string, Partial<GeneratorConfig>> = {
  'resnet, instance norm': {},
  'resnet, batch norm, resized': { norm: 'batch', upsample: 'resize' },
  'resnet, no norm, grey': { norm: 'none', inputChannels: 1, outputChannels: 1 },
  'unet, instance norm': { kind: 'unet', downs: 5 },
};

export function makeGraph(generator: Partial<GeneratorConfig> = {}, ngf = 16): Graph {
  const networks = smallNetworks({ ngf, blocks: 2, generator });
  const weights = randomWeights(networks, 3);
  return generatorGraph({ config: networks.generator, weights, direction: 'AtoB' });
}

/** Smooth waves with an edge, different for each seed. */
export function picture(channels: number, seed: number, size = 32): Tensor {
  const data = Float32Array.from({ length: channels * size * size }, (_, i) => {
    const [x, y, c] = [i % size, Math.floor(i / size) % size, Math.floor(i / size / size)];
    const wave = Math.sin(0.15 * x * (1 + seed / 3) + c) * Math.cos(0.1 * y + seed);
    return 0.8 * wave + (x + 2 * y > size + 3 * seed ? 0.2 : -0.2);
  });
  return { shape: [1, channels, size, size], data };
}

export function pictures(graph: Graph, count: number, from = 0): Tensor[] {
  const channels = graph.inputs[0]?.shape[1] as number;
  return Array.from({ length: count }, (_, i) => picture(channels, from + i));
}

/** The answer of a model or a graph to an image. */
export async function run(model: Graph | Uint8Array, { shape, data }: Tensor): Promise<Float32Array> {
  const bytes = model instanceof Uint8Array ? model : writeOnnx(model);
  const session = await InferenceSession.create(bytes, { executionProviders: ['cpu'], logSeverityLevel: 4 });
  try {
    const image = new OrtTensor('float32', data, shape);
    const [output] = Object.values(await session.run({ [session.inputNames[0] ?? '']: image }));
    if (!(output?.data instanceof Float32Array)) throw new Error('expected float32');
    return output.data;
  } finally {
    await session.release();
  }
}

/** In dB on [-1, 1]; calculated here anew. */
export function psnr(one: Float32Array, other: Float32Array): number {
  const squares = one.reduce((sum, value, i) => sum + (value - (other[i] ?? Number.NaN)) ** 2, 0);
  return 10 * Math.log10(4 / (squares / one.length));
}

/** How many nodes of an operator the file holds into which onnxruntime turns the graph. */
export async function countOptimized(graph: Graph, op: string): Promise<number> {
  const optimizedModelFilePath = join(temporaryFolder(), 'optimized.onnx');
  const session = await InferenceSession.create(writeOnnx(graph), {
    graphOptimizationLevel: 'extended',
    optimizedModelFilePath,
    logSeverityLevel: 4,
  });
  await session.release();
  // Its operators are onnxruntime's own in part, which the graph package does not read.
  const { graph: optimized } = fromBinary(ModelProtoSchema, readFileSync(optimizedModelFilePath));
  return optimized?.node.filter(({ opType }) => opType === op).length ?? 0;
}
