/**
 * Keras's later spellings of a model's configuration brought to those of Keras 2, which tfjs-layers and keras-model.ts
 * read. What has Keras 2's form already stays as it is. Checks nothing.
 */

type Json = Readonly<Record<string, unknown>>;

/** How deep models may lie in models. */
export const MAX_DEPTH = 16;

/**
 * @param topology a model.json's `modelTopology`
 * @returns `{ class_name, config }` of the model; the argument is not changed
 */
export function kerasTwo(topology: Json): Json {
  const model = isObject(topology['model_config']) ? topology['model_config'] : topology;
  return layerOfTwo(model, 0);
}

function layerOfTwo(layer: Json, depth: number): Json {
  if (!isObject(layer['config']) && !Array.isArray(layer['config'])) return layer;
  const className = withoutPackage(layer['class_name']);
  const config = Array.isArray(layer['config']) ? { layers: layer['config'] } : (layer['config'] as Json);
  const inner = Array.isArray(config['layers']) && depth < MAX_DEPTH;
  const changed = inner ? modelOfTwo(config, className, depth) : configOfTwo(config, className);
  const nodes = layer['inbound_nodes'];
  return {
    ...layer,
    class_name: className,
    config: changed,
    ...(Array.isArray(nodes) ? { inbound_nodes: nodes.map(nodeOfTwo) } : {}),
  };
}

/** `Addons>InstanceNormalization` is registered under its last part alone. */
function withoutPackage(className: unknown): unknown {
  return typeof className === 'string' ? className.slice(className.lastIndexOf('>') + 1) : className;
}

function modelOfTwo(config: Json, className: unknown, depth: number): Json {
  const layers = (config['layers'] as unknown[]).map((layer) =>
    isObject(layer) ? layerOfTwo(layer, depth + 1) : layer,
  );
  const ends = ['input_layers', 'output_layers'].flatMap((key) =>
    Array.isArray(config[key]) ? [[key, listOfReferences(config[key])] as const] : [],
  );
  const built = config['build_input_shape'];
  const [first, ...others] = layers;
  // A Sequential that was given no input beforehand tells its shape beside the layers.
  const told =
    className === 'Sequential' &&
    Array.isArray(built) &&
    isObject(first) &&
    isObject(first['config']) &&
    !('batch_input_shape' in first['config']) &&
    !('layers' in first['config']);
  const shaped = told
    ? [{ ...first, config: { ...(first['config'] as Json), batch_input_shape: built } }, ...others]
    : layers;
  return { ...config, layers: shaped, ...Object.fromEntries(ends) };
}

function configOfTwo(config: Json, className: unknown): Json {
  const changed: Record<string, unknown> = { ...config };
  if ('batch_shape' in config && !('batch_input_shape' in config)) {
    changed['batch_input_shape'] = config['batch_shape'];
    delete changed['batch_shape'];
  }
  // A policy: what is stored is float32 whatever was computed in.
  if (isObject(config['dtype'])) changed['dtype'] = 'float32';
  if (isObject(config['activation']) && typeof config['activation']['config'] === 'string') {
    changed['activation'] = config['activation']['config'];
  }
  if (changed['activation'] === 'silu') changed['activation'] = 'swish';
  if (className === 'LeakyReLU' && 'negative_slope' in config) changed['alpha'] = config['negative_slope'];
  return changed;
}

/** `{ args: [tensors], kwargs }` → `[[layer, node, tensor, {}], …]`. */
function nodeOfTwo(node: unknown): unknown {
  if (!isObject(node) || !Array.isArray(node['args'])) return node;
  return node['args'].flat().flatMap((tensor: unknown) => {
    const config = isObject(tensor) && isObject(tensor['config']) ? tensor['config'] : {};
    const history = config['keras_history'];
    return Array.isArray(history) ? [[...history.slice(0, 3), {}]] : [];
  });
}

/** Keras 3 writes one reference alone without the list around it. */
function listOfReferences(references: unknown[]): unknown[] {
  return typeof references[0] === 'string' ? [references] : references;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
