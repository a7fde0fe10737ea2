/** How near a model's answers are to the float32 model's. Opens a session for each model; keeps the answers of one. */

import { setImmediate } from 'node:timers/promises';
import type { Tensor } from '@cyclegan/model';
import { CycleganError, throwIfAborted } from '@cyclegan/runtime-core';
import { withSession } from '../ort/session.js';
import { MAX_PSNR } from '../verify/difference.js';

/** From black to white on [-1, 1]. */
const RANGE = 2;

export interface Quality {
  /** Mean over the images of 10·log₁₀(4 / mean squared error), in dB on [-1, 1]; at most 150. */
  psnr: number;
  /** That of the image that came out worst. */
  worst: number;
  /** The largest absolute difference. */
  maxError: number;
  images: number;
}

/** @param pairs float32's answer, and the other model's of the same shape */
export function qualityOf(pairs: Iterable<readonly [Tensor, Tensor]>): Quality {
  const each: number[] = [];
  let maxError = 0;
  for (const [{ data: expected }, { data: got }] of pairs) {
    let sum = 0;
    for (let i = 0; i < expected.length; i++) {
      const error = Math.abs((expected[i] ?? 0) - (got[i] ?? Number.NaN));
      maxError = Math.max(maxError, error);
      sum += error * error;
    }
    const psnr = 10 * Math.log10(RANGE ** 2 / (sum / expected.length));
    each.push(Math.min(MAX_PSNR, psnr));
  }
  const psnr = each.reduce((sum, value) => sum + value, 0) / each.length;
  return { psnr, worst: Math.min(...each), maxError, images: each.length };
}

/** What a model has that is float32's own. */
export function sameQuality(images: number): Quality {
  return { psnr: MAX_PSNR, worst: MAX_PSNR, maxError: 0, images };
}

export interface JudgeOptions {
  /** The model's only input. */
  input: string;
  images: readonly Tensor[];
  signal?: AbortSignal | undefined;
}

/**
 * Keeps a model's answers to hold others' against.
 * @param fp32 ONNX bytes
 * @returns measures another model, given as ONNX bytes
 * @throws CycleganError `bundle` for a model that gives no numbers; this and what is returned: `aborted`, and what
 *   onnxruntime throws for a model that it cannot run
 */
export async function openJudge(
  fp32: Uint8Array,
  { input, images, signal }: JudgeOptions,
): Promise<(model: Uint8Array) => Promise<Quality>> {
  const answers = (model: Uint8Array) =>
    withSession(model, 'all', async (run) => {
      const all: Tensor[] = [];
      for (const image of images) {
        await pause(signal, '[quantize] model');
        all.push(await run(new Map([[input, image]])));
      }
      return all;
    });
  const expected = await answers(fp32);
  if (!expected.every(({ data }) => data.every(Number.isFinite))) {
    throw new CycleganError(
      'bundle',
      '[quantize] model: expected numbers on the evaluation images, got NaN or infinity. The training diverged; take an earlier checkpoint.',
    );
  }
  return async (model) => {
    const got = await answers(model);
    return qualityOf(expected.map((tensor, i) => [tensor, got[i] ?? tensor] as const));
  };
}

/** onnxruntime holds up the thread; the request to stop comes in between. @throws CycleganError `aborted` */
export async function pause(signal: AbortSignal | undefined, what: string): Promise<void> {
  await setImmediate();
  throwIfAborted(signal, what);
}
