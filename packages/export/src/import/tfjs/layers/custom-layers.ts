/**
 * The custom layers that CycleGANs in Keras carry, built in: InstanceNormalization and ReflectionPadding2D, with the
 * classes that tfjs runs them by. Each is written as a user would write one; the same name given in `customLayers`
 * takes its place.
 */
import type { Value } from '@cyclegan/graph';
import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { instanceNorm, type Layout, mirrorPad } from '../kernels.js';
import { axisFrom, filled, sizeOf } from './kinds/common.js';
import { axisPads } from './kinds/sampling.js';
import type { LayerConfig } from './layer-config.js';
import type { CustomLayer, TfjsForLayers, TfjsLayerClass } from './layer-kind.js';

type TfShape = (number | null)[];
type TfVariable = ReturnType<TfjsForLayers['layers']['Layer']['prototype']['addWeight']>;

/** As tfjs hands them on: in camel case. */
interface CustomConfig extends NonNullable<ConstructorParameters<TfjsForLayers['layers']['Layer']>[0]> {
  axis?: number;
  epsilon?: number;
  scale?: boolean;
  center?: boolean;
  padding?: number | (number | [number, number])[];
  dataFormat?: string;
}

/** TensorFlow Addons and keras-contrib say gamma and beta, TensorFlow's examples scale and offset. */
function namesOf(has: (name: string) => boolean): { scale: string; shift: string; epsilon: number } {
  return has('scale') || has('offset')
    ? { scale: 'scale', shift: 'offset', epsilon: 1e-5 }
    : { scale: 'gamma', shift: 'beta', epsilon: 1e-3 };
}

function only(inputs: TfTensor | TfTensor[]): TfTensor {
  const [first] = Array.isArray(inputs) ? inputs : [inputs];
  if (!first) throw new Error('internal: a layer of one input is called without');
  return first;
}

/**
 * (x − mean) / √(variance + epsilon) over height and width, each sample and channel by itself, biased variance; scale
 * and shift where `scale` and `center` are not false. `epsilon` defaults to 1e-3, with weights called scale and offset
 * to 1e-5. Only one axis, that of the channels, is kept.
 */
const InstanceNormalization: CustomLayer = {
  className: 'InstanceNormalization',
  convert: ({ graph, x, config, weights }) => {
    const layout = normalizedLayout(x, config);
    const size = sizeOf(x, layout === 'NHWC' ? 3 : 1);
    const names = namesOf((name) => weights.find(name) !== undefined);
    return instanceNorm(graph, x, {
      scale: config.flag('scale', true) ? weights.get(names.scale, [size]) : filled(graph, size, 1),
      bias: config.flag('center', true) ? weights.get(names.shift, [size]) : filled(graph, size, 0),
      epsilon: config.number('epsilon', names.epsilon),
      layout,
    });
  },
  define: instanceNormalizationClass,
};

function normalizedLayout(x: Value, config: LayerConfig): Layout {
  // Of keras-contrib: over the channels too.
  if (config.isNull('axis')) config.refuse('the channels’ axis of an image', 'null');
  const [given = -1, ...others] = config.integers('axis', [-1]);
  const axis = axisFrom(x, given);
  const fits = x.shape.length === 4 && others.length === 0 && (axis === 3 || axis === 1);
  return fits
    ? axis === 3
      ? 'NHWC'
      : 'NCHW'
    : config.refuse('the channels’ axis of an image', String(given));
}

function instanceNormalizationClass(tf: TfjsForLayers, names: ReadonlySet<string>): TfjsLayerClass {
  return class extends tf.layers.Layer {
    static className = 'InstanceNormalization';
    readonly #config: CustomConfig;
    readonly #weights: TfVariable[] = [];
    constructor(config: CustomConfig) {
      super(config);
      this.#config = config;
    }
    #axis(rank: number): number {
      const { axis = -1 } = this.#config;
      return axis < 0 ? axis + rank : axis;
    }
    override build(shape: TfShape | TfShape[]) {
      const channels = [(shape as TfShape)[this.#axis(shape.length)] ?? null];
      const { scale, shift } = namesOf((name) => names.has(`${this.name}/${name}`));
      const add = (name: string, initializer: ReturnType<typeof tf.initializers.ones>) =>
        this.#weights.push(this.addWeight(name, channels, 'float32', initializer));
      if (this.#config.scale !== false) add(scale, tf.initializers.ones());
      if (this.#config.center !== false) add(shift, tf.initializers.zeros());
      super.build(shape);
    }
    override call(inputs: TfTensor | TfTensor[]) {
      const x = only(inputs);
      const { epsilon, scale = true, center = true } = this.#config;
      const { epsilon: usual } = namesOf((name) => names.has(`${this.name}/${name}`));
      const axis = this.#axis(x.rank);
      const spatial = [1, 2, 3].filter((other) => other !== axis);
      const { mean, variance } = tf.moments(x, spatial, true);
      const spread = x.shape.map((_, i) => (i === axis ? -1 : 1));
      const weights = this.#weights.map((weight) => tf.reshape(weight.read(), spread));
      const normalised = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon ?? usual)));
      const scaled = scale ? tf.mul(normalised, weights.shift() ?? 1) : normalised;
      return center ? tf.add(scaled, weights.shift() ?? 0) : scaled;
    }
  };
}

/**
 * Reflection at the edges, which are not repeated. `padding` is a number, [height, width], or [[top, bottom], [left,
 * right]]; `data_format` as in ZeroPadding2D.
 */
const ReflectionPadding2D: CustomLayer = {
  className: 'ReflectionPadding2D',
  convert: ({ graph, x, config }) =>
    mirrorPad(graph, x, axisPads(config.edges('padding'), config.layout()), 'REFLECT'),
  define: reflectionPaddingClass,
};

function reflectionPaddingClass(tf: TfjsForLayers): TfjsLayerClass {
  return class extends tf.layers.Layer {
    static className = 'ReflectionPadding2D';
    readonly #pads: [number, number][];
    constructor(config: CustomConfig) {
      super(config);
      const { padding = 0 } = config;
      const [height, width] = (Array.isArray(padding) ? padding : [padding, padding]).map(
        (side): [number, number] => (Array.isArray(side) ? side : [side, side]),
      );
      const spatial: [number, number][] = [height ?? [0, 0], width ?? [0, 0]];
      this.#pads =
        config.dataFormat === 'channelsFirst' ? [[0, 0], [0, 0], ...spatial] : [[0, 0], ...spatial, [0, 0]];
    }
    override computeOutputShape(shape: TfShape | TfShape[]) {
      return (shape as TfShape).map((size, axis) => {
        const [before, after] = this.#pads[axis] ?? [0, 0];
        return size === null ? null : size + before + after;
      });
    }
    override call(inputs: TfTensor | TfTensor[]) {
      return tf.mirrorPad(only(inputs), this.#pads, 'reflect');
    }
  };
}

export const customLayers: readonly CustomLayer[] = [InstanceNormalization, ReflectionPadding2D];
