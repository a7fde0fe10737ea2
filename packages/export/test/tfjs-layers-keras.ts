/** Writes models as tf.keras and tensorflowjs_converter do: configuration and weights by hand, without tfjs. No tests. */

import type { Json } from './tfjs-layers-support.ts';
import { seededRandom } from './variants-support.ts';

export interface KerasWeight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export class KerasFile {
  readonly #layers: Json[] = [];
  readonly #specs: Json[] = [];
  readonly #data: Uint8Array[] = [];
  readonly #random: () => number;

  constructor(seed = 1) {
    this.#random = seededRandom(seed);
  }

  input(shape: readonly (number | null)[], name = 'input_1'): string {
    return this.add('InputLayer', { batch_input_shape: shape, dtype: 'float32', sparse: false, name }, []);
  }

  /** Appends a layer called on the outputs of others, and returns its name. */
  add(
    className: string,
    config: Json,
    inputs: readonly string[],
    weights: Readonly<Record<string, KerasWeight>> = {},
  ): string {
    const name = String(config['name'] ?? `${className.toLowerCase()}_${this.#layers.length}`);
    this.#layers.push({
      class_name: className,
      name,
      config: { trainable: true, ...config, name },
      inbound_nodes: inputs.length > 0 ? [inputs.map((input) => [input, 0, 0, {}])] : [],
    });
    for (const [weight, { shape, data }] of Object.entries(weights)) {
      this.#specs.push({ name: `${name}/${weight}`, shape, dtype: 'float32' });
      this.#data.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    return name;
  }

  /** On [-amount, amount], around `about`. */
  random(shape: readonly number[], about = 0, amount = 0.5): KerasWeight {
    const size = shape.reduce((product, dim) => product * dim, 1);
    const data = Float32Array.from({ length: size }, () => about + (this.#random() * 2 - 1) * amount);
    return { shape, data };
  }

  /** The functional model of all layers. */
  model(input: string, output: string): { json: Json; data: Uint8Array } {
    const config = {
      name: 'model',
      layers: this.#layers,
      input_layers: [[input, 0, 0]],
      output_layers: [[output, 0, 0]],
    };
    const json = {
      format: 'layers-model',
      generatedBy: 'keras v2.13.1',
      convertedBy: 'TensorFlow.js Converter v4.22.0',
      modelTopology: {
        keras_version: '2.13.1',
        backend: 'tensorflow',
        model_config: { class_name: 'Functional', config },
      },
      weightsManifest: [{ paths: ['weights.bin'], weights: this.#specs }],
    };
    return { json, data: Buffer.concat(this.#data) };
  }
}
