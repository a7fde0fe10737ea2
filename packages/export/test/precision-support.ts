/** Generators and pictures to try precisions on, and what onnxruntime makes of a file. Random weights; trains nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { generatorGraph } from '@cyclegan/export';
import { Cast, Graph, type Tensor as TypedTensor, tensor, type Value, writeOnnx } from '@cyclegan/graph';
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

/** By the definition of half precision, with none of the package's arithmetic. */
export function halfValue(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -size : size;
}

/** All finite halves from zero up. */
const halves = Float32Array.from({ length: 0x7c00 }, (_, bits) => halfValue(bits));

/** The nearest half; infinity beyond all. */
function rounded(value: number): number {
  const size = Math.abs(value);
  if (size >= 65520) return Math.sign(value) * Number.POSITIVE_INFINITY;
  let [low, high] = [0, halves.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((halves[middle] ?? 0) <= size) low = middle;
    else high = middle;
  }
  const [below, above] = [halves[low] ?? 0, halves[high] ?? 0];
  const up = size - below === above - size ? low % 2 === 1 : size - below > above - size;
  return Math.sign(value) * (up ? above : below);
}

/**
 * A graph in half precision as GPUs compute it: each operator in float32, what it gives rounded to halves where they
 * are halves. onnxruntime's CPU takes all Casts away and rounds nothing.
 */
export async function runInHalves(graph: Graph, image: Tensor): Promise<Float32Array> {
  const values = new Map<Value, { shape: readonly number[]; data: Float32Array }>();
  for (const input of graph.inputs) values.set(input, image);
  for (const { op, inputs, outputs, attributes } of graph.nodes) {
    const [output] = outputs;
    const known = inputs.map((value) => value && values.get(value));
    if (!output) continue;
    let result = known[0];
    if (op !== Cast) {
      const one = new Graph('one');
      const given = inputs.map((value, i) => {
        const { shape, data } = known[i] ?? {};
        if (shape && data) return one.input(`input ${i}`, 'float32', shape);
        return value?.constant && one.constant(inFloats(value.constant));
      });
      one.output('output', one.op(op, given, attributes));
      const feeds = known.flatMap((each, i) =>
        each ? [[`input ${i}`, new OrtTensor('float32', each.data, each.shape)] as const] : [],
      );
      const session = await InferenceSession.create(writeOnnx(one), { logSeverityLevel: 4 });
      const answer = (await session.run(Object.fromEntries(feeds)))['output'];
      await session.release();
      if (answer?.data instanceof Float32Array) result = { shape: answer.dims, data: answer.data };
    }
    if (!result) throw new Error(`expected ${op.name} to give floats`);
    const data = output.dtype === 'float16' ? result.data.map(rounded) : result.data;
    values.set(output, { shape: result.shape, data });
  }
  return values.get(graph.outputs[0]?.value as Value)?.data ?? new Float32Array();
}

function inFloats(constant: TypedTensor): TypedTensor {
  if (constant.dtype !== 'float16') return constant;
  return tensor('float32', constant.shape, Float32Array.from(constant.data as Uint16Array, halfValue));
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
