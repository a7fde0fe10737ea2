/**
 * The demo's results, and what they come to: means over all icons of a direction, beside those of the untranslated input.
 */
import { escapeHtml, type PairMetrics } from '@cyclegan/train';

/** One icon that was kept aside, with its translation and the true drawing. */
export interface DemoResult {
  /** The icon's name. */
  name: string;
  /** PNG files, all of one size. */
  input: string;
  output: string;
  answer: string;
  /** Output against answer. */
  metrics: PairMetrics;
  /** Input against answer: what doing nothing would score. */
  baseline: PairMetrics;
}

/** All results one way; `from` and `to` are what the styles are called. At least one result. */
export interface DemoDirection {
  from: string;
  to: string;
  results: DemoResult[];
}

interface Measure {
  key: keyof PairMetrics;
  title: string;
  meaning: string;
  /** 1 where more is better, −1 where less is. */
  good: 1 | -1;
  digits: number;
}

const measures: Measure[] = [
  { key: 'l1', title: 'L1', meaning: '0 is equal', good: -1, digits: 3 },
  { key: 'psnr', title: 'PSNR', meaning: 'dB, more is closer', good: 1, digits: 2 },
  { key: 'ssim', title: 'SSIM', meaning: '1 is equal', good: 1, digits: 3 },
];

/** How much closer, as a share of the input's L1 (below zero: farther), and on how many icons. */
export function summary({ results }: DemoDirection): { closer: number; wins: number; total: number } {
  const input = mean(results.map(({ baseline }) => baseline.l1));
  const output = mean(results.map(({ metrics }) => metrics.l1));
  const wins = results.filter(({ metrics, baseline }) => metrics.l1 < baseline.l1).length;
  return { closer: (input - output) / input, wins, total: results.length };
}

/** One direction's card: each measure of the input and of the translation. */
export function scores(direction: DemoDirection): string {
  const { from, to, results } = direction;
  const rows = measures.map((measure) => {
    const { key, title, meaning, good, digits } = measure;
    const input = mean(results.map(({ baseline }) => baseline[key]));
    const output = mean(results.map(({ metrics }) => metrics[key]));
    const won = good * (output - input) > 0;
    const sign = output >= input ? '+' : '−';
    const change = `${sign}${Math.abs(output - input).toFixed(digits)}`;
    return `<tr><th scope="row"><b>${title}</b><br><span class="soft">${meaning}</span></th><td>${input.toFixed(digits)}</td><td><b>${output.toFixed(digits)}</b></td><td class="${won ? 'good' : 'bad'}">${change}</td></tr>`;
  });
  return `<div class="card"><h3>${escapeHtml(from)} → ${escapeHtml(to)}</h3>
<table><thead><tr><th scope="col"></th><th scope="col">Input</th><th scope="col">Translated</th><th scope="col">Change</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table></div>`;
}

/** Equal images have no finite PSNR; they are left out of its mean. */
function mean(values: number[]): number {
  const finite = values.filter(Number.isFinite);
  return finite.reduce((sum, value) => sum + value, 0) / Math.max(1, finite.length);
}
