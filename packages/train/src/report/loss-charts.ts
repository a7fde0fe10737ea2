/**
 * Curves of a run as HTML with inline SVG: a panel for each pair of losses, one for the learning rate, one for the
 * speed. Lines are stretched to the panel's size by the browser; text is HTML, so it stays sharp on any screen.
 */

import type { LossName } from '../step/objective.js';
import { escapeHtml, jsonBlock } from './html.js';
import type { MetricsLine } from './metrics-log.js';

interface Series {
  name: string;
  /** `a` or `b` picks the colour of that direction. */
  side: 'a' | 'b';
  value: (line: MetricsLine) => number | null | undefined;
  /** Draw the values as they are, without a smoothed line over them. */
  exact?: boolean;
}

interface Panel {
  title: string;
  meaning: string;
  series: Series[];
}

const loss = (name: LossName, side: 'a' | 'b'): Series => ({
  name,
  side,
  value: (line) => line.losses[name],
});
const both = (name: 'D' | 'G' | 'cycle' | 'idt') => [loss(`${name}_A`, 'a'), loss(`${name}_B`, 'b')];

const panels: Panel[] = [
  {
    title: 'Cycle consistency',
    meaning: 'There and back again: how far the return is from the start. Falls as training goes well.',
    series: both('cycle'),
  },
  {
    title: 'Identity',
    meaning: 'How much a translator changes what already has its look. Falls too.',
    series: both('idt'),
  },
  {
    title: 'Generators',
    meaning: 'How far each translator is from fooling its critic. Settles rather than falls.',
    series: both('G'),
  },
  {
    title: 'Discriminators',
    meaning: 'How often each critic errs. Near zero for long means that it has won too early.',
    series: both('D'),
  },
  {
    title: 'Learning rate',
    meaning: 'The size of a step: flat, then down to zero.',
    series: [{ name: 'lr', side: 'a', value: (line) => line.lr, exact: true }],
  },
  {
    title: 'Images a second',
    meaning: 'Both domains together.',
    series: [{ name: 'images/s', side: 'a', value: (line) => line.imagesPerSecond }],
  },
];

/** More points than this add bytes but nothing to be seen. */
const MAX_POINTS = 400;

/**
 * All curves of a run. Faint: the values as logged; bold: smoothed. Panels whose losses are all missing or zero
 * (identity without its weight) are left out.
 */
export function lossCharts(metrics: readonly MetricsLine[]): string {
  const lines = thin(metrics.length);
  const steps = lines.map((at) => metrics[at]?.step ?? 0);
  const drawn = panels.flatMap((panel) => {
    const series = panel.series.map((one) => ({ ...one, ...curve(metrics, lines, one) }));
    const used = series.some(({ raw }) => raw.some((value) => value !== null && value !== 0));
    return used ? [{ ...panel, series }] : [];
  });
  if (drawn.length === 0 || steps.length < 2) return '<p class="soft">No curves yet.</p>';
  const data = {
    steps,
    values: drawn.flatMap(({ series }) => series.map(({ smooth }) => smooth.map(significant))),
  };
  let number = 0;
  const figures = drawn.map((panel) => {
    const html = figure({ ...panel, first: number, steps });
    number += panel.series.length;
    return html;
  });
  return `<div class="charts" data-charts>${jsonBlock(data)}${figures.join('\n')}</div>`;
}

type Values = (number | null)[];

function figure(panel: {
  title: string;
  meaning: string;
  series: { name: string; side: 'a' | 'b'; raw: Values; smooth: Values; exact?: boolean }[];
  first: number;
  steps: number[];
}): string {
  const { series, steps } = panel;
  const [low, high] = range(series.flatMap(({ raw }) => raw));
  const start = steps[0] ?? 0;
  const end = steps.at(-1) ?? 1;
  const x = (step: number) => (1000 * (step - start)) / (end - start || 1);
  const y = (value: number) => 1000 - (1000 * (value - low)) / (high - low);
  const path = (values: Values, kind: string) => {
    let pen = 'M';
    const d = values.map((value, at) => {
      if (value === null) {
        pen = 'M';
        return '';
      }
      const clipped = Math.min(1100, Math.max(-100, y(value)));
      const point = `${pen}${x(steps[at] ?? 0).toFixed(1)} ${clipped.toFixed(1)}`;
      pen = 'L';
      return point;
    });
    return `<path class="${kind}" d="${d.join('')}"/>`;
  };
  const yTicks = ticks(low, high, 5);
  const xTicks = ticks(start, end, 4).filter((step) => step > start && x(step) < 960);
  const legend = series.map(
    ({ name, side, smooth }, at) =>
      `<span class="key ${side}">${escapeHtml(name)} <b data-value="${panel.first + at}">${significant(last(smooth)) ?? '–'}</b></span>`,
  );
  return `<figure class="chart card">
<figcaption><h3>${escapeHtml(panel.title)}</h3><p class="keys">${legend.join('')}</p></figcaption>
<div class="plot" data-plot><svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-label="${escapeHtml(panel.title)} over the steps of the run">
${yTicks.map((tick) => `<path class="grid" d="M0 ${y(tick).toFixed(1)}H1000"/>`).join('')}
${series.map((one) => `<g class="${one.side}">${one.exact ? '' : path(one.raw, 'raw')}${path(one.smooth, 'smooth')}</g>`).join('\n')}
</svg>${yTicks.map((tick) => `<span class="y" style="top:${(y(tick) / 10).toFixed(1)}%">${label(tick)}</span>`).join('')}${xTicks
    .map((tick) => `<span class="x" style="left:${(x(tick) / 10).toFixed(1)}%">${label(tick)}</span>`)
    .join('')}<i class="cursor" hidden></i></div>
<p class="soft">${escapeHtml(panel.meaning)}</p>
</figure>`;
}

/** Places of at most {@link MAX_POINTS} lines, evenly spread, the last one among them. */
function thin(count: number): number[] {
  const every = Math.max(1, Math.ceil(count / MAX_POINTS));
  return Array.from({ length: count }, (_, at) => at).filter((at) => (count - 1 - at) % every === 0);
}

/** Logged and smoothed values at the chosen lines; the smoothed ones follow every line. */
function curve(metrics: readonly MetricsLine[], lines: number[], series: Series) {
  const values = metrics.map((line) => series.value(line) ?? null);
  const weight = series.exact ? 1 : 2 / (1 + Math.max(1, values.length / 30));
  let sum = 0;
  let weights = 0;
  const smoothed = values.map((value) => {
    if (value === null) return null;
    sum += weight * (value - sum);
    weights += weight * (1 - weights);
    return sum / weights;
  });
  const pick = (from: Values) => lines.map((at) => from[at] ?? null);
  return { raw: pick(values), smooth: pick(smoothed) };
}

/** From zero (or below, where values are) to where 98 % of the values lie: one spike must not flatten the rest. */
function range(values: Values): [low: number, high: number] {
  const sorted = values.filter((value) => value !== null).sort((left, right) => left - right);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const low = Math.min(0, at(0.02));
  const high = at(0.98);
  return [low, high > low ? high + 0.08 * (high - low) : low + 1];
}

/** About `count` round numbers from `low` to `high`. */
function ticks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const found: number[] = [];
  for (let at = first; at * step <= high; at++) found.push(at * step);
  return found;
}

function label(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-3) return Number(value.toPrecision(2)).toExponential();
  return Number(value.toPrecision(3)).toLocaleString('en');
}

function last(values: Values): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

function significant(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(3));
}
