/**
 * What decides which checkpoint is the best: images that are kept out of the training, and one figure on them. Reads
 * them once; the measuring itself is evaluation/'s.
 */
import { CycleganError } from '@cyclegan/runtime-core';
import { type RunConfig, trainingSize } from './config/index.js';
import type { Engine } from './engine.js';
import {
  type Better,
  betterIs,
  createEvaluator,
  type MeasureName,
  metricName,
  openPictureSets,
  type PictureSet,
} from './evaluation/index.js';

/** Most held-out images of a domain; the others would cost time and tell little more. */
const MOST = 200;

/** Evaluation on held-out images, and which of its figures decides. */
export interface Judge {
  /** A figure of the evaluation, or a measure, which is the mean of both directions. */
  metric: string;
  better: Better;
  /** @returns every figure by its name, and the deciding one's value */
  evaluate(): Promise<{ metrics: Record<string, number>; value: number }>;
  dispose(): Promise<void>;
}

const ofPairs: readonly string[] = ['l1', 'psnr', 'ssim', 'structure'];
const ofFeatures: readonly string[] = ['fid', 'kid', 'mifid'];

/**
 * The figure that decides, and what it is made of.
 * @throws CycleganError `usage` for a name that is none, or that the run cannot measure
 */
export function decidingMetric({ held, features, bestMetric }: RunConfig): {
  metric: string;
  better: Better;
  parts: readonly string[];
} {
  const metric = bestMetric ?? (held?.paired ? 'l1' : features === null ? 'cycle' : 'kid');
  const parts = metric.includes('_')
    ? [metric]
    : (['AtoB', 'BtoA'] as const).map((direction) => metricName(metric as MeasureName, direction));
  const better = betterIs(parts[0] ?? metric);
  const [measure = ''] = metric.split('_');
  const needs =
    ofPairs.includes(measure) && !held?.paired
      ? 'pairs (--val-paired)'
      : ofFeatures.includes(measure) && features === null
        ? 'a feature network (--features)'
        : undefined;
  if (needs) {
    throw new CycleganError(
      'usage',
      `[train] best: expected ${needs} beside ${metric}, got none. Choose another figure.`,
    );
  }
  return { metric, better, parts };
}

/**
 * Opens the held-out images of a run.
 * @returns undefined where none are held out
 * @throws CycleganError `input` for folders that cannot be read or do not pair, `usage` as {@link decidingMetric}
 */
export async function createJudge(options: {
  config: RunConfig;
  engine: Engine;
  /** Images that the engine is given at once. */
  chunk: number;
  onWarning: (message: string) => void;
}): Promise<Judge | undefined> {
  const { config, engine, chunk, onWarning } = options;
  if (!config.held) return undefined;
  const { metric, better, parts } = decidingMetric(config);
  const { a, b, paired } = config.held;
  const { inputChannels, outputChannels } = config.networks.generator;
  const shapes = {
    A: { ...trainingSize(config), channels: inputChannels },
    B: { ...trainingSize(config), channels: outputChannels },
  };
  const sets = await openPictureSets({ a, b, paired, shapes, count: MOST, onWarning });
  const load = ({ count, read }: PictureSet) => read(Array.from({ length: count }, (_, index) => index));
  const evaluator = await createEvaluator({
    a: await load(sets.A),
    b: await load(sets.B),
    paired,
    shapes,
    sample: engine.sample,
    features: config.features === null ? undefined : { model: config.features, threads: config.threads },
    seed: config.seed,
    chunk,
    onWarning,
  });
  return {
    metric,
    better,
    async evaluate() {
      const metrics = await evaluator.evaluate();
      const values = parts.map((name) => metrics[name] ?? Number.NaN);
      return { metrics, value: values.reduce((sum, value) => sum + value, 0) / values.length };
    },
    dispose: evaluator.dispose,
  };
}
