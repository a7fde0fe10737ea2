/** Adam inside the step graph against Adam in plain float64 arithmetic, on the gradients that the graph itself found. */
import { writeOnnx } from '@cyclegan/graph';
import { initialWeights } from '@cyclegan/model';
import {
  type AdamBetas,
  adamRate,
  groupParameters,
  type StepConfig,
  stateNames,
  stepGraph,
} from '@cyclegan/train';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { tinyStep } from './step-support.ts';

const init = { type: 'normal', gain: 0.02 } as const;

const epsilon = 1e-8;

/** One update as the paper writes it (Kingma and Ba 2015, algorithm 1). */
class PlainAdam {
  readonly weights: Float64Array;
  readonly m: Float64Array;
  readonly v: Float64Array;
  readonly betas: AdamBetas;

  constructor(weights: Float32Array, betas: AdamBetas) {
    this.betas = betas;
    this.weights = Float64Array.from(weights);
    this.m = new Float64Array(weights.length);
    this.v = new Float64Array(weights.length);
  }

  update(gradient: Float32Array, rate: number, step: number): void {
    const { beta1, beta2 } = this.betas;
    gradient.forEach((g, i) => {
      const m = beta1 * (this.m[i] ?? 0) + (1 - beta1) * g;
      const v = beta2 * (this.v[i] ?? 0) + (1 - beta2) * g * g;
      const corrected = m / (1 - beta1 ** step) / (Math.sqrt(v / (1 - beta2 ** step)) + epsilon);
      this.weights[i] = (this.weights[i] ?? 0) - rate * corrected;
      [this.m[i], this.v[i]] = [m, v];
    });
  }
}

it.each([
  { beta1: 0.5, beta2: 0.999 },
  { beta1: 0.8, beta2: 0.9 },
])(
  'fifty steps of the graph are fifty of plain Adam with $beta1 and $beta2, at a rate that changes',
  async (betas) => {
    const config: StepConfig = { ...tinyStep, adam: betas };
    const session = await InferenceSession.create(writeOnnx(stepGraph(config, { withGradients: true })));
    const shape = [1, 3, 12, 16];
    const picture = (phase: number) =>
      new Tensor(
        'float32',
        Float32Array.from({ length: 3 * 12 * 16 }, (_, i) => Math.sin(i / 3 + phase)),
        shape,
      );
    const pick = new Tensor('int64', BigInt64Array.of(1n), [1]);
    const fixed = { pool_A: picture(0), pool_B: picture(0), pick_A: pick, pick_B: pick };

    const plain = {
      G: new PlainAdam(initialWeights(groupParameters(config.networks, 'G'), 1, init), betas),
      D: new PlainAdam(initialWeights(groupParameters(config.networks, 'D'), 2, init), betas),
    };
    const vector = (values: Float64Array) =>
      new Tensor('float32', Float32Array.from(values), [values.length]);
    let state: Record<string, Tensor> = {};
    for (const group of ['G', 'D'] as const) {
      const names = stateNames(group);
      state[names.parameters] = vector(plain[group].weights);
      state[names.m] = vector(plain[group].m);
      state[names.v] = vector(plain[group].v);
    }
    const moved = { G: plain.G.weights.slice(), D: plain.D.weights.slice() };
    for (let step = 1; step <= 50; step++) {
      const rate = 2e-3 / step;
      const { stepSize, epsilonHat } = adamRate(rate, step, betas);
      const results = await session.run({
        ...fixed,
        ...state,
        real_A: picture(step),
        real_B: picture(2 * step + 1),
        step_size: new Tensor('float32', [stepSize], []),
        epsilon_hat: new Tensor('float32', [epsilonHat], []),
      });
      state = Object.fromEntries(Object.keys(state).map((name) => [name, results[`next.${name}`] as Tensor]));
      for (const group of ['G', 'D'] as const) {
        plain[group].update(results[`${group}.gradient`]?.data as Float32Array, rate, step);
      }
    }
    await session.release();

    for (const group of ['G', 'D'] as const) {
      const names = stateNames(group);
      const largest = (values: ArrayLike<number>) =>
        Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const difference = (name: string, expected: Float64Array) => {
        const got = state[name]?.data as Float32Array;
        return largest(expected.map((value, i) => value - (got[i] ?? Number.NaN))) / largest(expected);
      };
      expect(difference(names.parameters, plain[group].weights), `${group} weights`).toBeLessThan(1e-5);
      expect(difference(names.m, plain[group].m), `${group} m`).toBeLessThan(1e-5);
      expect(difference(names.v, plain[group].v), `${group} v`).toBeLessThan(1e-5);
      // What would hide a difference: weights that hardly moved.
      expect(largest(moved[group].map((value, i) => value - (plain[group].weights[i] ?? 0)))).toBeGreaterThan(
        2e-3,
      );
    }
  },
);
