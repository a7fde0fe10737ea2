/** Runs a graph without inputs in onnxruntime: how passes learn what constants come to. Knows no passes. */
import type { DType, DTypeArrays, Tensor } from '@cyclegan/graph';
import { tensor } from '@cyclegan/graph';
import { InferenceSession, type Tensor as OrtTensor } from 'onnxruntime-node';

/**
 * @param model ONNX bytes of a graph without inputs
 * @returns all outputs by name, the caller's own
 * @throws what onnxruntime throws for a model that it cannot run
 */
export async function evaluate(model: Uint8Array): Promise<ReadonlyMap<string, Tensor>> {
  const session = await InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'disabled',
    // Failures come as errors; the native log would print them a second time.
    logSeverityLevel: 4,
  });
  try {
    const outputs = Object.entries(await session.run({}));
    return new Map(outputs.map(([name, output]) => [name, fromOrt(output)]));
  } finally {
    await session.release();
  }
}

function fromOrt({ type, dims, data }: OrtTensor): Tensor {
  if (type === 'string') throw new Error('internal: a constant is of strings');
  return tensor(type as DType, dims, data as DTypeArrays[DType]);
}
