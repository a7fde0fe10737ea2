/**
 * onnxruntime on the CPU, for a look at what a graph computes. Runs hold up the thread; what serves images is in
 * runtime-node.
 */
import type { Tensor } from '@cyclegan/model';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';

/** Feeds by input name → the first output. */
export type Run = (feeds: ReadonlyMap<string, Tensor>) => Promise<Tensor>;

/**
 * Opens a model, lends it to `use` and frees it.
 * @param level `disabled` runs the graph node by node as it is written; `all` is what the runtimes use
 * @throws what onnxruntime throws for a model that it cannot run
 */
export async function withSession<T>(
  model: Uint8Array,
  level: 'disabled' | 'all',
  use: (run: Run) => Promise<T>,
): Promise<T> {
  const session = await InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: level,
    // Failures come as errors; the native log would print them a second time.
    logSeverityLevel: 4,
  });
  try {
    return await use(async (feeds) => {
      const tensors = Object.fromEntries(
        Array.from(feeds, ([name, { shape, data }]) => [name, new OrtTensor('float32', data, shape)]),
      );
      const [output] = Object.values(await session.run(tensors));
      if (!(output?.data instanceof Float32Array)) {
        throw new Error(`expected a float32 output, got ${output?.type ?? 'none'}`);
      }
      return { shape: output.dims, data: output.data };
    });
  } finally {
    await session.release();
  }
}
