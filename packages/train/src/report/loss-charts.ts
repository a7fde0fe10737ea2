/** The curves of training: a panel for each pair of losses, one for the learning rate, one for the speed. */
import type { LossName } from '../step/objective.js';
import { charts, type Panel } from './chart.js';
import type { MetricsLine } from './metrics-log.js';

interface Source {
  title: string;
  meaning: string;
  series: { name: string; side: 'a' | 'b'; value: (line: MetricsLine) => number | null | undefined }[];
  line?: Panel['line'];
}

const loss = (name: LossName, side: 'a' | 'b') => ({
  name,
  side,
  value: (line: MetricsLine) => line.losses[name],
});
const both = (name: 'D' | 'G' | 'cycle' | 'idt') => [loss(`${name}_A`, 'a'), loss(`${name}_B`, 'b')];

const sources: Source[] = [
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
    meaning: 'The size of a step.',
    series: [{ name: 'lr', side: 'a', value: (line) => line.lr }],
    line: 'exact',
  },
  {
    title: 'Images a second',
    meaning: 'Both domains together.',
    series: [{ name: 'images/s', side: 'a', value: (line) => line.imagesPerSecond }],
  },
];

/**
 * All curves of a run. Faint: the values as logged; bold: smoothed. Panels whose losses are all missing or zero
 * (identity without its weight) are left out.
 */
export function lossCharts(metrics: readonly MetricsLine[]): string {
  const panels = sources.flatMap(({ line = 'smooth', series, ...words }): Panel[] => {
    const filled = series.map(({ name, side, value }) => ({
      name,
      side,
      values: metrics.map((one) => value(one) ?? null),
    }));
    const used = filled.some(({ values }) => values.some((value) => value !== null && value !== 0));
    return used ? [{ ...words, series: filled, line, from: 'zero' }] : [];
  });
  if (panels.length === 0 || metrics.length < 2) return '<p class="soft">No curves yet.</p>';
  return charts(
    metrics.map(({ step }) => step),
    panels,
  );
}
