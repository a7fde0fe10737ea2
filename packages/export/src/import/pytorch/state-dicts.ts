/**
 * The networks that a saved object holds: its dictionaries of tensors by the names of layers, wherever they are in
 * it, without what wrappers put before the names. Knows no architectures.
 */
import { type PickleValue, TensorView } from './values.js';

export interface StateDict {
  /** Where it was found, for people and for choosing: `netG_A`; empty where the file holds nothing around it. */
  readonly name: string;
  /** By the layer's name: `model.1.weight`. */
  readonly tensors: ReadonlyMap<string, TensorView>;
}

/** Those of training programs are two or three deep. */
const MAX_DEPTH = 16;

/** Every network, in the order found. One dictionary may hold several, each under a prefix: `netG_A.model.1.weight`. */
export function stateDictsIn(root: PickleValue): StateDict[] {
  const seen = new Set<PickleValue>();
  const visit = (value: PickleValue, path: readonly string[]): StateDict[] => {
    if (!(value instanceof Map) || seen.has(value) || path.length > MAX_DEPTH) return [];
    seen.add(value);
    const named = [...value].filter((entry): entry is [string, PickleValue] => typeof entry[0] === 'string');
    const tensors = named.filter((entry): entry is [string, TensorView] => entry[1] instanceof TensorView);
    // An optimizer's tensors have names without a layer.
    const isNetwork = tensors.some(([key]) => key.includes('.'));
    return [
      ...(isNetwork ? separate(tensors, path) : []),
      ...named.flatMap(([key, inner]) => visit(inner, [...path, key])),
    ];
  };
  return visit(root, []);
}

/** What nn.DataParallel and torch.compile put before the names of what they wrap. */
const wrappers = /(?<=^|\.)(?:module|_orig_mod)\./g;
/** A network's own name, and the layer's with all within, as the reference's networks have them. */
const layer = /^(?:(.*?)\.)??((?:model\.(?:model\.)?|net\.)\d+\..*)$/s;

function separate(tensors: readonly [string, TensorView][], path: readonly string[]): StateDict[] {
  const networks = new Map<string, Map<string, TensorView>>();
  const add = (prefix: string, name: string, key: string, tensor: TensorView) => {
    const network = networks.get(prefix) ?? new Map<string, TensorView>();
    // Two keys that differ by a wrapper alone: the second is none that a network has.
    networks.set(prefix, network.set(network.has(name) ? key : name, tensor));
  };
  const others: [string, string, TensorView][] = [];
  for (const [key, tensor] of tensors) {
    const name = key.replace(wrappers, '');
    const [, prefix = '', rest] = layer.exec(name) ?? [];
    if (rest === undefined) others.push([name, key, tensor]);
    else add(prefix, rest, key, tensor);
  }
  // What is no layer of the reference is still part of the network whose prefix it has.
  const prefixes = new Set(networks.keys());
  for (const [name, key, tensor] of others) {
    const parts = name.split('.', MAX_DEPTH);
    const prefix = parts.map((_, i) => parts.slice(0, i + 1).join('.')).find((start) => prefixes.has(start));
    if (prefix === undefined) add('', name, key, tensor);
    else add(prefix, name.slice(prefix.length + 1), key, tensor);
  }
  return [...networks].map(([prefix, found]) => ({
    name: [...path, ...(prefix ? [prefix] : [])].join('.'),
    tensors: found,
  }));
}
