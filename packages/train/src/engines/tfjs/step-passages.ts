/**
 * The objective's graph cut in two where the reference detaches: the generators' half ends in their total loss and the
 * fresh translations, the discriminators' begins with what they are shown of them. Knows no gradients.
 */
import { type Graph, type Shape, sameShape, type Value } from '@cyclegan/graph';
import type { Parameter } from '@cyclegan/model';
import type { Tensor } from '@tensorflow/tfjs';
import { type NoiseInput, noiseInputs } from '../../step/noise.js';
import { type Group, groupNames, groupParameters, stateNames } from '../../step/state.js';
import type { ObjectiveGraphConfig } from '../../step/step.js';
import { objectiveGraph, sampleGraph } from '../../step/step-graph.js';
import { type Interpretation, interpretation } from './interpreter.js';
import type { Tf } from './load.js';

/** Tensors by the graph's values: NHWC, weights as kernels. */
export type Feeds = Map<Value, Tensor>;

/** A graph whose parameters are fed one by one instead of as flat vectors. */
export interface FedGraph {
  /** A graph input or output by its name. */
  value(name: string): Value;
  /** Undefined where the networks have none. */
  buffers(group: Group): Value | undefined;
  /** The values that stand for a group's parameters, each with its place in the group: one for each use. */
  parameters(group: Group): readonly (readonly [Value, number])[];
}

/** Both halves. What each gives is in `names`' order. */
export interface StepPassages extends FedGraph {
  noise: readonly NoiseInput[];
  /** `total_G`, `fake_A`, `fake_B`, the columns, and `next.G.buffers` where there are any. */
  generators: Interpretation;
  /** Elements of `losses` that the generators' half gives and the discriminators' is fed. */
  columns: readonly Value[];
  /** `total_D`, `losses`, and `next.D.buffers` where there are any; reads `shown_*`, `fake_*` and the columns. */
  discriminators: Interpretation;
}

/** @param config sizes are fixed in the graph */
export function stepPassages(tf: Tf, config: ObjectiveGraphConfig): StepPassages {
  const graph = objectiveGraph(config);
  const fed = fedGraph(graph, config);
  const noise = noiseInputs(graph);
  const given = [
    ...groupNames.flatMap(fed.state),
    ...['real_A', 'real_B', ...noise.map(({ name }) => name)].map(fed.value),
  ];
  const kernels = new Set(groupNames.flatMap(fed.kernels));
  const next = (group: Group) => {
    const name = `next.${stateNames(group).buffers}`;
    return fed.buffers(group) ? [fed.value(name)] : [];
  };
  const fakes = ['fake_A', 'fake_B'].map(fed.value);
  const shown = ['shown_A', 'shown_B'].map(fed.value);
  const columns = lossColumns(graph, fed.value('losses'), new Set(shown));
  return {
    ...fed,
    noise,
    columns,
    generators: interpretation(tf, graph, {
      given,
      kernels,
      wanted: [fed.value('total_G'), ...fakes, ...columns, ...next('G')],
    }),
    discriminators: interpretation(tf, graph, {
      given: [...given, ...fakes, ...shown, ...columns],
      kernels,
      wanted: [fed.value('total_D'), fed.value('losses'), ...next('D')],
    }),
  };
}

/** The generators on one image of each domain: `fake_B`, `rec_A`, `fake_A`, `rec_B`, each [1, H, W, C]. */
export function samplePassage(tf: Tf, config: ObjectiveGraphConfig): FedGraph & { sample: Interpretation } {
  const graph = sampleGraph({ ...config, batch: 1 });
  const fed = fedGraph(graph, config);
  return {
    ...fed,
    sample: interpretation(tf, graph, {
      given: [...fed.state('G'), fed.value('real_A'), fed.value('real_B')],
      kernels: new Set(fed.kernels('G')),
      wanted: ['fake_B', 'rec_A', 'fake_A', 'rec_B'].map(fed.value),
    }),
  };
}

function fedGraph(graph: Graph, { networks }: ObjectiveGraphConfig) {
  const input = (name: string) => graph.inputs.find((value) => value.name === name);
  const ofGroup = (group: Group) =>
    pieces(graph, input(stateNames(group).parameters), groupParameters(networks, group));
  const parameters = { G: ofGroup('G'), D: ofGroup('D') };
  const buffers = (group: Group) => input(stateNames(group).buffers);
  const values = (group: Group) => parameters[group].map(([value]) => value);
  return {
    value(name: string): Value {
      const value = input(name) ?? graph.outputs.find((output) => output.name === name)?.value;
      if (!value) throw new Error(`internal: ${graph.name} has no input or output ${name}`);
      return value;
    },
    buffers,
    parameters: (group: Group) => parameters[group],
    /** All that a group's state gives. */
    state: (group: Group) => [...values(group), ...[buffers(group)].filter((value) => value !== undefined)],
    /** Those of its parameters that are convolutions' weights. */
    kernels: (group: Group) => values(group).filter(({ shape }) => shape.length === 4),
  };
}

/** The values that come of a flat vector by cutting and shaping alone, each with its parameter's place in the group. */
function pieces(graph: Graph, flat: Value | undefined, parts: readonly Parameter[]): [Value, number][] {
  const offsets = new Map<Value | undefined, number>(flat ? [[flat, 0]] : []);
  for (const { op, inputs, outputs } of graph.nodes) {
    let at = offsets.get(inputs[0]);
    if (at === undefined || (op.name !== 'Split' && op.name !== 'Reshape')) continue;
    for (const output of outputs) {
      offsets.set(output, at);
      at += sizeOf(output.shape);
    }
  }
  let end = 0;
  const starts = parts.map(({ shape }) => {
    const start = end;
    end += sizeOf(shape);
    return start;
  });
  return [...offsets].flatMap(([value, at]): [Value, number][] => {
    const i = starts.indexOf(at);
    return value && i >= 0 && sameShape(value.shape, parts[i]?.shape ?? []) ? [[value, i]] : [];
  });
}

const sizeOf = (shape: Shape) => shape.reduce((product: number, dim) => product * Number(dim), 1);

/** The elements of `losses` that do not depend on what the discriminators are shown. */
function lossColumns(graph: Graph, losses: Value, shown: ReadonlySet<Value>): Value[] {
  const dependent = new Set(shown);
  for (const { inputs, outputs } of graph.nodes) {
    if (inputs.some((input) => input && dependent.has(input)))
      for (const each of outputs) dependent.add(each);
  }
  const joined = graph.nodes.find(({ outputs }) => outputs.includes(losses));
  return (joined?.inputs ?? []).filter((input) => input !== undefined && !dependent.has(input)) as Value[];
}
