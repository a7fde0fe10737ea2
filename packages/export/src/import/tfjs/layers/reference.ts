/** A LayersModel run by tfjs-layers itself, custom layers by the classes that their kinds define. Converts nothing. */
import type { io as tfIo } from '@tensorflow/tfjs-core';
import type { ModelAndWeightsConfig } from '@tensorflow/tfjs-layers';
import type { Reference } from '../../imported.js';
import type { TfjsArtifacts } from '../artifacts.js';
import type { ImageForm } from '../image-interface.js';
import { refuseModel } from '../model-json.js';
import { fromSource, toSource } from '../reference-image.js';
import { loadTfjs } from '../tfjs.js';
import { readGroups } from '../weights.js';
import { kerasTwo } from './keras-json.js';
import { readKerasModel } from './keras-model.js';
import type { CustomLayer } from './layer-kind.js';
import { layerKinds } from './layer-kinds.js';

export interface LayersReferenceOptions {
  customLayers?: readonly CustomLayer[];
  output?: string;
  /** The model's own image. */
  form: ImageForm;
}

/**
 * Opens the source model in tfjs-layers, with weights that tfjs itself reads from the shards.
 * @throws CycleganError `bundle` when its files have changed, and for a model that tfjs cannot load
 */
export async function openLayersReference(
  { file, json }: Pick<TfjsArtifacts, 'file' | 'json'>,
  { customLayers, output, form }: LayersReferenceOptions,
): Promise<Reference> {
  const specs = json.weightsManifest.flatMap(({ weights }) => weights) as tfIo.WeightsManifestEntry[];
  const names = new Set(specs.map(({ name }) => name));
  const groups = await readGroups(file, json);
  const tfjs = await loadTfjs();
  const { core, layers } = tfjs;
  const model = await loaded(file, () =>
    tfjs.run(() => {
      // Classes are registered for the whole process. That another model may bring others does no harm: this one is
      // made before anything is waited for.
      for (const { define } of layerKinds(customLayers).values()) {
        if (define) core.serialization.registerClass(define(Object.assign({}, core, layers), names));
      }
      return layers.models.modelFromJSON(uninitialized(kerasTwo(json.modelTopology)));
    }),
  );
  await loaded(file, () =>
    tfjs.run(() => {
      const values = core.io.decodeWeights(Uint8Array.from(Buffer.concat(groups)).buffer, specs);
      try {
        model.loadWeights(values);
      } catch (error) {
        model.dispose();
        throw error;
      } finally {
        core.dispose(values);
      }
    }),
  );
  const { outputs } = readKerasModel(file, json.modelTopology);
  const place = Math.max(
    outputs.findIndex(({ layer }) => layer === output),
    0,
  );
  return {
    get what() {
      return `tfjs-layers ${layers.version_layers} on ${tfjs.backend}`;
    },
    run: (image) =>
      tfjs.run(() => {
        const made = core.tidy(() => {
          const predicted = model.predict(toSource(core, image, form));
          const one = Array.isArray(predicted) ? predicted[place] : predicted;
          if (!one) throw new Error(`internal: ${file} has no output ${place}`);
          return fromSource(core, one, form.layout);
        });
        const data = Float32Array.from(made.dataSync());
        made.dispose();
        return { shape: made.shape, data };
      }),
    async dispose() {
      model.dispose();
    },
  };
}

async function loaded<T>(file: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const [line = ''] = String(error instanceof Error ? error.message : error).split('\n');
    return refuseModel(
      file,
      `expected a model that tfjs-layers itself can load, got this: ${line.slice(0, 500)} Give custom layers a "define".`,
      error,
    );
  }
}

/** The same model without the work of making up weights that are read from the file anyway. */
function uninitialized(topology: Readonly<Record<string, unknown>>): ModelAndWeightsConfig['modelTopology'] {
  return JSON.parse(JSON.stringify(topology), (key, value: unknown) =>
    key.endsWith('_initializer') ? { class_name: 'Zeros', config: {} } : value,
  );
}
