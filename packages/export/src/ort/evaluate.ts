/** Runs a graph without inputs in onnxruntime: how passes learn what constants come to. Knows no passes. */
import type { Tensor } from '@cyclegan/graph';
import { openCpuSession } from './session.js';

/**
 * @param model ONNX bytes of a graph without inputs
 * @returns all outputs by name, the caller's own
 * @throws what onnxruntime throws for a model that it cannot run
 */
export async function evaluate(model: Uint8Array): Promise<ReadonlyMap<string, Tensor>> {
  const session = await openCpuSession(model, 'disabled');
  try {
    return await session.run(new Map());
  } finally {
    await session.dispose();
  }
}
