/**
 * A tfjs LayersModel as a graph. The model is written down in its own layout, with one Transpose at either end where
 * that is NHWC; who cancels Transposes is not this file's.
 */
import { Graph } from '@cyclegan/graph';
import { CycleganError } from '@cyclegan/runtime-core';
import { OUTPUT_NAME } from '../../../bundle/model-interface.js';
import type { TfjsArtifacts } from '../artifacts.js';
import { type ImageForm, imageForm, imageInput, imageOutput } from '../image-interface.js';
import { refuseModel } from '../model-json.js';
import { buildModel } from './build-model.js';
import { type KerasModel, readKerasModel } from './keras-model.js';
import type { CustomLayer } from './layer-kind.js';
import { checkLayers, layerKinds } from './layer-kinds.js';
import { modelWeights } from './layer-weights.js';

export interface LayersModelOptions {
  /** Kinds of layers beside those that are built in, and before them. */
  customLayers?: readonly CustomLayer[];
  /** The layer whose output is the image, where the model has several outputs. */
  output?: string;
}

/** The model as a graph, and the image that the model itself takes. */
export interface LayersGraph {
  /** Input `image` float32 [N, C, H, W], output `translation` [N, C', H', W']; free sizes stay free. */
  readonly graph: Graph;
  readonly form: ImageForm;
}

/**
 * @param artifacts of kind `layers`
 * @throws CycleganError `bundle` for a model that is damaged, that takes or gives anything but one image, or that has
 * layers that cannot be carried over, all of which are named; `usage` where one of its outputs must be named
 */
export function layersGraph(
  { file, json, weights }: TfjsArtifacts,
  options: LayersModelOptions,
): LayersGraph {
  const whole = readKerasModel(file, json.modelTopology);
  const kinds = layerKinds(options.customLayers);
  checkLayers(file, whole, kinds);
  const model = withOneOutput(file, whole, options.output);
  const form = inputForm(file, model);
  const graph = new Graph('generator');
  graph.avoidNames([OUTPUT_NAME, ...weights.keys()]);
  const x = imageInput(graph, form);
  const read = modelWeights(file, graph, weights);
  const [y] = buildModel({ file, graph, kinds, weights: read }, model, [x]);
  const unread = read.unread();
  if (unread.length > 0) {
    refuseModel(
      file,
      `expected a layer for each weight, got none for ${unread.slice(0, 20).join(', ')}${unread.length > 20 ? ', …' : ''}. Convert the model again.`,
    );
  }
  if (y?.shape.length !== 4 || !imageOutput(graph, y, form.layout)) {
    refuseModel(
      file,
      `expected an image as output, got ${y?.shape.length ?? 0} axes. Take a model from image to image.`,
    );
  }
  return { graph, form };
}

function withOneOutput(file: string, model: KerasModel, wanted: string | undefined): KerasModel {
  if (model.inputs.length !== 1) {
    refuseModel(
      file,
      `expected a model of one input, got ${model.inputs.length}. Take a model from image to image.`,
    );
  }
  if (model.outputs.length === 1 && wanted === undefined) return model;
  const outputs = model.outputs.filter(({ layer }) => layer === wanted);
  if (outputs.length === 1) return { ...model, outputs };
  const names = model.outputs.map(({ layer }) => layer.slice(0, 100)).join(', ');
  throw new CycleganError(
    'usage',
    `[export] ${file}: expected one of its outputs ${names}, got ${wanted ?? 'none named'}. Name one as output.`,
  );
}

/** The input as the model declares it: by its layers' data_format, or where there is none by its sizes. */
function inputForm(file: string, model: KerasModel): ImageForm {
  const shape = inputShape(file, model);
  const formats = new Set(formatsOf(model));
  const stated = formats.has('channels_last') ? 'NHWC' : formats.has('channels_first') ? 'NCHW' : undefined;
  return { shape, layout: stated ?? imageForm(shape, 'float32')?.layout ?? 'NHWC', dtype: 'float32' };
}

function formatsOf(model: KerasModel): unknown[] {
  return Array.from(model.layers.values()).flatMap((layer) => {
    if (layer.model) return formatsOf(layer.model);
    return Object.hasOwn(layer.config, 'data_format') ? [layer.config['data_format']] : [];
  });
}

/** The input's sizes, -1 where they are free. */
function inputShape(file: string, model: KerasModel): number[] {
  const [input] = model.inputs;
  const layer = input && model.layers.get(input.layer);
  const dtype = layer?.config['dtype'] ?? 'float32';
  if (dtype !== 'float32') {
    refuseModel(
      file,
      `expected an input of float32, got ${String(dtype).slice(0, 100)}. Take a model of images.`,
    );
  }
  // A Sequential that begins with a model takes its input's shape from there.
  const declared = layer?.config['batch_input_shape'] ?? innerShape(model);
  const sizes: unknown[] = Array.isArray(declared) ? declared.map((size: unknown) => size ?? -1) : [];
  const fits =
    sizes.length === 4 && sizes.every((size) => size === -1 || (Number.isInteger(size) && Number(size) > 0));
  return fits
    ? sizes.map(Number)
    : refuseModel(
        file,
        `expected an input shape of batch, height, width and channels, got ${(JSON.stringify(declared) ?? 'none').slice(0, 200)}. Take a model of images.`,
      );
}

function innerShape(model: KerasModel): unknown {
  const reader = Array.from(model.layers.values()).find(({ calls }) =>
    calls.some((call) => call.some(({ layer }) => layer === model.inputs[0]?.layer)),
  );
  const inner = reader?.model;
  const [input] = inner?.inputs ?? [];
  const layer = input && inner?.layers.get(input.layer);
  return inner && (layer?.config['batch_input_shape'] ?? innerShape(inner));
}
