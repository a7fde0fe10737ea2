/**
 * Evaluation during training: the same few held-out images, again and again, in memory. Translates by the engine's own
 * sampling; knows neither files nor steps.
 */

import { throwIfAborted } from '@cyclegan/runtime-core';
import type { SampleResult } from '../engine.js';
import { createDirectionScores, type TranslatedChunk } from './direction-scores.js';
import { type FeatureModelOptions, openFeatureModel } from './feature-model.js';
import { type ImageShape, imageAt, imageCount, imageElements } from './image-shape.js';
import { tooFew } from './set-distances.js';

/** Images of each domain that are translated at once. */
const CHUNK = 8;

export interface EvaluatorOptions {
  /** Held-out images, each [n, channels, height, width] on [−1, 1], at least one; kept, and not to be changed. */
  a: Float32Array;
  b: Float32Array;
  /** Whether image i of B is what image i of A should become. */
  paired: boolean;
  shapes: { A: ImageShape; B: ImageShape };
  /** The engine's: as many images of A as of B. */
  sample(images: { a: Float32Array; b: Float32Array }): Promise<SampleResult>;
  /** Without it FID, KID and MiFID are left out. */
  features?: FeatureModelOptions | undefined;
  /** For KID's subsets; default 0. */
  seed?: number | undefined;
  /** Images of each domain that are translated at once, default 8: bounds the memory. */
  chunk?: number | undefined;
  /** Told in one sentence when the numbers will mean less than they seem to. */
  onWarning?: ((message: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface Evaluator {
  /**
   * Measures the networks as they are now.
   * @returns by names that do not change from run to run: `cycle_A`, `change_AtoB`, with pairs `l1_AtoB`, `psnr_AtoB`,
   * `ssim_AtoB`, `structure_AtoB`, with features `fid_AtoB`, `kid_AtoB`, `mifid_AtoB`, …, and for BtoA
   * @throws CycleganError `input` for images that are too small to be measured, `aborted`
   */
  evaluate(): Promise<Record<string, number>>;
  /** Frees the feature model. Idempotent. */
  dispose(): Promise<void>;
}

/**
 * Opens the feature model, where there is one, and describes the real images once.
 * @throws CycleganError `bundle` and `usage` as {@link openFeatureModel}
 */
export async function createEvaluator(options: EvaluatorOptions): Promise<Evaluator> {
  const { a, b, shapes, chunk = CHUNK, seed, signal } = options;
  const counts = { A: imageCount(a, shapes.A), B: imageCount(b, shapes.B) };
  const features = options.features && (await openFeatureModel(options.features));
  const real = features && {
    A: await features.describe(a, shapes.A),
    B: await features.describe(b, shapes.B),
  };
  const warning = features && tooFew(counts.A, counts.B, features.dimensions);
  if (warning !== undefined) options.onWarning?.(warning);

  return {
    async evaluate() {
      const scores = {
        A: createDirectionScores({ direction: 'AtoB', source: shapes.A, target: shapes.B, features }),
        B: createDirectionScores({ direction: 'BtoA', source: shapes.B, target: shapes.A, features }),
      };
      for (let from = 0; from < Math.max(counts.A, counts.B); from += chunk) {
        throwIfAborted(signal, '[train] evaluation');
        const real = { A: imageAt(a, shapes.A, from, chunk), B: imageAt(b, shapes.B, from, chunk) };
        const { A, B } = await translateChunk(options, real);
        if (real.A.length > 0) await scores.A.add(A);
        if (real.B.length > 0) await scores.B.add(B);
      }
      return {
        ...(await scores.A.metrics({ real: real?.B, seed, signal })),
        ...(await scores.B.metrics({ real: real?.A, seed, signal })),
      };
    },
    dispose: async () => features?.dispose(),
  };
}

/** The engine takes as many images of one domain as of the other: black ones make up the number, and go again. */
async function translateChunk(
  { sample, shapes, paired }: EvaluatorOptions,
  real: { A: Float32Array; B: Float32Array },
): Promise<{ A: TranslatedChunk; B: TranslatedChunk }> {
  const counts = { A: imageCount(real.A, shapes.A), B: imageCount(real.B, shapes.B) };
  const count = Math.max(counts.A, counts.B);
  const filled = (images: Float32Array, shape: ImageShape) => {
    const all = new Float32Array(count * imageElements(shape)).fill(-1);
    all.set(images);
    return all;
  };
  const { fakeB, recA, fakeA, recB } = await sample({
    a: filled(real.A, shapes.A),
    b: filled(real.B, shapes.B),
  });
  return {
    A: {
      real: real.A,
      fake: imageAt(fakeB, shapes.B, 0, counts.A),
      back: imageAt(recA, shapes.A, 0, counts.A),
      answer: paired ? real.B : undefined,
    },
    B: {
      real: real.B,
      fake: imageAt(fakeA, shapes.A, 0, counts.B),
      back: imageAt(recB, shapes.B, 0, counts.B),
      answer: paired ? real.A : undefined,
    },
  };
}
