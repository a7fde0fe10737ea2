/**
 * What is measured of one direction: each translation as it comes, in chunks, and the means and set distances at the
 * end. Keeps numbers and features, no pixels.
 */
import type { Direction } from '@cyclegan/runtime-core';
import type { FeatureModel } from './feature-model.js';
import { type Features, joinFeatures } from './features.js';
import { type ImageShape, imageAt, imageCount } from './image-shape.js';
import { type MeasureName, metricName } from './measures.js';
import { l1, measurePair, type PairMetrics } from './metrics.js';
import { FEWEST_IMAGES, type SetDistancesOptions, setDistances } from './set-distances.js';

/** Of one translated image; what could not be measured is not there. */
export type ImageScores = Partial<PairMetrics> & { change?: number; cycle?: number };

/** Translations of some images, each [n, channels, height, width] on [−1, 1]. */
export interface TranslatedChunk {
  real: Float32Array;
  fake: Float32Array;
  /** Translated back. */
  back?: Float32Array | undefined;
  /** What `fake` should be. */
  answer?: Float32Array | undefined;
}

export interface DirectionScoresOptions {
  direction: Direction;
  /** Of the images that come in, and of their translations. */
  source: ImageShape;
  target: ImageShape;
  features: FeatureModel | undefined;
}

export interface DirectionScores {
  /** One entry for each image, in the order added. */
  readonly images: readonly ImageScores[];
  add(chunk: TranslatedChunk): Promise<void>;
  /**
   * Means over the images, and with features of the target domain the set distances.
   * @throws CycleganError `aborted`
   */
  metrics(
    options: Omit<SetDistancesOptions, 'generated' | 'real'> & { real: Features | undefined },
  ): Promise<Record<string, number>>;
}

export function createDirectionScores(options: DirectionScoresOptions): DirectionScores {
  const { direction, source, target, features } = options;
  const images: ImageScores[] = [];
  const described: Features[] = [];
  return {
    images,
    async add(chunk) {
      images.push(...scoreChunk(chunk, { source, target }));
      if (features) described.push(await features.describe(chunk.fake, target));
    },
    async metrics({ real, ...rest }) {
      const measured = meanScores(images);
      const generated = joinFeatures(described);
      const enough = real && Math.min(real.count, generated.count) >= FEWEST_IMAGES;
      const distances = enough ? await setDistances({ ...rest, generated, real }) : {};
      return named({ ...measured, ...distances }, direction);
    },
  };
}

/** The measures of every image of a chunk. */
export function scoreChunk(
  { real, fake, back, answer }: TranslatedChunk,
  { source, target }: { source: ImageShape; target: ImageShape },
): ImageScores[] {
  return Array.from({ length: imageCount(real, source) }, (_, at) => {
    const image = imageAt(fake, target, at);
    const original = imageAt(real, source, at);
    return {
      ...(answer ? measurePair({ image, reference: imageAt(answer, target, at), ...target }) : {}),
      ...(back ? { cycle: l1({ image: imageAt(back, source, at), reference: original, ...source }) } : {}),
      // Grey and colour have no difference.
      ...(source.channels === target.channels
        ? { change: l1({ image, reference: original, ...target }) }
        : {}),
    };
  });
}

/** Mean of each measure over the images. Equal images, of infinite PSNR, are left out of its mean. */
export function meanScores(images: readonly ImageScores[]): Partial<Record<MeasureName, number>> {
  const names = Object.keys(images[0] ?? {}) as (keyof ImageScores)[];
  return Object.fromEntries(
    names.map((name) => {
      const values = images.map((scores) => scores[name] ?? Number.NaN);
      const finite = values.filter((value) => value !== Number.POSITIVE_INFINITY);
      const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
      return [name, finite.length === 0 ? Number.POSITIVE_INFINITY : mean];
    }),
  );
}

/** Measures under their metrics' names. */
export function named(
  measured: Partial<Record<MeasureName, number>>,
  direction: Direction,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(measured).map(([measure, value]) => [
      metricName(measure as MeasureName, direction),
      value,
    ]),
  );
}
