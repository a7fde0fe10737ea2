/** What training says while it runs, in words: notes, warnings, and the bar with losses, speed and time left. */
import type { TrainEvent } from '@cyclegan/train';
import type { Output } from './output.js';
import { duration, type Progress } from './progress.js';

/** Ends the bar at the last step, so that what follows stands below it. */
export function showTrainEvent(event: TrainEvent, output: Output, progress: Progress): void {
  if (event.type === 'note') output.note(event.message);
  else if (event.type === 'warning') output.warn(event.message);
  else if (event.type === 'scan') progress.update(event.done, event.total, 'images looked at');
  else if (event.type === 'progress') {
    const { step, steps, secondsLeft, imagesPerSecond } = event;
    const losses = Object.entries(event.losses).map(([name, value]) => `${name} ${value.toFixed(3)}`);
    const speed = `${imagesPerSecond.toFixed(1)} images/s`;
    progress.update(step, steps, `${duration(secondsLeft)} left, ${speed} ${losses.join(' ')}`);
    if (step === steps) progress.end();
  }
}
