/**
 * A GraphModel run by tfjs-converter itself. Converts nothing, and shares no more with the conversion than the bytes of
 * the files.
 */
import type { Tensor as TfTensor, io as tfIo } from '@tensorflow/tfjs-core';
import type { Reference } from '../../imported.js';
import type { TfjsArtifacts } from '../artifacts.js';
import type { ModelJson } from '../model-json.js';
import { fromSource, toSource } from '../reference-image.js';
import { type BackendName, loadTfjs } from '../tfjs.js';
import { readGroups } from '../weights.js';
import { nodeAttributes } from './attributes.js';
import type { GraphInterface } from './signature.js';
import type { TfNode } from './topology.js';

/**
 * Opens the source model.
 * @throws CycleganError `bundle` when its files have changed, and what tfjs throws for a model that it cannot load
 */
export async function openGraphReference(
  { file, json }: Pick<TfjsArtifacts, 'file' | 'json'>,
  { input, form, output, fixed, order }: GraphInterface,
): Promise<Reference> {
  const tfjs = await loadTfjs(backendFor(order, json));
  const { core, converter } = tfjs;
  const groups = await readGroups(file, json);
  const model = await tfjs.run(() =>
    converter.loadGraphModelSync({
      load: () => ({
        // tfjs reads its fields without asking whether it is there.
        modelTopology: { versions: {}, ...json.modelTopology },
        weightSpecs: json.weightsManifest.flatMap(({ weights }) => weights) as tfIo.WeightsManifestEntry[],
        weightData: groups.map(({ buffer }) => buffer as ArrayBuffer),
        signature: json.signature as object,
        userDefinedMetadata: json.userDefinedMetadata as Record<string, object>,
      }),
    }),
  );
  return {
    get what() {
      return `tfjs-converter ${converter.version_converter} on ${tfjs.backend}`;
    },
    run: (image) =>
      tfjs.run(() => {
        const made = core.tidy(() => {
          const given = toSource(core, image, form);
          const others = Array.from(fixed, ([name, { data, shape }]) => [
            name,
            core.tensor(data, [...shape]),
          ]);
          const feeds = { ...Object.fromEntries(others), [input]: given };
          const result = model.execute(feeds, `${output.node}:${output.index}`);
          return fromSource(core, result as TfTensor, form.layout);
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

/**
 * Plain JavaScript for what tfjs 4.22 computes wrongly on WebAssembly: products with a turned second matrix and a bias,
 * and SAME windows at strides above their kernel.
 */
function backendFor(order: readonly TfNode[], { weightsManifest }: ModelJson): BackendName {
  const shapes = new Map(
    weightsManifest.flatMap(({ weights }) => weights.map(({ name, shape }) => [name, shape])),
  );
  const wrong = order.some(({ op, inputs, attributes: raw }) => {
    const attributes = nodeAttributes(raw, (sentence) => {
      throw new Error(`internal: ${op} was converted, but ${sentence}`);
    });
    if (op === '_FusedMatMul') return attributes.bool('transpose_b', false);
    if (!/^(_Fused|Fused)?(Depthwise)?Conv2[dD]/.test(op)) return false;
    const kernel = shapes.get(inputs[1]?.node ?? '')?.slice(0, 2) ?? [];
    const stride = Math.max(...attributes.ints('strides', [1]));
    return kernel.some((size) => size < stride);
  });
  return wrong ? 'cpu' : 'wasm';
}
