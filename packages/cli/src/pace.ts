/** How fast work goes and how long it will still take, by what was done in the last half minute. */
import { duration } from './progress.js';

const WINDOW_MS = 30_000;
const STEP_MS = 500;

export interface Pace {
  /** As `12.3 images/s, 4m 10s left`; empty until there is something to go by. */
  at(done: number, total: number): string;
}

/** @param unit what is counted, in the plural */
export function createPace(unit: string): Pace {
  const marks = [{ time: performance.now(), done: 0 }];
  return {
    at(done, total) {
      const time = performance.now();
      const last = marks.at(-1);
      if (last && time - last.time >= STEP_MS) marks.push({ time, done });
      while (marks.length > 2 && time - (marks[0]?.time ?? time) > WINDOW_MS) marks.shift();
      const [first] = marks;
      if (!first || done <= first.done) return '';
      const perSecond = (1000 * (done - first.done)) / (time - first.time);
      const left = total > done ? `, ${duration((total - done) / perSecond)} left` : '';
      return `${perSecond < 10 ? perSecond.toFixed(1) : perSecond.toFixed(0)} ${unit}/s${left}`;
    },
  };
}
