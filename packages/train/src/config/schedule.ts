/** The learning rate over a run: the reference's four policies, each a factor on the rate that was given. */
import { z } from 'zod';
import type { RunConfig } from './schema.js';

/** Where `plateau` has got to; all other policies are functions of the step. */
export const plateauSchema = z.object({
  best: z.number().nullable(),
  /** Looks at the metric since the best. */
  since: z.number().int().nonnegative(),
  factor: z.number().positive(),
});
export type Plateau = z.infer<typeof plateauSchema>;

/** As PyTorch's ReduceLROnPlateau in the reference: a fifth of the rate after more than five looks without 1 % gain. */
const plateau = { factor: 0.2, threshold: 0.01, patience: 5 } as const;

export const freshPlateau: Plateau = { best: null, since: 0, factor: 1 };

/** @param metric lower is better */
export function lookAt(state: Plateau, metric: number): Plateau {
  // Of a metric below zero one hundredth less is further from zero.
  const bar = state.best === null ? Infinity : state.best - plateau.threshold * Math.abs(state.best);
  if (metric < bar) return { ...state, best: metric, since: 0 };
  if (state.since < plateau.patience) return { ...state, since: state.since + 1 };
  return { best: state.best, since: 0, factor: state.factor * plateau.factor };
}

/**
 * The learning rate's factor at a step, counted from 1.
 *
 * A run of epochs changes its rate between them, as the reference does; a run of steps by the same formulas with
 * steps for epochs. linear: 1 − max(0, E − epochs)/(decayEpochs + 1), never below zero, which it would go when images
 * were taken out of the folders. step: a tenth after every `lrDecayEvery`. cosine: half a cosine to zero over the
 * whole run. plateau: what {@link lookAt} has made of it.
 */
export function rateFactor(config: RunConfig, step: number, epoch: number, plateauFactor = 1): number {
  const inEpochs = config.epochs !== null && config.decayEpochs !== null;
  const at = inEpochs ? epoch : step;
  const decay = inEpochs ? (config.decayEpochs ?? 0) : config.decaySteps;
  const whole = inEpochs ? (config.epochs ?? 0) + decay : config.steps;
  switch (config.lrPolicy) {
    case 'linear':
      return Math.max(0, 1 - Math.max(0, at - (whole - decay)) / (decay + 1));
    case 'step':
      return 0.1 ** Math.floor((at - 1) / (config.lrDecayEvery ?? whole));
    case 'cosine':
      return 0.5 * (1 + Math.cos((Math.PI * Math.min(at - 1, whole)) / whole));
    case 'plateau':
      return plateauFactor;
  }
}
