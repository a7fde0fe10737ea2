/** What several kinds of layers share: channels, constants, activations by name. */
import { fixedDim, type Graph, GraphError, LogSoftmax, type Value } from '@cyclegan/graph';
import { activate, isActivation, type Layout } from '../../kernels.js';
import type { LayerConfig } from '../layer-config.js';

/** Far above any model's; more would be made of a size that a hostile file claims. */
const MAX_CHANNELS = 2 ** 20;

/** @throws GraphError where the tensor is no image, or its channels are not fixed */
export function channelsOf(x: Value, layout: Layout): number {
  if (x.shape.length !== 4) {
    throw new GraphError(`expected an input of 4 axes, got ${x.shape.length}. Convert the model again.`);
  }
  return sizeOf(x, layout === 'NHWC' ? 3 : 1);
}

/** @throws GraphError where the axis has no fixed size that weights can have */
export function sizeOf(x: Value, axis: number): number {
  const size = fixedDim(x.shape[axis], `axis ${axis}`);
  if (size <= MAX_CHANNELS) return size;
  throw new GraphError(
    `axis ${axis}: expected at most ${MAX_CHANNELS} channels, got ${size}. Convert the model again.`,
  );
}

/** float32 [size], all alike. */
export function filled(graph: Graph, size: number, value: number): Value {
  return graph.float(new Array<number>(size).fill(value));
}

/** An axis counted from the front. @throws GraphError where the tensor has none such */
export function axisFrom(x: Value, axis: number): number {
  const rank = x.shape.length;
  if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw new GraphError(`expected an axis of ${rank}, got ${axis}. Convert the model again.`);
}

/** Why the layer's `activation` cannot be carried over. */
export function refuseActivation(config: LayerConfig): string | undefined {
  const name = config.value('activation') ?? 'linear';
  if (typeof name !== 'string') return 'an activation with a configuration of its own';
  return name === 'log_softmax' || isActivation(name) ? undefined : `activation ${name.slice(0, 100)}`;
}

/** The layer's `activation` applied. */
export function activated(graph: Graph, x: Value, config: LayerConfig): Value {
  const name = config.text('activation', 'linear');
  if (name === 'log_softmax') return graph.op(LogSoftmax, [x], { axis: x.shape.length - 1 });
  return isActivation(name) ? activate(graph, x, name) : config.refuse('a known activation', name);
}
