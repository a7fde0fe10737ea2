/** The training step graph against PyTorch: losses, outputs, every gradient, and twenty steps of both optimisers. */
import type { NetworksConfig } from '@cyclegan/model';
import {
  type AdamBetas,
  groupBuffers,
  groupNames,
  groupParameters,
  lossNames,
  type ObjectiveConfig,
} from '@cyclegan/train';
import { describe, expect, it } from 'vitest';
import { cut, lsgan, networks, pick, type Run, relative, runSteps } from './step-run.ts';

/** Biases before an InstanceNormalization have no effect; PyTorch gives their zero gradient as rounding noise. */
const idle = (name: string) =>
  name.endsWith('.bias') && !/^G_.\.model\.19\.bias$|^D_.\.model\.(0|11)\.bias$/.test(name);

/** Losses of the first step one by one, and the gradient of every parameter. @returns how many were compared */
function expectFirstStep({ tensors, losses, first }: Run, of: NetworksConfig = networks): number {
  const expected = pick(tensors, 'losses').data as Float32Array;
  lossNames.forEach((loss, i) => {
    const [got = Number.NaN, wanted = 0] = [losses[0]?.[i], expected[i]];
    expect(Math.abs(got - wanted), loss).toBeLessThanOrEqual(1e-4 * Math.abs(wanted));
  });
  let compared = 0;
  for (const group of groupNames) {
    const flat = first[`${group}.gradient`]?.data as Float32Array;
    for (const [parameter, gradient] of cut(groupParameters(of, group), flat)) {
      if (of === networks && idle(parameter)) {
        expect(
          gradient.every((value) => value === 0),
          `${parameter} has no effect`,
        ).toBe(true);
      } else {
        const truth = pick(tensors, `grad.${parameter}`).data as Float32Array;
        expect(relative(gradient, truth), `gradient of ${parameter}`).toBeLessThan(1e-4);
        compared++;
      }
    }
  }
  return compared;
}

/** Losses of all steps, each beside the largest of its name; mean and root mean square of the weights afterwards. */
function expectTrajectory(
  { tensors, losses, last }: Run,
  after: string,
  of: NetworksConfig = networks,
): void {
  const expected = pick(tensors, 'losses').data as Float32Array;
  lossNames.forEach((loss, i) => {
    const column = (at: (step: number) => number) => losses.map((_, step) => at(step));
    const ours = column((step) => losses[step]?.[i] ?? Number.NaN);
    const theirs = column((step) => expected[step * 8 + i] ?? 0);
    expect(relative(ours, theirs), `${loss} over the steps`).toBeLessThan(1e-2);
  });
  for (const group of groupNames) {
    const flat = last[`next.${group}.parameters`]?.data as Float32Array;
    for (const [parameter, weights] of cut(groupParameters(of, group), flat)) {
      if (of === networks && idle(parameter)) continue;
      const [mean = 0, rms = 0] = pick(tensors, `${after}.${parameter}`).data as Float32Array;
      const square = weights.reduce((sum, value) => sum + value * value, 0) / weights.length;
      expect(Math.abs(Math.sqrt(square) - rms) / rms, `${parameter}, root mean square`).toBeLessThan(1e-2);
      const average = weights.reduce((sum, value) => sum + value, 0) / weights.length;
      expect(Math.abs(average - mean) / rms, `${parameter}, mean`).toBeLessThan(1e-2);
    }
  }
}

const allGradients = 2 * (10 + 1) + 2 * (5 + 2);

describe.each(['step-batch1', 'step-batch2-pool'])('%s', (name) => {
  it('gives the losses, outputs and gradients of PyTorch', async () => {
    const run = await runSteps(name, 1);
    expect(expectFirstStep(run)).toBe(allGradients);
    const { tensors, first } = run;
    for (const output of ['fake_A', 'fake_B']) {
      expect(
        relative(first[output]?.data as Float32Array, pick(tensors, `step1.${output}`).data as Float32Array),
        output,
      ).toBeLessThan(1e-4);
    }
    for (const group of groupNames) {
      const flat = first[`next.${group}.parameters`]?.data as Float32Array;
      for (const [parameter, weights] of cut(groupParameters(networks, group), flat)) {
        if (!idle(parameter)) {
          expect(
            relative(weights, pick(tensors, `after1.${parameter}`).data as Float32Array),
            `${parameter} after one step`,
          ).toBeLessThan(1e-3);
        }
      }
    }
  });

  it('stays beside PyTorch for twenty steps', async () => {
    expectTrajectory(await runSteps(name, 20), 'after20');
  });
});

describe('step-vanilla', () => {
  it('gives the losses and gradients of PyTorch by cross-entropy, without identity terms', async () => {
    const objective: ObjectiveConfig = { ...lsgan, gan: 'vanilla', lambdaIdentity: 0 };
    const run = await runSteps('step-vanilla', 1, { objective });
    expect(expectFirstStep(run)).toBe(allGradients);
    const [first = []] = run.losses;
    expect(lossNames.filter((_, i) => first[i] === 0)).toEqual(['idt_A', 'idt_B']);
  });
});

describe('three steps of other options', () => {
  it('wgangp: the slopes’ own gradients are those of PyTorch', async () => {
    const objective: ObjectiveConfig = { ...lsgan, gan: 'wgangp', lambdaGp: 0.01 };
    const run = await runSteps('step-wgangp', 3, { objective });
    expect(expectFirstStep(run)).toBe(allGradients);
    expectTrajectory(run, 'after');
  });

  it('every weight and both betas other than usual', async () => {
    const objective: ObjectiveConfig = {
      ...lsgan,
      lambdaGanA: 0,
      lambdaGanB: 0.5,
      lambdaA: 0,
      lambdaB: 5,
      lambdaIdentity: 0.25,
    };
    const adam: AdamBetas = { beta1: 0.7, beta2: 0.9 };
    const run = await runSteps('step-weights', 3, { objective, adam });
    expect(expectFirstStep(run)).toBe(allGradients);
    expectTrajectory(run, 'after');
    const [first = []] = run.losses;
    expect(lossNames.filter((_, i) => first[i] === 0)).toEqual(['G_A', 'cycle_A', 'idt_B']);
  });

  it('batch normalisation and dropout: gradients, and running statistics in the order of the calls', async () => {
    const small: NetworksConfig = {
      generator: { ...networks.generator, kind: 'resnet', blocks: 2, ngf: 2, norm: 'batch', dropout: true },
      discriminator: { kind: 'patch', ndf: 2, layers: 2, norm: 'batch' },
    };
    const run = await runSteps('step-batchnorm', 3, { networks: small });
    expect(expectFirstStep(run, small)).toBeGreaterThan(allGradients);
    expectTrajectory(run, 'after', small);
    for (const group of groupNames) {
      const flat = run.last[`next.${group}.buffers`]?.data as Float32Array;
      for (const [buffer, values] of cut(groupBuffers(small, group), flat)) {
        const truth = pick(run.tensors, `buffers.${buffer}`).data as Float32Array;
        expect(relative(values, truth), buffer).toBeLessThan(1e-3);
      }
    }
  });
});
