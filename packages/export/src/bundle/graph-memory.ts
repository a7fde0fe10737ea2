/** What the manifest says of a model's appetite for memory, told from its graph. Runs nothing. */
import { type Graph, GraphError, peakBytes } from '@cyclegan/graph';
import type { ModelEntry } from '@cyclegan/runtime-core';
import type { ImageSizes } from '../image-sizes.js';
import { toFixedSize } from '../variants/fixed-size.js';

/** Large enough that what padding adds at the edges does not count. */
const SIDE = 512;

/**
 * @param graph float32 [N, C, H, W] of any size: in lower precisions a model takes no more
 * @returns null where the sizes within are known at run time only
 */
export function memoryOf(graph: Graph, { sizeMultiple, minSize }: ImageSizes): ModelEntry['memory'] {
  const side = Math.ceil(Math.max(SIDE, minSize) / sizeMultiple) * sizeMultiple;
  try {
    const fixed = toFixedSize(graph, { width: side, height: side });
    return { bytesPerPixel: Math.ceil(peakBytes(fixed) / side ** 2) };
  } catch (error) {
    if (error instanceof GraphError) return null;
    throw error;
  }
}
