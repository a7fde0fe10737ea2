/** What a run's state is made of, as flat vectors: the two optimisers' groups, their order, their names in graphs. */
import type { Tensor } from '@cyclegan/model';
import {
  cycleganNetworks,
  discriminatorNames,
  generatorNames,
  type NetworksConfig,
  namedBuffers,
  namedParameters,
  type Parameter,
  parameterCount,
} from '@cyclegan/model/networks';

/** The two optimisers' groups, and the networks each one trains. */
export const groups = { G: generatorNames, D: discriminatorNames } as const;
/** An optimiser's group. */
export type Group = keyof typeof groups;
/** Both, the generators first: so a step goes. */
export const groupNames = Object.keys(groups) as Group[];

/** A group's parameters in the order in which its flat vectors hold them. */
export function groupParameters(config: NetworksConfig, group: Group): Parameter[] {
  return namedParameters(cycleganNetworks(config), groups[group]);
}

/** A group's running statistics in the order of its flat vector of buffers; none without batch normalisation. */
export function groupBuffers(config: NetworksConfig, group: Group): Parameter[] {
  return namedBuffers(cycleganNetworks(config), groups[group]);
}

/** What a group's state holds. */
export type StateKey = 'parameters' | 'm' | 'v' | 'buffers';

/**
 * Names of a group's state tensors as graph inputs; the outputs have `next.` in front. Each float32 of one axis. A
 * group without buffers has no such input.
 */
export const stateNames = (group: Group): Readonly<Record<StateKey, string>> => ({
  parameters: `${group}.parameters`,
  m: `${group}.m`,
  v: `${group}.v`,
  buffers: `${group}.buffers`,
});

/** Elements of each state tensor of a group; those of no elements are left out. */
export function stateSizes(config: NetworksConfig, group: Group): Partial<Record<StateKey, number>> {
  const parameters = parameterCount(groupParameters(config, group));
  const buffers = parameterCount(groupBuffers(config, group));
  return { parameters, m: parameters, v: parameters, ...(buffers > 0 ? { buffers } : {}) };
}

/** A flat vector's pieces by their parameters' or buffers' names, as checkpoints keep them; they share its memory. */
export function cutVector(parts: readonly Parameter[], flat: Float32Array): [string, Tensor][] {
  let at = 0;
  return parts.map((part) => {
    const data = flat.subarray(at, at + parameterCount([part]));
    at += data.length;
    return [part.name, { shape: part.shape, data }];
  });
}
