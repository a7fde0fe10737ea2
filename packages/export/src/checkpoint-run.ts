/**
 * What a checkpoint answers: its graph with the weights fed as inputs, run node by node. This is the yardstick that
 * everything exported is held against, so nothing of the exported file is used here.
 */
import { writeOnnx } from '@cyclegan/graph';
import type { Planes } from '@cyclegan/runtime-core';
import { checkpointGraph, type GeneratorOptions, INPUT_NAME, weightKey } from './generator-graph.js';
import { planesOf, tensorOf } from './planes.js';
import { withSession } from './session.js';

/**
 * @param planes of a size that the generator takes
 * @returns the translation, of the same size
 * @throws CycleganError `bundle` for weights that do not fit the configuration
 */
export async function runCheckpoint(options: GeneratorOptions, planes: Planes): Promise<Planes> {
  const image = tensorOf(planes);
  const graph = checkpointGraph(options, image.shape);
  const feeds = new Map([[INPUT_NAME, image]]);
  for (const { name } of graph.inputs) {
    const weight = options.weights.get(weightKey(options.direction, name));
    if (weight) feeds.set(name, weight);
  }
  return planesOf(await withSession(writeOnnx(graph), 'disabled', (run) => run(feeds)));
}
