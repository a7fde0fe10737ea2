/**
 * onnxruntime-node on the CPU, for a look at what a graph computes. Runs hold up the thread; what serves images is in
 * runtime-node.
 */
import { type DType, type DTypeArrays, type Tensor as TypedTensor, tensor } from '@cyclegan/graph';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { type GraphSession, lend, type OptimizationLevel, type Run } from './graph-session.js';

/** Without packed copies of weights, and without an arena that keeps what was freed: hardly slower, and far smaller. */
const lean: InferenceSession.SessionOptions = {
  enableCpuMemArena: false,
  enableMemPattern: false,
  extra: { session: { disable_prepacking: '1' } },
};

/**
 * @param model ONNX bytes, or the path of a file, which alone may have its tensors in files beside it
 * @throws what onnxruntime throws for a model that it cannot run
 */
export async function openCpuSession(
  model: Uint8Array | string,
  level: OptimizationLevel,
): Promise<GraphSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    graphOptimizationLevel: level,
    // Failures come as errors; the native log would print them a second time.
    logSeverityLevel: 4,
    ...(level === 'disabled' && lean),
  };
  const session = await (typeof model === 'string'
    ? InferenceSession.create(model, options)
    : InferenceSession.create(model, options));
  return {
    async run(feeds) {
      const given = Array.from(feeds, ([name, value]) => [name, toOrt(value)] as const);
      const outputs = Object.entries(await session.run(Object.fromEntries(given)));
      return new Map(outputs.map(([name, output]) => [name, fromOrt(output)]));
    },
    dispose: () => session.release(),
  };
}

/**
 * Opens a model whose inputs and output are float32, lends it to `use` and frees it.
 * @throws as {@link openCpuSession}
 */
export async function withSession<T>(
  model: Uint8Array,
  level: OptimizationLevel,
  use: (run: Run) => Promise<T>,
): Promise<T> {
  return lend(await openCpuSession(model, level), use);
}

export function toOrt({ dtype, shape, data }: TypedTensor): OrtTensor {
  return new OrtTensor(dtype, data, shape);
}

/** @throws Error for a tensor of strings or of another type that graphs do not have */
export function fromOrt({ type, dims, data }: OrtTensor): TypedTensor {
  if (type === 'string') throw new Error('expected a tensor of numbers, got one of strings');
  return tensor(type as DType, dims, data as DTypeArrays[DType]);
}
