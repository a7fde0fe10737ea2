/**
 * A Keras model as data: its layers, what each is called on, and models inside models. Sequential models become chains
 * of the same form. Knows no layer but InputLayer.
 */
import { z } from 'zod';
import { refuseModel } from '../model-json.js';
import { kerasTwo, MAX_DEPTH } from './keras-json.js';

/** A layer's output: `call` counts the layer's applications from 0. */
export interface TensorReference {
  readonly layer: string;
  readonly call: number;
  readonly tensor: number;
}

export interface KerasLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** What each application reads. */
  readonly calls: readonly (readonly TensorReference[])[];
  /** Where the layer is a model itself. */
  readonly model: KerasModel | null;
}

export interface KerasModel {
  /** In the file's order, by name. */
  readonly layers: ReadonlyMap<string, KerasLayer>;
  readonly inputs: readonly TensorReference[];
  readonly outputs: readonly TensorReference[];
}

/** Of all models together. */
const MAX_LAYERS = 20_000;

const name = z.string().min(1).max(1024);
const referenceSchema = z.tuple([name, z.number().int(), z.number().int()], z.unknown());
const layerSchema = z.looseObject({
  class_name: name,
  name: name.optional(),
  config: z.looseObject({ name: name.optional() }),
  /** One reference stands for a list of one. */
  inbound_nodes: z
    .array(z.union([referenceSchema.transform((one) => [one]), z.array(referenceSchema)]))
    .nullish(),
});
const layersSchema = z.looseObject({ layers: z.array(layerSchema).min(1) });
const functionalSchema = layersSchema.extend({
  input_layers: z.array(referenceSchema).min(1),
  output_layers: z.array(referenceSchema).min(1),
});

/**
 * Reads a model.json's topology, of any version of Keras.
 * @param file the model.json, for messages
 * @throws CycleganError `bundle` for what is no model, for names that come twice and for models too deep or large
 */
export function readKerasModel(file: string, topology: Readonly<Record<string, unknown>>): KerasModel {
  const reading = { file, layers: 0 };
  const { class_name: className, config } = parse(reading, layerSchema, kerasTwo(topology), 'the model');
  const model = modelOf(reading, String(className), config, 0);
  return (
    model ??
    refuseModel(file, `expected a Sequential or functional model, got ${className}. Take another model.`)
  );
}

interface Reading {
  readonly file: string;
  layers: number;
}

function parse<T>({ file }: Reading, schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') || 'its top';
  return refuseModel(
    file,
    `expected Keras's configuration of ${what}, got one that does not fit at ${where.slice(0, 200)}. Convert the model again.`,
    result.error,
  );
}

/** Null where the class is no model. */
function modelOf(
  reading: Reading,
  className: string,
  config: Readonly<Record<string, unknown>>,
  depth: number,
): KerasModel | null {
  if (className !== 'Sequential' && !Array.isArray(config['layers'])) return null;
  if (depth >= MAX_DEPTH) {
    return refuseModel(
      reading.file,
      `expected models at most ${MAX_DEPTH} deep in each other, got more. Flatten the model.`,
    );
  }
  return className === 'Sequential'
    ? chain(reading, config, depth)
    : functional(reading, className, config, depth);
}

function functional(
  reading: Reading,
  className: string,
  config: Readonly<Record<string, unknown>>,
  depth: number,
): KerasModel {
  const parsed = parse(reading, functionalSchema, config, className);
  const layers = parsed.layers.map((layer) =>
    layerOf(
      reading,
      layer,
      depth,
      (layer.inbound_nodes ?? []).map((node) => node.map(reference)),
    ),
  );
  const [inputs, outputs] = [parsed.input_layers.map(reference), parsed.output_layers.map(reference)];
  return counted(byName(reading, layers), inputs, outputs);
}

function chain(reading: Reading, config: Readonly<Record<string, unknown>>, depth: number): KerasModel {
  const parsed = parse(reading, layersSchema, config, 'a Sequential');
  const [first] = parsed.layers;
  const ready = first?.class_name === 'InputLayer';
  const shape = first?.config['batch_input_shape'];
  const inputName = ready ? nameOf(first, 0) : `${nameOf(first, 0)}_input`;
  const input: KerasLayer = {
    name: inputName,
    className: 'InputLayer',
    config: ready ? first.config : { batch_input_shape: shape, dtype: first?.config['dtype'] },
    calls: [],
    model: null,
  };
  let last = { layer: inputName, call: 0, tensor: 0 };
  const others = (ready ? parsed.layers.slice(1) : parsed.layers).map((layer, place) => {
    const made = layerOf(reading, layer, depth, [[last]], place);
    last = { layer: made.name, call: 0, tensor: 0 };
    return made;
  });
  const inputs = [{ layer: inputName, call: 0, tensor: 0 }];
  return { layers: byName(reading, [input, ...others]), inputs, outputs: [last] };
}

type ParsedLayer = z.infer<typeof layerSchema>;

function layerOf(
  reading: Reading,
  layer: ParsedLayer,
  depth: number,
  calls: TensorReference[][],
  place = 0,
): KerasLayer {
  reading.layers += 1;
  if (reading.layers > MAX_LAYERS) {
    refuseModel(reading.file, `expected at most ${MAX_LAYERS} layers, got more. Take a smaller model.`);
  }
  return {
    name: nameOf(layer, place),
    className: layer.class_name,
    config: layer.config,
    calls,
    model: modelOf(reading, layer.class_name, layer.config, depth + 1),
  };
}

function nameOf(layer: ParsedLayer | undefined, place: number): string {
  return layer?.name ?? layer?.config.name ?? `layer_${place}`;
}

function reference([layer, call, tensor]: z.infer<typeof referenceSchema>): TensorReference {
  return { layer, call, tensor };
}

function byName({ file }: Reading, layers: readonly KerasLayer[]): Map<string, KerasLayer> {
  const named = new Map(layers.map((layer) => [layer.name, layer]));
  if (named.size < layers.length) {
    refuseModel(
      file,
      'expected layers with names of their own, got one name twice. Convert the model again.',
    );
  }
  return named;
}

/**
 * The applications of an inner model are counted from 1 in most files, as the model's own making counts as one: where
 * nothing refers to number 0, all are moved down.
 */
function counted(
  layers: ReadonlyMap<string, KerasLayer>,
  inputs: readonly TensorReference[],
  outputs: readonly TensorReference[],
): KerasModel {
  const all = [...inputs, ...outputs, ...Array.from(layers.values(), ({ calls }) => calls.flat()).flat()];
  const fromZero = new Set(all.flatMap(({ layer, call }) => (call === 0 ? [layer] : [])));
  const moved = (one: TensorReference): TensorReference =>
    layers.get(one.layer)?.model && !fromZero.has(one.layer) ? { ...one, call: one.call - 1 } : one;
  return {
    layers: new Map(
      Array.from(layers, ([key, layer]) => [
        key,
        { ...layer, calls: layer.calls.map((call) => call.map(moved)) },
      ]),
    ),
    inputs: inputs.map(moved),
    outputs: outputs.map(moved),
  };
}
