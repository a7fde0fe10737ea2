/**
 * A generator as a graph of its own, by the same network function that training uses: with its weights inside, as it
 * ships, or with its weights as inputs, as it was trained.
 */
import { Graph, type Shape, symbolicDim, tensor, type Value } from '@cyclegan/graph';
import type { Tensor } from '@cyclegan/model';
import { type GeneratorConfig, generatorNetwork, reversed, sizeMultiple } from '@cyclegan/model/networks';
import { CycleganError, type Direction } from '@cyclegan/runtime-core';
import { INPUT_NAME, OUTPUT_NAME } from '../bundle/model-interface.js';

export interface GeneratorOptions {
  /** As a checkpoint keeps it: G_A's. */
  config: GeneratorConfig;
  /** A checkpoint's, under the keys of {@link weightKey}; not copied, and not to be changed afterwards. */
  weights: ReadonlyMap<string, Tensor>;
  /** AtoB is the reference's G_A, BtoA its G_B. */
  direction: Direction;
}

/** A parameter's or buffer's name in a checkpoint: `G_A.model.1.weight`. */
export function weightKey(direction: Direction, parameter: string): string {
  return `${direction === 'AtoB' ? 'G_A' : 'G_B'}.${parameter}`;
}

/** The direction's own generator. */
export function directed({
  config,
  direction,
}: Pick<GeneratorOptions, 'config' | 'direction'>): GeneratorConfig {
  return direction === 'AtoB' ? config : reversed(config);
}

/**
 * The generator as it ships: weights as initializers under the reference's keys (`model.1.weight`; the biases that
 * InstanceNormalization takes away again are left out), batch norm by its running statistics, no dropout. Input
 * `image` float32 [N, C, H, W] in [-1, 1], H and W multiples of `sizeMultiple(config)`; output `translation` of the
 * same N, H, W.
 * @throws CycleganError `bundle` as {@link checkWeights}
 */
export function generatorGraph(options: GeneratorOptions): Graph {
  const { config, direction } = options;
  const size = (symbol: string) => symbolicDim(symbol, sizeMultiple(config));
  const shape = [symbolicDim('N'), directed(options).inputChannels, size('H'), size('W')];
  return build(options, `generator_${direction}`, shape, (graph, name, { shape, data }) =>
    graph.constant(tensor('float32', shape, data as Float32Array<ArrayBuffer>), name),
  );
}

/** The same generator as training keeps it: sizes fixed, each weight an input under the reference's key. */
export function checkpointGraph(options: GeneratorOptions, shape: readonly number[]): Graph {
  return build(options, `checkpoint_${options.direction}`, shape, (graph, name, weight) =>
    graph.input(name, 'float32', weight.shape),
  );
}

function build(
  options: GeneratorOptions,
  name: string,
  shape: Shape,
  place: (graph: Graph, name: string, weight: Tensor) => Value,
): Graph {
  const { weights, direction } = options;
  checkWeights(options, 'weights');
  const graph = new Graph(name);
  const image = graph.input(INPUT_NAME, 'float32', shape);
  const translation = generatorNetwork(directed(options)).apply(graph, image, (parameter) => {
    const weight = weights.get(weightKey(direction, parameter));
    if (!weight) throw new Error(`internal: the generator has no parameter ${parameter}`);
    return place(graph, parameter, weight);
  });
  graph.output(OUTPUT_NAME, translation);
  return graph;
}

/**
 * Holds a generator's weights against its configuration.
 * @param where the file, for the message
 * @throws CycleganError `bundle` naming the first key that is missing or of another shape
 */
export function checkWeights(options: GeneratorOptions, where: string): void {
  const { weights, direction } = options;
  const { parameters, buffers } = generatorNetwork(directed(options));
  for (const { name, shape } of [...parameters, ...buffers]) {
    const key = weightKey(direction, name);
    const got = weights.get(key)?.shape;
    if (got?.join() !== shape.join()) {
      throw new CycleganError(
        'bundle',
        `[export] ${where}: expected ${key} of [${shape.join(', ')}], got ${got ? `[${got.join(', ')}]` : 'none'}. Take another checkpoint.`,
      );
    }
  }
}
