/**
 * A Keras model as nodes of a graph: layers in the order in which their inputs come to be, models inside models in
 * place. Knows no kind of layer, and no layout.
 */
import { type Graph, GraphError, type Value } from '@cyclegan/graph';
import { refuseModel } from '../model-json.js';
import type { KerasLayer, KerasModel, TensorReference } from './keras-model.js';
import { LayerConfig } from './layer-config.js';
import type { LayerKinds } from './layer-kinds.js';
import type { ModelWeights } from './layer-weights.js';

/** A model inside a model that is called by many may grow without bound. */
const MAX_CALLS = 20_000;

export interface ModelPlace {
  /** The model.json, for messages. */
  readonly file: string;
  readonly graph: Graph;
  readonly kinds: LayerKinds;
  readonly weights: ModelWeights;
}

/**
 * Appends the model to a graph.
 * @param inputs one for each of the model's
 * @returns one value for each of the model's outputs
 * @throws CycleganError `bundle` for layers that wait for each other or for none, for weights that are missing or do
 * not fit, and for layers that do not fit their inputs
 */
export function buildModel(place: ModelPlace, model: KerasModel, inputs: readonly Value[]): Value[] {
  return apply({ ...place, calls: 0 }, model, inputs);
}

interface Building extends ModelPlace {
  calls: number;
}

function apply(building: Building, model: KerasModel, inputs: readonly Value[]): Value[] {
  const { file } = building;
  if (inputs.length !== model.inputs.length) {
    refuseModel(
      file,
      `expected ${model.inputs.length} inputs of a model, got ${inputs.length}. Convert the model again.`,
    );
  }
  const made = new Map<string, readonly Value[]>();
  model.inputs.forEach((reference, i) => {
    const value = inputs[i];
    if (value) made.set(keyOf(reference), [value]);
  });
  for (const { layer, call, reads } of inOrder(file, model)) {
    const values = reads.map((reference) => find(file, made, reference));
    made.set(keyOf({ layer: layer.name, call }), run(building, layer, values));
  }
  return model.outputs.map((reference) => find(file, made, reference));
}

/** Without the tensor: a layer's application makes all of its tensors at once. */
function keyOf({ layer, call }: Pick<TensorReference, 'layer' | 'call'>): string {
  return `${call} ${layer}`;
}

function find(file: string, made: ReadonlyMap<string, readonly Value[]>, reference: TensorReference): Value {
  const value = made.get(keyOf(reference))?.[reference.tensor];
  return (
    value ??
    refuseModel(
      file,
      `expected layer ${reference.layer.slice(0, 200)} to have output ${reference.tensor} of call ${reference.call}, got none. Convert the model again.`,
    )
  );
}

interface Step {
  readonly layer: KerasLayer;
  readonly call: number;
  readonly reads: readonly TensorReference[];
}

/** Every application after those that it reads. */
function inOrder(file: string, model: KerasModel): Step[] {
  const waiting = new Map<string, Step[]>();
  const missing = new Map<Step, number>();
  const ready: Step[] = [];
  const given = new Set(model.inputs.map(keyOf));
  for (const layer of model.layers.values()) {
    layer.calls.forEach((reads, call) => {
      const step = { layer, call, reads };
      const sources = new Set(reads.map(keyOf).filter((key) => !given.has(key)));
      missing.set(step, sources.size);
      for (const source of sources) {
        const others = waiting.get(source);
        if (others) others.push(step);
        else waiting.set(source, [step]);
      }
      if (sources.size === 0) ready.push(step);
    });
  }
  const steps: Step[] = [];
  for (let step = ready.shift(); step; step = ready.shift()) {
    steps.push(step);
    missing.delete(step);
    for (const next of waiting.get(keyOf({ layer: step.layer.name, call: step.call })) ?? []) {
      const left = (missing.get(next) ?? 0) - 1;
      missing.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  const [stuck] = missing.keys();
  if (stuck) {
    refuseModel(
      file,
      `expected layers whose inputs are there, got ${stuck.layer.name.slice(0, 200)}, which waits for itself or for a layer that is missing. Convert the model again.`,
    );
  }
  return steps;
}

function run(building: Building, layer: KerasLayer, inputs: readonly Value[]): readonly Value[] {
  const { file, graph, kinds, weights } = building;
  building.calls += 1;
  if (building.calls > MAX_CALLS) {
    refuseModel(file, `expected at most ${MAX_CALLS} layers, got more. Take a smaller model.`);
  }
  const { model } = layer;
  if (model) return graph.scope(layer.name, () => apply(building, model, inputs));
  const kind = kinds.get(layer.className);
  const [x] = inputs;
  const title = `${layer.className} ${layer.name}`.slice(0, 200);
  // Of the kinds that were checked, InputLayer alone is none.
  if (!kind)
    return refuseModel(file, `expected ${title} to read nothing, got inputs. Convert the model again.`);
  if (!x || (inputs.length > 1 && !kind.merges)) {
    return refuseModel(
      file,
      `expected ${title} to have ${kind.merges ? 'inputs' : 'one input'}, got ${inputs.length}. Convert the model again.`,
    );
  }
  try {
    const config = new LayerConfig(file, title, layer.config);
    return [
      graph.scope(layer.name, () =>
        kind.convert({ graph, x, inputs, config, weights: weights.of(layer.name) }),
      ),
    ];
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return refuseModel(file, `expected ${title} to fit its inputs, got this: ${error.message}`, error);
  }
}
