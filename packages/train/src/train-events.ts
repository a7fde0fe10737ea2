/** What a run tells while it goes on, and what it ends with. */
import type { Losses } from './step/objective.js';

/** What happens while it trains, in one sentence or in numbers. */
export type TrainEvent =
  | { type: 'note' | 'warning'; message: string }
  | { type: 'scan'; done: number; total: number }
  /** The run folder is there and locked; training begins. */
  | { type: 'started'; run: string; step: number; steps: number }
  | {
      type: 'progress';
      step: number;
      steps: number;
      losses: Losses;
      learningRate: number;
      /** Images of both domains together. */
      imagesPerSecond: number;
      /** Share of the time so far that the engine waited for images, 0 to 1. */
      dataWait: number;
      secondsLeft: number;
    }
  | { type: 'checkpoint'; step: number; path: string; best: boolean }
  | { type: 'sample'; path: string }
  /** Figures on the held-out images; `best` when the deciding one, `metric`, has never been better. */
  | {
      type: 'evaluation';
      step: number;
      metrics: Record<string, number>;
      metric: string;
      value: number;
      best: boolean;
    };

/** Where a run is when `train` resolves. */
export interface TrainResult {
  run: string;
  step: number;
  steps: number;
  /** False when the signal stopped it. */
  finished: boolean;
  /** True when it ended because the held-out images had not come out better for so long. */
  stoppedEarly: boolean;
  losses: Losses | undefined;
  /** Of the held-out images; undefined where there were none. */
  best: { metric: string; value: number; step: number } | undefined;
  /** Share of the time that the engine waited for images, 0 to 1. */
  dataWait: number;
}
