/** LayersModels made, saved and run by tfjs-layers itself, and what the importer makes of the files. No tests. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CustomLayer, importTfjs } from '@cyclegan/export';
import { type Graph, writeOnnx } from '@cyclegan/graph';
import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { seededRandom } from './variants-support.ts';

// Else the first kernel greets with an advertisement.
core.enableProdMode();
await core.setBackend('cpu');

export const tf = Object.assign({}, core, layers);

/** Any JSON object. */
export type Json = Record<string, unknown>;

/** Weights that make every layer do something: variances and slopes positive, all else on both sides of 0. */
export function randomizeWeights(model: layers.LayersModel, seed = 1): void {
  const random = seededRandom(seed);
  const values = model.weights.map(({ originalName, shape }) => {
    const positive = /variance|gamma|scale|alpha/.test(originalName);
    const size = shape.reduce<number>((product, dim) => product * (dim ?? 1), 1);
    const data = Float32Array.from({ length: size }, () => (positive ? random() / 2 + 0.5 : random() - 0.5));
    return core.tensor(data, shape.map(Number));
  });
  // The order of `weights` is not that which `setWeights` takes: trainable ones come first there.
  model.weights.forEach((weight, i) => {
    const value = values[i];
    if (value) weight.write(value);
  });
}

/** What tfjs's own saving gives. */
export async function saved(model: layers.LayersModel): Promise<{ json: Json; data: Uint8Array }> {
  let kept: { json: Json; data: Uint8Array } | undefined;
  await model.save(
    core.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const buffers = [weightData ?? []].flat();
      const data = Buffer.concat(buffers.map((buffer) => new Uint8Array(buffer)));
      const json = {
        format: 'layers-model',
        modelTopology,
        weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
      };
      kept = { json: JSON.parse(JSON.stringify(json)) as Json, data };
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  if (!kept) throw new Error('expected tfjs to save the model');
  return kept;
}

/** Writes a model as tfjs-node's `file://` does. */
export function writeModel(folder: string, { json, data }: { json: Json; data: Uint8Array }): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.json'), JSON.stringify(json));
  writeFileSync(join(folder, 'weights.bin'), data);
  return folder;
}

/** Noise on [-1, 1] of [N, C, H, W]. */
export function noise(shape: readonly number[], seed = 7): { shape: readonly number[]; data: Float32Array } {
  const random = seededRandom(seed);
  const size = shape.reduce((product, dim) => product * dim, 1);
  return { shape, data: Float32Array.from({ length: size }, () => random() * 2 - 1) };
}

export type Plain = ReturnType<typeof noise>;

export async function runGraph(graph: Graph, images: readonly Plain[]): Promise<Plain[]> {
  const session = await InferenceSession.create(writeOnnx(graph), {
    executionProviders: ['cpu'],
    logSeverityLevel: 4,
  });
  try {
    const outputs: Plain[] = [];
    for (const { shape, data } of images) {
      const { translation } = await session.run({ image: new Tensor('float32', data, shape) });
      if (!(translation?.data instanceof Float32Array)) throw new Error('expected a translation of float32');
      outputs.push({ shape: translation.dims, data: translation.data });
    }
    return outputs;
  } finally {
    await session.release();
  }
}

/** The model's own answer, in the graph's layout. */
export function predict(model: layers.LayersModel, { shape, data }: Plain, nhwc = true): Plain {
  return core.tidy(() => {
    const image = core.tensor(data, [...shape]);
    const made = model.predict(nhwc ? core.transpose(image, [0, 2, 3, 1]) : image);
    const one = Array.isArray(made) ? made[0] : made;
    if (!one) throw new Error('expected an output');
    const laid = nhwc ? core.transpose(one, [0, 3, 1, 2]) : one;
    return { shape: laid.shape, data: Float32Array.from(laid.dataSync()) };
  });
}

/** The largest difference; NaN where there is one. */
export function largestDifference(a: Plain | undefined, b: Plain | undefined): number {
  if (a?.shape.join() !== b?.shape.join()) throw new Error(`expected [${a?.shape}], got [${b?.shape}]`);
  const others = b?.data ?? new Float32Array();
  const apart = Array.from(a?.data ?? [], (value, i) => Math.abs(value - (others[i] ?? Number.NaN)));
  return apart.reduce((most, difference) => Math.max(most, difference), 0);
}

export interface Trial {
  model: layers.LayersModel;
  /** Where files may be written. */
  folder: string;
  /** [N, C, H, W]; odd ones among them. */
  sizes: readonly (readonly number[])[];
  nhwc?: boolean;
  customLayers?: readonly CustomLayer[];
}

/** Saves, imports, and holds onnxruntime's outputs against the model's own. @returns the largest difference of all */
export async function trial({
  model,
  folder,
  sizes,
  nhwc = true,
  customLayers = [],
}: Trial): Promise<number> {
  writeModel(folder, await saved(model));
  const { graph } = await importTfjs(folder, { customLayers });
  const images = sizes.map((size, i) => noise(size, i + 1));
  const outputs = await runGraph(graph, images);
  return Math.max(...images.map((image, i) => largestDifference(predict(model, image, nhwc), outputs[i])));
}
