/**
 * `--steps-per-run auto`: the rule that weighs moving the state against the steps' own time, and the measuring before
 * it, which on a machine without CUDA no engine does: so both are taken from the package's inside.
 */
import { amortisedSteps, initialState } from '@cyclegan/train';
import { expect, it } from 'vitest';
import { createLoopRunner } from '../dist/engines/ort-node/loop-runner.js';
import { findStepsPerRun } from '../dist/engines/ort-node/steps-per-run.js';
import { inputsOf, tinyEngine } from './engine-support.mjs';

it('makes as many steps as bring the state to a twentieth of the time', () => {
  expect(amortisedSteps({ stepMs: 100, trafficMs: 100, bytesPerStep: 2 ** 20 })).toBe(20);
  expect(amortisedSteps({ stepMs: 100, trafficMs: 41, bytesPerStep: 2 ** 20 })).toBe(9);
  expect(amortisedSteps({ stepMs: 100, trafficMs: 0, bytesPerStep: 2 ** 20 })).toBe(1);
});

it('keeps a run under five seconds', () => {
  expect(amortisedSteps({ stepMs: 600, trafficMs: 600, bytesPerStep: 1 })).toBe(8);
  expect(amortisedSteps({ stepMs: 9000, trafficMs: 9000, bytesPerStep: 1 })).toBe(1);
});

it('keeps the inputs of a run under 256 MB', () => {
  expect(amortisedSteps({ stepMs: 10, trafficMs: 100, bytesPerStep: 2 ** 26 })).toBe(4);
  expect(amortisedSteps({ stepMs: 10, trafficMs: 100, bytesPerStep: 2 ** 30 })).toBe(1);
});

it('measures, says what it found, and leaves the run at its beginning', async () => {
  const notes: string[] = [];
  const options = tinyEngine({ onNote: (note) => notes.push(note) });
  const { generator } = options.networks;
  const noisy = { ...options, networks: { ...options.networks, generator: { ...generator, dropout: true } } };
  const runner = await createLoopRunner(noisy);
  // Two images of 3·16·16 floats, and for each of the six passes a mask of 16·4·4 bytes in the one block.
  expect(runner.bytesPerStep).toBe(2 * 4 * 768 + 6 * 256);
  const steps = await findStepsPerRun(noisy, runner);
  expect(steps).toBeGreaterThanOrEqual(1);
  expect(notes.at(-1)).toMatch(
    new RegExp(`^cpu: \\d+ ms a step and \\d+ ms a run .*, so ${steps} steps a run\\.$`),
  );
  const begun = initialState(noisy);
  expect(await runner.getState()).toEqual(begun);
  expect((await runner.run(inputsOf(noisy, 0, 2))).length).toBe(2);
  expect((await runner.getState()).updates).toBe(2);
  await runner.dispose();
});
