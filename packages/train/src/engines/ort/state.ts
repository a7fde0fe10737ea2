/** The training state as onnxruntime's tensors by their graph names, and back; and what both ways of stepping share. */
import type { EngineState, EngineTask, GroupState, SampleResult, StepInput } from '../../engine.js';
import { type Losses, lossNames } from '../../step/objective.js';
import { type Group, groupNames, type StateKey, stateNames, stateSizes } from '../../step/state.js';
import type { OrtRuntime, Tensors } from './runtime.js';

/** Holds the state and makes steps: one for each session run, or a loop of them. */
export interface Runner {
  run(inputs: readonly StepInput[]): Promise<Losses[]>;
  /** The generators' vectors by name, wherever they are; the runner's, until its next call. */
  generators(): Tensors;
  getState(): Promise<EngineState>;
  setState(state: EngineState): void;
  dispose(): Promise<void>;
}

/** One of the vectors that go from step to step. */
interface StateVector {
  name: string;
  group: Group;
  key: StateKey;
  size: number;
}

/** All state vectors of these networks, by their names as graph inputs. */
export function stateVectors(networks: EngineTask['networks']): StateVector[] {
  return groupNames.flatMap((group) =>
    (Object.entries(stateSizes(networks, group)) as [StateKey, number][]).map(([key, size]) => ({
      name: stateNames(group)[key],
      group,
      key,
      size,
    })),
  );
}

/** Shares the arrays. @throws when they do not fit the networks */
export function toTensors(
  { Tensor }: Pick<OrtRuntime, 'Tensor'>,
  vectors: readonly StateVector[],
  groups: EngineState['groups'],
): Tensors {
  return Object.fromEntries(
    vectors.map(({ name, group, key, size }) => {
      const data = groups[group][key];
      if (data.length !== size) throw new Error(`internal: ${name} has ${data.length} of ${size} values`);
      return [name, new Tensor('float32', data, [size])];
    }),
  );
}

/** Shares the arrays of tensors that are on the host. */
export function toGroups(vectors: readonly StateVector[], tensors: Tensors): EngineState['groups'] {
  const empty = (): GroupState => ({
    parameters: new Float32Array(),
    m: new Float32Array(),
    v: new Float32Array(),
    buffers: new Float32Array(),
  });
  const groups = { G: empty(), D: empty() };
  for (const { name, group, key } of vectors) groups[group][key] = floats(tensors, name);
  return groups;
}

/** The generators' share of state tensors. */
export function generatorTensors(vectors: readonly StateVector[], tensors: Tensors): Tensors {
  return Object.fromEntries(
    vectors
      .filter(({ group, key }) => group === 'G' && (key === 'parameters' || key === 'buffers'))
      .map(({ name }) => [name, tensorOf(tensors, name)]),
  );
}

/** Size of one domain's image, [C, H, W]. */
export function imageShape(
  { networks, height, width }: Pick<EngineTask, 'networks' | 'height' | 'width'>,
  domain: 'A' | 'B',
): number[] {
  const { inputChannels, outputChannels } = networks.generator;
  return [{ A: inputChannels, B: outputChannels }[domain], height, width];
}

/** @throws when there is no such tensor */
export function tensorOf(tensors: Tensors, name: string): Tensors[string] {
  const found = tensors[name];
  if (!found) throw new Error(`internal: no tensor ${name}`);
  return found;
}

/** A float32 tensor's elements, on the host. */
export function floats(tensors: Tensors, name: string): Float32Array {
  const { data } = tensorOf(tensors, name);
  if (!(data instanceof Float32Array)) throw new Error(`internal: ${name} is not float32`);
  return data;
}

/** The losses of one step or of several, from a float32 [8] or [K, 8]. */
export function toLosses(values: Float32Array): Losses[] {
  const count = lossNames.length;
  return Array.from(
    { length: values.length / count },
    (_, step) =>
      Object.fromEntries(lossNames.map((name, i) => [name, values[step * count + i]])) as unknown as Losses,
  );
}

/** What the sampler's graph gives. */
export function toSamples(tensors: Tensors): SampleResult {
  return {
    fakeB: floats(tensors, 'fake_B'),
    recA: floats(tensors, 'rec_A'),
    fakeA: floats(tensors, 'fake_A'),
    recB: floats(tensors, 'rec_B'),
  };
}
