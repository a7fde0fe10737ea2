/**
 * Curves over the steps of a run, as HTML with inline SVG. Lines are stretched to the panel's size by the browser;
 * text is HTML, so it stays sharp on any screen. Knows no losses.
 */
import { escapeHtml, jsonBlock } from './html.js';
import { short } from './words.js';

export type Values = (number | null)[];

/** One line of a panel. */
export interface Series {
  name: string;
  /** `a` or `b` picks the colour of that direction. */
  side: 'a' | 'b';
  /** One for each step; null where there is none. */
  values: Values;
}

export interface Panel {
  title: string;
  meaning: string;
  series: Series[];
  /** `smooth`: values faint, a smoothed line over them. `exact`: the values as they are. */
  line: 'smooth' | 'exact';
  /** Where the axis begins: at zero (or below, where values are), or at the least value. */
  from: 'zero' | 'least';
  /** A step to be told from the others. */
  mark?: number | undefined;
}

/** More places than this add bytes but nothing to be seen. */
const MAX_PLACES = 400;

/**
 * All panels, which are read together: pointing at one shows the values of all at that step.
 * @param steps ascending
 * @param panels with as many values as there are steps
 */
export function charts(steps: readonly number[], panels: readonly Panel[]): string {
  const places = thin(steps.length);
  const shown = places.map((at) => steps[at] ?? 0);
  const drawn = panels.map((panel) => ({
    ...panel,
    series: panel.series.map((one) => ({
      ...one,
      bold: panel.line === 'exact' ? one.values : smooth(one.values),
    })),
  }));
  const values = drawn.flatMap(({ series }) =>
    series.map(({ bold }) => places.map((at) => words(bold[at] ?? null))),
  );
  let first = 0;
  const figures = drawn.map((panel) => {
    const html = figure({ ...panel, first, steps, places });
    first += panel.series.length;
    return html;
  });
  return `<div class="charts" data-charts>${jsonBlock({ steps: shown, values })}${figures.join('\n')}</div>`;
}

interface Figure extends Panel {
  series: (Series & { bold: Values })[];
  /** Number of its first series among all. */
  first: number;
  steps: readonly number[];
  places: number[];
}

function figure(panel: Figure): string {
  const { title, series, steps, places, mark } = panel;
  const [low, high] = range(
    series.flatMap(({ values }) => values),
    panel.from,
  );
  const start = steps[0] ?? 0;
  const end = steps.at(-1) ?? 1;
  const x = (step: number) => (1000 * (step - start)) / (end - start || 1);
  const y = (value: number) => 1000 - (1000 * (value - low)) / (high - low);
  const path = (values: Values, at: readonly number[], kind: string) => {
    let pen = 'M';
    const points = at.map((place) => {
      const value = values[place] ?? null;
      if (value === null) {
        pen = 'M';
        return '';
      }
      const clipped = Math.min(1100, Math.max(-100, y(value)));
      const point = `${pen}${coordinate(x(steps[place] ?? 0))} ${coordinate(clipped)}`;
      pen = 'L';
      return point;
    });
    return `<path class="${kind}" d="${points.join('')}"/>`;
  };
  const yTicks = ticks(low, high, 5);
  const xTicks = ticks(start, end, 4).filter((step) => step > start && x(step) < 960);
  const legend = series.map(
    ({ name, side, bold }, at) =>
      `<span class="key ${side}">${escapeHtml(name)} <b data-value="${panel.first + at}">${words(last(bold)) ?? '–'}</b></span>`,
  );
  const lines = series.map(({ side, values, bold }) => {
    const faint = panel.line === 'smooth' ? path(values, extremes(values, places), 'raw') : '';
    return `<g class="${side}">${faint}${path(bold, places, 'smooth')}</g>`;
  });
  const marked = mark === undefined ? -1 : steps.indexOf(mark);
  const dots = series.map(({ side, values }) => {
    const value = values[marked] ?? null;
    if (value === null || mark === undefined) return '';
    return `<i class="dot ${side}" style="left:${percent(x(mark))};top:${percent(y(value))}"></i>`;
  });
  return `<figure class="chart card">
<figcaption><h3>${escapeHtml(title)}</h3><p class="keys">${legend.join('')}</p></figcaption>
<div class="plot" data-plot><svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-label="${escapeHtml(title)} over the steps of the run">
${yTicks.map((tick) => `<path class="grid" d="M0 ${coordinate(y(tick))}H1000"/>`).join('')}
${lines.join('\n')}
</svg>${yTicks.map((tick) => `<span class="y" style="top:${percent(y(tick))}">${short(tick)}</span>`).join('')}${xTicks
    .map((tick) => `<span class="x" style="left:${percent(x(tick))}">${short(tick)}</span>`)
    .join('')}${dots.join('')}<i class="cursor" hidden></i></div>
<p class="soft">${escapeHtml(panel.meaning)}</p>
</figure>`;
}

/** At most {@link MAX_PLACES} places, evenly spread, the last one among them. */
function thin(length: number): number[] {
  const every = Math.max(1, Math.ceil(length / MAX_PLACES));
  return Array.from({ length }, (_, at) => at).filter((at) => (length - 1 - at) % every === 0);
}

/** Of the values up to each place the least and the greatest, so that no spike is lost by thinning. */
function extremes(values: Values, places: readonly number[]): number[] {
  let from = 0;
  return places.flatMap((place) => {
    let [least, most] = [place, place];
    for (let at = from; at < place; at++) {
      const value = values[at] ?? null;
      // A gap must stay one.
      if (value === null) return [at, place];
      if (value < (values[least] ?? value)) least = at;
      if (value > (values[most] ?? value)) most = at;
    }
    from = place + 1;
    return [...new Set([Math.min(least, most), Math.max(least, most)])];
  });
}

/** An exponential mean without the bias of its beginning, over about a fifteenth of the run. */
function smooth(values: Values): Values {
  const weight = 2 / (1 + Math.max(1, values.length / 30));
  let sum = 0;
  let weights = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum += weight * (value - sum);
    weights += weight * (1 - weights);
    return sum / weights;
  });
}

/** To where 98 % of the values lie: one spike must not flatten the rest. */
function range(values: Values, from: Panel['from']): [low: number, high: number] {
  const sorted = values.filter((value) => value !== null).sort((left, right) => left - right);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  if (from === 'least') {
    const [least, most] = [at(0), at(1)];
    const margin = 0.08 * (most - least) || Math.abs(most) / 10 || 1;
    return [least - margin, most + margin];
  }
  const low = Math.min(0, at(0.02));
  const high = at(0.98);
  return [low, high > low ? high + 0.08 * (high - low) : low + 1];
}

/** About `wanted` round numbers from `low` to `high`. */
function ticks(low: number, high: number, wanted: number): number[] {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const found: number[] = [];
  for (let at = Math.ceil(low / step); at * step <= high; at++) found.push(at * step);
  return found;
}

function last(values: Values): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

function words(value: number | null): string | null {
  return value === null ? null : short(value);
}

function coordinate(value: number): string {
  return String(Number(value.toFixed(1)));
}

function percent(thousandth: number): string {
  return `${(thousandth / 10).toFixed(1)}%`;
}
