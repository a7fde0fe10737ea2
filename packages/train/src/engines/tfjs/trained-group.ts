/**
 * One optimiser's share of the state as TensorFlow.js's variables: parameters, buffers, and the moments inside its Adam.
 * Flat vectors go in and come out to the last bit.
 */
import type { Parameter } from '@cyclegan/model';
import type { Tensor, Variable } from '@tensorflow/tfjs';
import type { GroupState } from '../../engine.js';
import type { AdamBetas } from '../../step/adam.js';
import { holdKernel, unholdKernel } from './layout.js';
import type { Tf } from './load.js';

/** As in the step graph, and PyTorch: added to the root of the corrected second moment. */
const epsilon = 1e-8;

export interface TrainedGroup {
  /** One for each parameter, weights of four axes as [kh, kw, C, K]; the group's own. */
  readonly parameters: readonly Variable[];
  /** The flat vector of running statistics; without any it has no elements. */
  readonly buffers: Variable;
  /**
   * One update by Adam.
   * @param gradients by parameter; undefined where the loss does not depend on it. The caller's
   * @param step number of the update, from 1
   */
  update(gradients: readonly (Tensor | undefined)[], learningRate: number, step: number): void;
  getState(): Promise<GroupState>;
  /** Copies what is given. */
  setState(state: GroupState): void;
  dispose(): void;
}

/** @param parts the group's parameters in the order of its flat vectors */
export function createTrainedGroup(
  tf: Tf,
  parts: readonly Parameter[],
  { beta1, beta2 }: AdamBetas,
  start: GroupState,
): TrainedGroup {
  const variables = (flat: Float32Array, trainable: boolean): Variable[] =>
    tf.tidy(() => cut(tf, parts, flat).map((tensor) => tf.variable(tensor, trainable)));
  const parameters = variables(start.parameters, true);
  const moments = { m: variables(start.m, false), v: variables(start.v, false) };
  const buffers = tf.tidy(() => tf.variable(tf.tensor1d(start.buffers.slice()), false));
  const adam = tf.train.adam(1, beta1, beta2, epsilon);
  const named = (list: readonly Variable[]) =>
    list.map((variable, i) => ({ originalName: parts[i]?.name ?? '', variable }));
  adam['accumulatedFirstMoment'] = named(moments.m);
  adam['accumulatedSecondMoment'] = named(moments.v);

  const assign = (list: readonly Variable[], flat: Float32Array) =>
    cut(tf, parts, flat).forEach((tensor, i) => {
      list[i]?.assign(tensor);
    });

  return {
    parameters,
    buffers,
    update(gradients, learningRate, step) {
      adam['learningRate'] = learningRate;
      tf.tidy(() => {
        // Adam's own products would differ in the last bit from those of a run that was resumed.
        adam['accBeta1'].assign(tf.scalar(beta1 ** step));
        adam['accBeta2'].assign(tf.scalar(beta2 ** step));
        adam.applyGradients(
          parameters.map((variable, i) => ({
            name: variable.name,
            tensor: gradients[i] ?? tf.zerosLike(variable),
          })),
        );
      });
    },
    async getState() {
      return {
        parameters: await joined(tf, parameters),
        m: await joined(tf, moments.m),
        v: await joined(tf, moments.v),
        buffers: Float32Array.from(await buffers.data<'float32'>()),
      };
    },
    setState(state) {
      tf.tidy(() => {
        assign(parameters, state.parameters);
        assign(moments.m, state.m);
        assign(moments.v, state.v);
        buffers.assign(tf.tensor1d(state.buffers.slice()));
      });
    },
    dispose() {
      // Frees the moments with it.
      adam.dispose();
      tf.dispose([...parameters, buffers]);
    },
  };
}

/** Cuts a flat vector into tensors as they are held. @throws when it has another length */
function cut(tf: Tf, parts: readonly Parameter[], flat: Float32Array): Tensor[] {
  let at = 0;
  const tensors = parts.map(({ shape }) => {
    const size = shape.reduce((product, dim) => product * dim, 1);
    const tensor = tf.tensor(flat.slice(at, at + size), [...shape]);
    at += size;
    return holdKernel(tf, tensor);
  });
  if (at !== flat.length) throw new Error(`internal: a flat vector has ${flat.length} of ${at} values`);
  return tensors;
}

/** The way back. */
async function joined(tf: Tf, variables: readonly Variable[]): Promise<Float32Array> {
  const flat = new Float32Array(variables.reduce((sum, { size }) => sum + size, 0));
  let at = 0;
  for (const variable of variables) {
    const natural = tf.tidy(() => unholdKernel(tf, variable).clone());
    flat.set(await natural.data<'float32'>(), at);
    natural.dispose();
    at += variable.size;
  }
  return flat;
}
