/**
 * Training on WebGPU against the CPU, on Chromium's software adapter where there is no GPU. In a process of its own:
 * the Vulkan loader reads its environment when a process starts, and a provider that crashes takes its process along.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Losses } from '@cyclegan/train';
import { beforeAll, describe, expect, it } from 'vitest';

/** Where Debian's chromium keeps its Vulkan loader and its software driver. */
const chromium = '/usr/lib/chromium';
const driver = `${chromium}/vk_swiftshader_icd.json`;
const env = { ...process.env, LD_LIBRARY_PATH: chromium, VK_ICD_FILENAMES: driver };

interface Answer {
  device: string;
  expected: Losses[];
  losses: Losses[];
  resumed: Losses[];
  onCpu: Losses[];
  freed: { bySteps: number; bySetState: number; byDispose: number };
  updates: number[];
  state: number[][];
  expectedState: number[][];
  stored: number[];
  sample: number[];
  expectedSample: number[];
}

function worst(x: readonly number[], y: readonly number[]): number {
  expect(x.length).toBe(y.length);
  return x.reduce((most, value, i) => Math.max(most, Math.abs(value - (y[i] ?? Number.NaN))), 0);
}

describe.skipIf(!existsSync(driver) || process.arch !== 'x64')(
  `WebGPU on a software adapter (needs ${driver})`,
  () => {
    let answer: Answer;
    beforeAll(async () => {
      const child = join(import.meta.dirname, 'webgpu-child.mjs');
      const { stdout } = await promisify(execFile)(process.execPath, [child], { env, maxBuffer: 2 ** 26 });
      answer = JSON.parse(stdout);
    }, 120_000);

    it('trains as the CPU does', () => {
      const { device, expected, losses } = answer;
      expect(device).toBe('webgpu');
      expect(losses.length).toBe(5);
      losses.forEach((step, i) => {
        // Rounding makes some difference's sign another, and Adam makes as large a step of it as of any other.
        const tolerance = i < 3 ? 1e-4 : 1e-2;
        expect(worst(Object.values(step), Object.values(expected[i] ?? {}))).toBeLessThan(tolerance);
      });
      const [first, last] = [losses[0], losses[4]];
      expect(first && last && Math.abs(first.D_A - last.D_A)).toBeGreaterThan(1e-3);
    });

    it('gives its state back, the optimisers and pools too', () => {
      const { updates, state, expectedState, stored } = answer;
      expect(updates).toEqual([2, 5]);
      expect(stored).toEqual([2, 2]);
      expect(state.length).toBe(6);
      state.forEach((vector, i) => {
        const wanted = expectedState[i] ?? [];
        const size = Math.max(...wanted.map(Math.abs));
        expect(size).toBeGreaterThan(0);
        expect(worst(vector, wanted)).toBeLessThan(1e-3 * size);
      });
    });

    it('goes on from a state as if it had never stopped, and hands one over to the CPU', () => {
      const { losses, resumed, onCpu } = answer;
      expect(resumed).toEqual([losses[2]]);
      expect(worst(Object.values(onCpu[0] ?? {}), Object.values(losses[2] ?? {}))).toBeLessThan(1e-4);
    });

    it('frees on the GPU what a step, a state or the end replaces', () => {
      // Six vectors: parameters and two moments of two groups. The first step replaces those of the host.
      expect(answer.freed).toEqual({ bySteps: 6, bySetState: 3 * 6 + 6, byDispose: 6 });
    });

    it('translates samples as the CPU does', () => {
      expect(worst(answer.sample, answer.expectedSample)).toBeLessThan(0.1);
    });
  },
);
