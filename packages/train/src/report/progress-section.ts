/** How far a run is and how fast it goes: the head of its page. */
import type { MetricsLine } from './metrics-log.js';
import type { RunData } from './run-data.js';
import { count, duration, short } from './words.js';

/** HTML of the section's content: a bar and the facts in numbers. */
export function progressSection(data: RunData): string {
  const last = data.metrics.at(-1);
  if (!last) return '<p class="lead">Nothing has been logged yet.</p>';
  const steps = stepsOf(data);
  const share = Math.min(1, last.step / Math.max(1, steps));
  const pace = recentPace(data.metrics);
  const left = steps > last.step && pace !== undefined ? duration((steps - last.step) * pace) : undefined;
  const facts: [string, string | undefined][] = [
    ['Step', `${count(last.step)} <small>of ${count(steps)}</small>`],
    ['Epoch', count(last.epoch)],
    ['Trained for', duration(last.elapsed)],
    ['Time left at this pace', left ?? (steps > last.step ? '–' : 'done')],
    ['Seconds a step', pace === undefined ? undefined : short(pace)],
    ['Images a second', last.imagesPerSecond === null ? undefined : short(last.imagesPerSecond ?? 0)],
    ['Waiting for images', typeof last.dataWait === 'number' ? percent(last.dataWait) : undefined],
    ['Learning rate', short(last.lr)],
  ];
  const cells = facts.flatMap(([term, fact]) =>
    fact === undefined ? [] : [`<div><dt>${term}</dt><dd>${fact}</dd></div>`],
  );
  return `<div class="progress" role="progressbar" aria-label="Steps made" aria-valuemin="0" aria-valuemax="100" aria-valuenow="${Math.floor(100 * share)}"><i style="width:${(100 * share).toFixed(2)}%"></i></div>
<dl class="facts">${cells.join('')}</dl>`;
}

/** For the window's title, such as `60 %`; empty before the first report. */
export function progressWords(data: RunData): string {
  const last = data.metrics.at(-1);
  return last ? percent(Math.min(1, last.step / Math.max(1, stepsOf(data)))) : '';
}

function stepsOf({ settings, metrics }: RunData): number {
  const steps = settings['steps'];
  return typeof steps === 'number' ? steps : (metrics.at(-1)?.step ?? 0);
}

/** Seconds a step over the last tenth of the reports; undefined before the second one. */
function recentPace(metrics: readonly MetricsLine[]): number | undefined {
  const last = metrics.at(-1);
  const before = metrics.at(-1 - Math.max(1, Math.floor(metrics.length / 10)));
  if (!last || !before || last.step <= before.step) return undefined;
  return (last.elapsed - before.elapsed) / (last.step - before.step);
}

function percent(share: number): string {
  const value = 100 * share;
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.floor(value)}\u00a0%`;
}
