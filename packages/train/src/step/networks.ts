/**
 * The four networks as a step calls them: weights cut out of the flat vectors, running statistics carried from call
 * to call, dropout's masks asked for one by one. Knows no losses.
 */
import { Concat, type Graph, Reshape, Split, type Value } from '@cyclegan/graph';
import {
  type NetworkName,
  type Networks,
  namedBuffers,
  namedParameters,
  type Parameter,
  parameterCount,
} from '@cyclegan/model/networks';
import type { noiseNamed } from './noise.js';
import { type Group, groupNames, groups } from './state.js';

/** Applies a network to images. In training the nodes' names begin with the call: `G_A.1/`, `G_A.2/`. */
export type Apply = (network: NetworkName, x: Value) => Value;

/** A group's flat vectors, float32; `buffers` only where its networks have any. */
export interface GroupValues {
  parameters: Value;
  buffers?: Value | undefined;
}

/** The networks in training. */
export interface TrainedNetworks {
  apply: Apply;
  /** A group's running statistics as the calls so far have left them; undefined without any. */
  nextBuffers(group: Group): Value | undefined;
}

/** The networks in training, with the weights and running statistics of `state`. */
export function trainedNetworks(
  graph: Graph,
  networks: Networks,
  state: Record<Group, GroupValues>,
  noise: ReturnType<typeof noiseNamed>,
): TrainedNetworks {
  const values = new Map(groupNames.flatMap((group) => [...cutState(graph, networks, group, state[group])]));
  const calls = new Map<NetworkName, number>();
  return {
    apply(network, x) {
      const call = (calls.get(network) ?? 0) + 1;
      calls.set(network, call);
      return graph.scope(`${network}.${call}`, () =>
        networks[network].apply(graph, x, lookUp(values, network), {
          dropoutMask: (shape) => noise('dropout', 'bool', shape),
          setBuffer: (name, value) => values.set(`${network}.${name}`, value),
        }),
      );
    },
    nextBuffers(group) {
      const parts = namedBuffers(networks, groups[group]).map(({ name }) =>
        graph.op(Reshape, [values.get(name), graph.ints([-1])]),
      );
      return parts.length > 0 ? graph.op(Concat, parts, { axis: 0 }) : undefined;
    },
  };
}

/** A group's networks as they are exported: running statistics, no dropout. */
export function exportedNetworks(graph: Graph, networks: Networks, group: Group, state: GroupValues): Apply {
  const values = cutState(graph, networks, group, state);
  return (network, x) =>
    graph.scope(network, () => networks[network].apply(graph, x, lookUp(values, network), 'eval'));
}

function lookUp(values: ReadonlyMap<string, Value>, network: NetworkName) {
  return (name: string): Value => {
    const value = values.get(`${network}.${name}`);
    if (!value) throw new Error(`internal: no parameter or buffer ${network}.${name}`);
    return value;
  };
}

function cutState(graph: Graph, networks: Networks, group: Group, state: GroupValues): Map<string, Value> {
  return new Map([
    ...cut(graph, namedParameters(networks, groups[group]), state.parameters),
    ...(state.buffers ? cut(graph, namedBuffers(networks, groups[group]), state.buffers) : []),
  ]);
}

/** Cuts a flat vector into the tensors it holds. */
function cut(graph: Graph, parts: readonly Parameter[], flat: Value): [string, Value][] {
  const sizes = parts.map((part) => parameterCount([part]));
  const pieces = graph.ops(Split, [flat, graph.ints(sizes)], { axis: 0 });
  return parts.map(({ name, shape }, i) => [name, graph.op(Reshape, [pieces[i], graph.ints(shape)])]);
}
