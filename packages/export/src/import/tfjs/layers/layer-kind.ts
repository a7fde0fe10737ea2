/** What a kind of layer is to the importer: built in and users' own are alike. Knows no particular layer. */
import type { Graph, Value } from '@cyclegan/graph';
import type * as tfCore from '@tensorflow/tfjs-core';
import type * as tfLayers from '@tensorflow/tfjs-layers';
import type { LayerConfig } from './layer-config.js';

/** tfjs's tensors and its layers, as the classes of custom layers are written with. */
export type TfjsForLayers = typeof tfCore & typeof tfLayers;

/** A class that tfjs-layers can make a layer of, with its static `className`. */
export type TfjsLayerClass = Parameters<typeof tfCore.serialization.registerClass>[0];

/** A layer's weights as constants of the graph, under Keras's names without the layer's: `kernel`, `gamma`. */
export interface LayerWeights {
  /**
   * @param shape what the layer's configuration asks for, where it does
   * @throws CycleganError `bundle` when there is none, or one of another shape
   */
  get(name: string, shape?: readonly number[]): Value;
  /** Undefined when there is none. */
  find(name: string): Value | undefined;
}

/** One application of a layer. */
export interface LayerCall {
  /** To append to. */
  readonly graph: Graph;
  /** The first input; the only one but for kinds with `merges`. float32, batch first. */
  readonly x: Value;
  readonly inputs: readonly Value[];
  readonly config: LayerConfig;
  readonly weights: LayerWeights;
}

/**
 * A kind of layer: how tfjs's class of that name becomes nodes of a graph. TensorFlow's layout is kept (NHWC unless the
 * layer's data_format says otherwise); the importer turns the whole to NCHW afterwards.
 *
 * @example a layer of one's own, for `importTfjs(path, { customLayers: [scale] })`; `define` is for `verify` alone
 * ```ts
 * import type { CustomLayer } from '@cyclegan/export';
 * import { Mul } from '@cyclegan/graph';
 * import type { Tensor } from '@tensorflow/tfjs-core';
 *
 * const scale: CustomLayer = {
 *   className: 'Scale',
 *   convert: ({ graph, x, config }) => graph.op(Mul, [x, graph.float(config.number('factor', 1))]),
 *   define: (tf) =>
 *     class Scale extends tf.layers.Layer {
 *       static className = 'Scale';
 *       factor: number;
 *       constructor(config: { factor?: number; name?: string }) {
 *         super(config);
 *         this.factor = config.factor ?? 1;
 *       }
 *       override call(inputs: Tensor | Tensor[]) {
 *         const [x] = [inputs].flat();
 *         return x ? tf.mul(x, this.factor) : [];
 *       }
 *     },
 * };
 * ```
 */
export interface CustomLayer {
  /** As `class_name` in model.json, without a package in front (`Custom>`). */
  readonly className: string;
  /** Takes several inputs. */
  readonly merges?: boolean;
  /**
   * Why a layer so configured cannot be carried over: completes "Conv2D conv_1 (…)". Undefined where it can. Such
   * layers are told all at once, before anything is built.
   */
  refuse?(config: LayerConfig): string | undefined;
  /** Appends the layer's nodes and returns its output. @throws GraphError for inputs that do not fit */
  convert(call: LayerCall): Value;
  /**
   * The layer's class in tfjs, where tfjs has none of that name; the source model needs it to run, as `verify` does.
   * Called whenever a source model is opened.
   * @param weights the names of all weights in the file, with their layers': `norm_1/gamma`
   */
  define?(tf: TfjsForLayers, weights: ReadonlySet<string>): TfjsLayerClass;
}
