/**
 * From an imported generator to the float32 graph that a bundle ships: a bundle's names and range, free sizes,
 * optimised. Writes no files.
 */
import { type Evaluate, formatShape, type Graph, type OptimizeTable, optimize } from '@cyclegan/graph';
import { CycleganError } from '@cyclegan/runtime-core';
import { graphFailure } from '../graph-failure.js';
import { freeSizes, type ImageSizes } from '../image-sizes.js';
import type { Imported } from '../import/imported.js';
import { type ValueRange, withBundleInterface } from './model-interface.js';

export interface PreparedModel extends ImageSizes {
  /** float32 [N, C, H, W] on [-1, 1] in and out. */
  readonly graph: Graph;
  readonly inputChannels: 1 | 3;
  readonly outputChannels: 1 | 3;
  /** What the passes have done. */
  readonly table: OptimizeTable;
}

/**
 * @param where the source, for messages
 * @param evaluate how constants are computed
 * @throws CycleganError `input` for a model that cannot be bundled: of one size alone, with an output of another size
 * than its input, or of other channels than one or three; `aborted`
 */
export async function prepareModel(
  imported: Pick<Imported, 'graph'>,
  options: { range: ValueRange; where: string; evaluate: Evaluate; signal: AbortSignal | undefined },
): Promise<PreparedModel> {
  const { range, where, evaluate, signal } = options;
  const refuse = (expected: string, got: string): never => {
    throw new CycleganError(
      'input',
      `[export] ${where}: expected ${expected}, got ${got}. It can be imported by a program, but not bundled.`,
    );
  };
  const sized = freeSizes(withBundleInterface(imported.graph, range));
  if ('reason' in sized) {
    const shape = formatShape(sized.graph.inputs[0]?.shape ?? []);
    return refuse(
      'a model that turns images of any size into images of the same size',
      `one of ${shape}: ${sized.reason}`,
    );
  }
  const [input] = sized.graph.inputs;
  const [output] = sized.graph.outputs;
  const inputChannels =
    imageChannels(input?.shape[1]) ?? refuse('images of 1 or 3 channels', channelWords(input?.shape));
  const outputChannels =
    imageChannels(output?.value.shape[1]) ??
    refuse('images of 1 or 3 channels', channelWords(output?.value.shape));
  try {
    const { graph, table } = await optimize(sized.graph, { evaluate, ...(signal && { signal }) });
    return { ...sized, graph, inputChannels, outputChannels, table };
  } catch (error) {
    if (signal?.aborted)
      throw new CycleganError('aborted', '[export] bundle: stopped on request.', { cause: error });
    throw graphFailure('input', where, error);
  }
}

function imageChannels(dim: unknown): 1 | 3 | undefined {
  return dim === 1 || dim === 3 ? dim : undefined;
}

function channelWords(shape: readonly unknown[] | undefined): string {
  return typeof shape?.[1] === 'number' ? `${shape[1]}` : 'an unknown number';
}
