/** A model that runs, in whatever runtime there is: what export asks of one. Knows neither Node nor the browser. */
import { type Evaluate, type Tensor as TypedTensor, tensor } from '@cyclegan/graph';
import type { Tensor } from '@cyclegan/model';
import type { RunPlanes } from '@cyclegan/runtime-core';
import { planesOf, tensorOf } from './planes.js';

/**
 * `disabled` runs the graph node by node as it is written, with little memory beside the model itself; `all` is what the
 * runtimes use.
 */
export type OptimizationLevel = 'disabled' | 'all';

/** An open session. Holds memory until disposed of. */
export interface GraphSession {
  /** Feeds by input name → all outputs by name, the caller's own. */
  run(feeds: ReadonlyMap<string, TypedTensor>): Promise<ReadonlyMap<string, TypedTensor>>;
  dispose(): Promise<void>;
}

/**
 * @param model ONNX bytes
 * @throws what the runtime throws for a model that it cannot run
 */
export type OpenSession = (model: Uint8Array, level: OptimizationLevel) => Promise<GraphSession>;

/** Feeds by input name → the first output. */
export type Run = (feeds: ReadonlyMap<string, Tensor>) => Promise<Tensor>;

/** Lends a session whose inputs and output are float32 to `use`, and frees it. */
export async function lend<T>(session: GraphSession, use: (run: Run) => Promise<T>): Promise<T> {
  try {
    return await use(async (feeds) => {
      const typed = Array.from(feeds, ([name, value]) => [name, floats(value)] as const);
      const [output] = Array.from(await session.run(new Map(typed)), ([, value]) => value);
      if (!(output?.data instanceof Float32Array)) {
        throw new Error(`expected a float32 output, got ${output?.dtype ?? 'none'}`);
      }
      return { shape: output.shape, data: output.data };
    });
  } finally {
    await session.dispose();
  }
}

/** A model of one input as a function from planes to planes. */
export function planesRunner(run: Run, input: string): RunPlanes {
  return async (planes) => planesOf(await run(new Map([[input, tensorOf(planes)]])));
}

/** How passes learn what constants come to: by a session of a graph without inputs. */
export function evaluator(open: OpenSession): Evaluate {
  return async (model) => {
    const session = await open(model, 'disabled');
    try {
      return await session.run(new Map());
    } finally {
      await session.dispose();
    }
  };
}

/** A model's tensor with its element type; shares the data. */
export function floats({ shape, data }: Tensor): TypedTensor {
  return tensor('float32', shape, data as Float32Array<ArrayBuffer>);
}
