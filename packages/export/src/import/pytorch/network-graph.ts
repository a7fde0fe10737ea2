/** A recognised generator as a graph, and as its own yardstick. What the networks are is the model package's. */
import { type Graph, InstanceNormalization, rebuild, type Value, writeOnnx } from '@cyclegan/graph';
import { type GeneratorConfig, reversed, type Tensor } from '@cyclegan/model';
import type { Direction } from '@cyclegan/runtime-core';
import { INPUT_NAME } from '../../bundle/model-interface.js';
import { withSession } from '../../ort/session.js';
import {
  checkpointGraph,
  type GeneratorOptions,
  generatorGraph,
  weightKey,
} from '../../source/generator-graph.js';
import type { Reference } from '../imported.js';

export interface NetworkOptions {
  /** As it is: from its own input to its own output. */
  readonly config: GeneratorConfig;
  /** Where instance norm has weights and biases of its own, in the order applied. */
  readonly affine: readonly string[];
  /** By the reference's keys: `model.1.weight`. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** For the graph's name. */
  readonly direction: Direction;
}

/** The generator with its weights inside; see {@link generatorGraph}. Shares the weights' memory. */
export function networkGraph(options: NetworkOptions): Graph {
  const graph = generatorGraph(asCheckpoint(options));
  return withAffine(graph, options, (graph, name, { shape, data }) =>
    graph.constant({ dtype: 'float32', shape, data }, name),
  );
}

/** The generator with its weights fed as inputs, run node by node as it is written. */
export function networkReference(options: NetworkOptions): Reference {
  return {
    what: 'the PyTorch file, its weights fed to its network',
    run: (image) => runNetwork(options, image),
    dispose: async () => undefined,
  };
}

function runNetwork(options: NetworkOptions, image: Tensor): Promise<Tensor> {
  const plain = checkpointGraph(asCheckpoint(options), image.shape);
  const graph = withAffine(plain, options, (graph, name, { shape }) => graph.input(name, 'float32', shape));
  const feeds = new Map([[INPUT_NAME, image]]);
  for (const { name } of graph.inputs) {
    const weight = options.weights.get(name);
    if (weight) feeds.set(name, weight);
  }
  return withSession(writeOnnx(graph), 'disabled', (run) => run(feeds));
}

/** Checkpoints keep G_A's configuration, whichever direction is meant, and weights behind the network's name. */
function asCheckpoint({ config, weights, direction }: NetworkOptions): GeneratorOptions {
  return {
    config: direction === 'AtoB' ? config : reversed(config),
    weights: new Map([...weights].map(([name, tensor]) => [weightKey(direction, name), tensor])),
    direction,
  };
}

/** Instance norm's own factors in the place of the ones and zeros that the network has there. */
function withAffine(
  graph: Graph,
  { affine, weights }: NetworkOptions,
  place: (graph: Graph, name: string, weight: Tensor) => Value,
): Graph {
  if (affine.length === 0) return graph;
  let count = 0;
  return rebuild(graph, {
    node: ({ graph, node, inputs, copy }) => {
      if (node.op.name !== InstanceNormalization.name) return undefined;
      const layer = affine[count++];
      const own = ['weight', 'bias'].map((which) => {
        const weight = weights.get(`${layer}.${which}`);
        if (!weight) throw new Error(`internal: no ${which} of ${layer}`);
        return place(graph, `${layer}.${which}`, weight);
      });
      return copy({ inputs: [inputs[0], ...own] });
    },
  });
}
