/** Generators, pictures and onnxruntime for the tests of variants. No tests. */
import { generatorGraph } from '@cyclegan/export';
import {
  Concat,
  Conv,
  Graph,
  InstanceNormalization,
  Reshape,
  Resize,
  Shape,
  Slice,
  symbolicDim,
  Tanh,
  tensor,
  type Value,
  writeOnnx,
} from '@cyclegan/graph';
import type { GeneratorConfig } from '@cyclegan/model';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { randomWeights, smallNetworks } from '../../../test/support/make-bundle.ts';

/** A generator with random weights, small but with every layer. */
export function generator(generator: Partial<GeneratorConfig> = {}, blocks = 1): Graph {
  const networks = smallNetworks({ blocks, generator });
  return generatorGraph({
    config: networks.generator,
    weights: randomWeights(networks, 5),
    direction: 'AtoB',
  });
}

/**
 * What other exporters write: groups normalised by InstanceNormalization of rank 3, and sizes that nodes compute from
 * the image's. Takes any size from 2; colour to colour.
 */
export function foreignGenerator(): Graph {
  const graph = new Graph('foreign');
  const free = [symbolicDim('batch'), 3, symbolicDim('height'), symbolicDim('width')];
  const image = graph.input('image', 'float32', free);
  const random = seededRandom(9);
  const weight = (...shape: number[]) => {
    const size = shape.reduce((product, dim) => product * dim, 1);
    return graph.constant(
      tensor(
        'float32',
        shape,
        Float32Array.from({ length: size }, () => random() - 0.5),
      ),
    );
  };
  const half = graph.op(Conv, [image, weight(4, 3, 3, 3)], { strides: [2, 2], pads: [1, 1, 1, 1] });
  const shape = graph.op(Shape, [half]);
  const groups = graph.op(Reshape, [half, graph.ints([0, 2, -1])]);
  const normal = graph.op(InstanceNormalization, [groups, weight(2), weight(2)], { epsilon: 1e-3 });
  const back = graph.op(Reshape, [normal, shape]);
  const part = (of: Value, from: number) =>
    graph.op(Slice, [of, graph.ints([from]), graph.ints([from + 2]), graph.ints([0])]);
  const sizes = graph.op(Concat, [part(shape, 0), part(graph.op(Shape, [image]), 2)], { axis: 0 });
  const whole = graph.op(Resize, [back, undefined, undefined, sizes], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
  const last = graph.op(Conv, [whole, weight(3, 4, 3, 3)], { pads: [1, 1, 1, 1] });
  graph.output('translation', graph.op(Tanh, [last]));
  return graph;
}

type Level = 'disabled' | 'all';

/** Runs a graph in onnxruntime on the CPU. */
export async function run(
  graph: Graph,
  feeds: Record<string, Tensor>,
  level: Level = 'all',
): Promise<Record<string, Tensor>> {
  const session = await InferenceSession.create(writeOnnx(graph), {
    executionProviders: ['cpu'],
    graphOptimizationLevel: level,
    logSeverityLevel: 4,
  });
  try {
    return { ...(await session.run(feeds)) };
  } finally {
    await session.release();
  }
}

/** An image of smooth shapes, edges and noise on [-1, 1], another for each seed: [batch, channels, height, width]. */
export function image([batch, channels, height, width]: [number, number, number, number], seed = 1): Tensor {
  const random = seededRandom(seed);
  const data = new Float32Array(batch * channels * height * width).map((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width) % height];
    const plane = Math.floor(i / (width * height)) + seed;
    const edge = (Math.floor(x / 7) + Math.floor(y / 5)) % 2 ? 0.3 : -0.3;
    return Math.max(-1, Math.min(1, Math.sin(x / 9 + plane) / 2 + edge + (random() - 0.5) / 4));
  });
  return new Tensor('float32', data, [batch, channels, height, width]);
}

/** Numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function floats(tensor: Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new Error(`expected float32, got ${tensor?.type}`);
  return tensor.data;
}

/** The largest absolute difference; NaN where there is one. */
export function apart(a: Tensor | undefined, b: Tensor | undefined): number {
  const [one, other] = [floats(a), floats(b)];
  if (a?.dims.join() !== b?.dims.join()) throw new Error(`expected [${a?.dims}], got [${b?.dims}]`);
  return one.reduce((most, value, i) => Math.max(most, Math.abs(value - (other[i] ?? Number.NaN))), 0);
}
