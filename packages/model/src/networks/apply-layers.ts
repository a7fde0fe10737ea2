/** Layers as nodes of a graph. What layers there are, and what they are called, is layers.ts's. */
import {
  Add,
  Concat,
  Conv,
  ConvTranspose,
  fixedShape,
  type Graph,
  InstanceNormalization,
  LeakyRelu,
  Mul,
  Pad,
  Relu,
  Resize,
  Tanh,
  type Value,
  Where,
} from '@cyclegan/graph';
import { applyBatchNorm } from './batch-norm.js';
import type { Layer } from './layers.js';

/** Finds a parameter's or a buffer's value by its name. */
export type Weights = (name: string) => Value;

/** What an application that trains is given beside the weights, and gives back. */
export interface Training {
  /** @returns bool of this shape, true where an activation is kept; a fresh one at every call */
  dropoutMask(shape: readonly number[]): Value;
  /**
   * Takes a buffer's value after this application. A further application of the same network goes on from there, if
   * its `weights` finds this value.
   */
  setBuffer(name: string, value: Value): void;
}

/** `eval`: running statistics, and dropout does nothing. Else batch statistics and dropout, as in training. */
export type Mode = 'eval' | Training;

/** Where layers are applied: the same for all of a network. */
export interface Place {
  readonly graph: Graph;
  readonly weights: Weights;
  readonly mode: Mode;
}

/**
 * Appends the layers to a graph.
 *
 * A convolution's bias is left out where InstanceNormalization follows: the mean takes it away again, so that its
 * gradient is zero and the result the same.
 * @param x float32 [N, C, H, W]
 * @param prefix stands before the layers' places in their parameters' names
 * @param start the first layer to apply
 */
export function applyLayers(
  place: Place,
  layers: readonly Layer[],
  x: Value,
  prefix: string,
  start = 0,
): Value {
  return layers.slice(start).reduce((value, layer, i) => {
    const at = start + i;
    const normalised = layers[at + 1]?.kind === 'instanceNorm';
    return applyLayer(place, layer, value, `${prefix}.${at}`, !normalised);
  }, x);
}

function applyLayer(place: Place, layer: Layer, x: Value, name: string, bias: boolean): Value {
  const { graph, weights, mode } = place;
  switch (layer.kind) {
    case 'conv': {
      const pads = [layer.pad, layer.pad, layer.pad, layer.pad];
      const kernel_shape = [layer.kernel, layer.kernel];
      const strides = [layer.stride, layer.stride];
      return graph.op(Conv, [x, ...parameters()], { kernel_shape, strides, pads });
    }
    case 'convTranspose': {
      const extra = 4 - layer.kernel;
      return graph.op(ConvTranspose, [x, ...parameters()], {
        kernel_shape: [layer.kernel, layer.kernel],
        strides: [2, 2],
        pads: [1, 1, 1, 1],
        output_padding: [extra, extra],
      });
    }
    case 'enlarge':
      return graph.op(Resize, [x, undefined, graph.float([1, 1, 2, 2])], {
        mode: 'nearest',
        coordinate_transformation_mode: 'asymmetric',
        nearest_mode: 'floor',
      });
    case 'reflectionPad': {
      const { pad } = layer;
      return graph.op(Pad, [x, graph.ints([0, 0, pad, pad, 0, 0, pad, pad])], { mode: 'reflect' });
    }
    case 'instanceNorm': {
      const scale = graph.float(new Array(layer.channels).fill(1));
      const shift = graph.float(new Array(layer.channels).fill(0));
      return graph.op(InstanceNormalization, [x, scale, shift], { epsilon: 1e-5 });
    }
    case 'batchNorm':
      return applyBatchNorm(place, x, name);
    case 'identity':
      return x;
    case 'relu':
      return graph.op(Relu, [x]);
    case 'tanh':
      return graph.op(Tanh, [x]);
    case 'leakyRelu':
      return graph.op(LeakyRelu, [x], { alpha: layer.slope });
    case 'dropout': {
      if (mode === 'eval') return x;
      const mask = mode.dropoutMask(fixedShape(x.shape, name));
      return graph.op(Mul, [x, graph.op(Where, [mask, graph.float(2), graph.float(0)])]);
    }
    case 'residual':
      // Its nodes' names tell it from the others, so that training can compute it again instead of keeping it.
      return graph.scope(name, () =>
        graph.op(Add, [x, applyLayers(place, layer.layers, x, `${name}.${layer.name}`)]),
      );
    case 'skip': {
      const inner = `${name}.${layer.name}`;
      const skipped = applyLayers(place, layer.layers.slice(0, 1), x, inner);
      return graph.op(Concat, [skipped, applyLayers(place, layer.layers, skipped, inner, 1)], { axis: 1 });
    }
  }

  function parameters(): Value[] {
    const own = [weights(`${name}.weight`)];
    return 'bias' in layer && layer.bias && bias ? [...own, weights(`${name}.bias`)] : own;
  }
}
