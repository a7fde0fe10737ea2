/** What training says while it runs, in words: notes, warnings, evaluations, and the bar with speed and losses. */
import type { TrainEvent } from '@cyclegan/train';
import type { Output } from './output.js';
import { duration, type Progress } from './progress.js';

/** Ends the bar at the last step, so that what follows stands below it. */
export function showTrainEvent(event: TrainEvent, output: Output, progress: Progress): void {
  if (event.type === 'note') output.note(event.message);
  else if (event.type === 'warning') output.warn(event.message);
  else if (event.type === 'scan') progress.update(event.done, event.total, 'images looked at');
  else if (event.type === 'evaluation') output.note(evaluationLine(event));
  else if (event.type === 'progress') {
    progress.update(event.step, event.steps, progressLine(event));
    if (event.step === event.steps) progress.end();
  }
}

type Of<Type extends TrainEvent['type']> = Extract<TrainEvent, { type: Type }>;

/** What matters most first: a narrow terminal cuts the end off. */
function progressLine({
  secondsLeft,
  imagesPerSecond,
  dataWait,
  learningRate,
  losses,
}: Of<'progress'>): string {
  const pair = (name: string, a: number, b: number) => `${name} ${a.toFixed(3)}/${b.toFixed(3)}`;
  const facts = [
    `${duration(secondsLeft)} left`,
    `${imagesPerSecond.toFixed(1)} images/s`,
    `${percent(dataWait)} waiting`,
    `lr ${significant(learningRate, 2)}`,
    pair('cycle', losses.cycle_A, losses.cycle_B),
    ...(losses.idt_A === 0 && losses.idt_B === 0 ? [] : [pair('idt', losses.idt_A, losses.idt_B)]),
    pair('G', losses.G_A, losses.G_B),
    pair('D', losses.D_A, losses.D_B),
  ];
  return facts.join(', ');
}

function evaluationLine({ step, metrics, metric, value, best }: Of<'evaluation'>): string {
  const chosen = `${metric} ${significant(value, 4)}${best ? ' (the best so far)' : ''}`;
  const others = Object.entries(metrics)
    .filter(([name]) => name !== metric)
    .map(([name, other]) => `${name} ${significant(other, 4)}`);
  return `held-out images at step ${step}: ${[chosen, ...others].join(', ')}`;
}

/** Below a tenth with one decimal: 5 % and 0.5 % are told apart. */
function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}

function significant(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}
