/**
 * Evaluation of a finished model: two sets of images through its translators, measured, with what doing nothing would
 * score beside. Reads by the sets and translates by what it is given; draws no pictures.
 */
import { setImmediate } from 'node:timers/promises';
import { CycleganError, type Direction, throwIfAborted } from '@cyclegan/runtime-core';
import {
  createDirectionScores,
  type DirectionScores,
  type ImageScores,
  meanScores,
  named,
  scoreChunk,
} from './direction-scores.js';
import type { FeatureModel } from './feature-model.js';
import { type Features, joinFeatures } from './features.js';
import type { PictureSet } from './picture-set.js';
import { FEWEST_IMAGES, setDistances, tooFew } from './set-distances.js';

/** Images at once. */
const CHUNK = 8;
/** Features of all images are kept, as float32. */
const MAX_FEATURE_BYTES = 2 ** 31;

/**
 * [count, channels, height, width] of the one domain on [−1, 1] → the same images of the other; the caller's.
 */
export type Translate = (images: Float32Array, count: number) => Promise<Float32Array>;

export interface EvaluateOptions {
  sets: { A: PictureSet; B: PictureSet };
  /** Whether image i of B is what image i of A should become. */
  paired: boolean;
  /** What the model has. A cycle needs both. */
  translate: Partial<Record<Direction, Translate>>;
  /** Default: all that `translate` has. */
  directions?: readonly Direction[] | undefined;
  /** Without it FID, KID and MiFID are left out. Stays the caller's. */
  features?: FeatureModel | undefined;
  /** For KID's subsets; default 0. */
  seed?: number | undefined;
  /** MiFID's ε; default Kaggle's 0.1. */
  threshold?: number | undefined;
  signal?: AbortSignal | undefined;
  /** How far it is, in images and set distances, and what it is at. */
  onProgress?: ((progress: { done: number; total: number; what: string }) => void) | undefined;
  onWarning?: ((message: string) => void) | undefined;
}

export interface Evaluation {
  /** By metric's name, as in training: `ssim_AtoB`, `cycle_A`, `fid_BtoA`. */
  metrics: Record<string, number>;
  /** What of these the untranslated images score: less than that is worse than nothing done. */
  untranslated: Record<string, number>;
  /** One entry for each image of the source domain, in its order. */
  images: Partial<Record<Direction, readonly ImageScores[]>>;
}

/**
 * Memory: one chunk of images, and the features of all.
 * @throws CycleganError `input` for images that cannot be read or are too small to be measured, `usage` for more images
 * than there is room for their features, `aborted`; what `translate` throws
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { sets, translate, features, seed, threshold, signal } = options;
  const { A, B } = sets;
  const directions = options.directions ?? (Object.keys(translate) as Direction[]);
  if (features) assertRoom(sets, features);
  const translations = directions.reduce((sum, way) => sum + (way === 'AtoB' ? A.count : B.count), 0);
  const comparable = features !== undefined && Math.min(A.count, B.count) >= FEWEST_IMAGES;
  const total = translations + (features ? A.count + B.count : 0) + (comparable ? directions.length + 1 : 0);
  let done = 0;
  const step: Step = async (what, count, work) => {
    options.onProgress?.({ done, total, what });
    // onnxruntime holds up the thread; the request to stop comes in between.
    await setImmediate();
    throwIfAborted(signal, '[train] evaluation');
    const result = await work();
    done += count;
    return result;
  };

  const real = features && {
    A: await describe(A, features, (count, work) => step('features of A', count, work)),
    B: await describe(B, features, (count, work) => step('features of B', count, work)),
  };
  const warning = features && tooFew(A.count, B.count, features.dimensions);
  if (warning !== undefined) options.onWarning?.(warning);
  const between =
    real && comparable
      ? await step('distance of A and B', 1, () =>
          setDistances({ generated: real.A, real: real.B, seed, signal }),
        )
      : undefined;

  const result: Evaluation = { metrics: {}, untranslated: {}, images: {} };
  for (const direction of directions) {
    const { scores, untranslated } = await translateAll(options, direction, step);
    const target = comparable ? real?.[direction === 'AtoB' ? 'B' : 'A'] : undefined;
    const measure = () => scores.metrics({ real: target, seed, threshold, signal });
    Object.assign(result.metrics, await (target ? step(`distance ${direction}`, 1, measure) : measure()));
    const sameSets = between ? { fid: between.fid, kid: between.kid } : {};
    Object.assign(result.untranslated, named({ ...untranslated, ...sameSets }, direction));
    result.images[direction] = scores.images;
  }
  return result;
}

/** Does one piece of the work: says what, lets the request to stop in, and counts the piece when it is done. */
type Step = <T>(what: string, count: number, work: () => Promise<T>) => Promise<T>;

async function translateAll(
  { sets, paired, translate, features }: EvaluateOptions,
  direction: Direction,
  step: Step,
): Promise<{ scores: DirectionScores; untranslated: ImageScores }> {
  const [from, to] = direction === 'AtoB' ? [sets.A, sets.B] : [sets.B, sets.A];
  const [there, back] = [translate[direction], translate[direction === 'AtoB' ? 'BtoA' : 'AtoB']];
  if (!there) throw new Error(`internal: no translator ${direction}`);
  const shapes = { source: from.shape, target: to.shape };
  const scores = createDirectionScores({ direction, ...shapes, features });
  const untranslated: ImageScores[] = [];
  for (const indices of chunks(from.count)) {
    await step(`${direction} ${from.name(indices[0] ?? 0)}`, indices.length, async () => {
      const real = await from.read(indices);
      const fake = await there(real, indices.length);
      const answer = paired ? await to.read(indices) : undefined;
      await scores.add({ real, fake, back: await back?.(fake, indices.length), answer });
      if (answer && from.shape.channels === to.shape.channels) {
        untranslated.push(...scoreChunk({ real, fake: real, answer }, shapes));
      }
    });
  }
  const { change: _, ...mean } = meanScores(untranslated);
  return { scores, untranslated: mean };
}

async function describe(
  set: PictureSet,
  features: FeatureModel,
  step: (count: number, work: () => Promise<Features>) => Promise<Features>,
): Promise<Features> {
  const parts: Features[] = [];
  for (const indices of chunks(set.count)) {
    parts.push(await step(indices.length, async () => features.describe(await set.read(indices), set.shape)));
  }
  return joinFeatures(parts);
}

/** The numbers below `count`, a few at a time. */
function chunks(count: number): number[][] {
  return Array.from({ length: Math.ceil(count / CHUNK) }, (_, chunk) =>
    Array.from({ length: Math.min(CHUNK, count - chunk * CHUNK) }, (_, at) => chunk * CHUNK + at),
  );
}

function assertRoom({ A, B }: EvaluateOptions['sets'], { dimensions }: FeatureModel): void {
  const most = Math.floor(MAX_FEATURE_BYTES / (4 * dimensions));
  const count = 2 * (A.count + B.count);
  if (count > most) {
    throw new CycleganError(
      'usage',
      `[train] evaluation: expected at most ${Math.floor(most / 4)} images of each set for their features to fit in memory, got ${A.count} and ${B.count}. Take fewer.`,
    );
  }
}
