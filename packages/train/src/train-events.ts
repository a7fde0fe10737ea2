/** What a run tells while it goes on, and what it ends with. */
import type { Losses } from './step/objective.js';

/** What happens while it trains, in one sentence or in numbers. */
export type TrainEvent =
  | { type: 'note' | 'warning'; message: string }
  | { type: 'scan'; done: number; total: number }
  | {
      type: 'progress';
      step: number;
      steps: number;
      losses: Losses;
      /** Images of both domains together. */
      imagesPerSecond: number;
      secondsLeft: number;
    }
  | { type: 'checkpoint'; step: number; path: string }
  | { type: 'sample'; path: string };

/** Where a run is when `train` resolves. */
export interface TrainResult {
  run: string;
  step: number;
  steps: number;
  /** False when the signal stopped it. */
  finished: boolean;
  losses: Losses | undefined;
  /** Share of the time that the engine waited for images, 0 to 1. */
  dataWait: number;
}
