/**
 * What a checkpoint answers: its graph with the weights fed as inputs, run node by node. This is the yardstick that
 * everything exported is held against, so nothing of the exported file is used here.
 */
import { writeOnnx } from '@cyclegan/graph';
import type { Tensor } from '@cyclegan/model';
import { INPUT_NAME } from '../bundle/model-interface.js';
import { lend, type OpenSession } from '../ort/graph-session.js';
import { checkpointGraph, type GeneratorOptions, weightKey } from './generator-graph.js';

/**
 * @param image [N, C, H, W] of a size that the generator takes
 * @returns the translation, of the same N, H, W
 * @throws CycleganError `bundle` for weights that do not fit the configuration
 */
export async function runCheckpoint(
  options: GeneratorOptions,
  image: Tensor,
  open: OpenSession,
): Promise<Tensor> {
  const graph = checkpointGraph(options, image.shape);
  const feeds = new Map([[INPUT_NAME, image]]);
  for (const { name } of graph.inputs) {
    const weight = options.weights.get(weightKey(options.direction, name));
    if (weight) feeds.set(name, weight);
  }
  return lend(await open(writeOnnx(graph), 'disabled'), (run) => run(feeds));
}
