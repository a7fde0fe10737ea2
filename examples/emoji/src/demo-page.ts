/**
 * The page that the demo ends with: what was learnt, in pictures and in numbers. Draws what it is handed; trains
 * and measures nothing.
 */
import { writeAtomic } from '@cyclegan/model';
import {
  duration,
  escapeHtml,
  htmlPage,
  lossCharts,
  type MetricsLine,
  type Sample,
  sampleSlider,
} from '@cyclegan/train';
import { demoStyle } from './demo-style.js';
import { gallery, highlights } from './gallery.js';
import { type DemoDirection, scores, summary } from './scores.js';
import { capital } from './text.js';

export interface DemoFacts {
  steps: number;
  /** Seconds of training. */
  seconds: number;
  /** Such as `2 cores, AMD EPYC`. */
  machine: string;
  /** Trained numbers of one generator. */
  parameters: number;
  /** Edge of the images, pixels. */
  size: number;
  /** Training images of each domain. */
  trainA: number;
  trainB: number;
  /** Bytes of the exported model, one direction. */
  modelBytes: number;
  /** What `verify` compared: the stages, the largest difference found and the one allowed, on [−1, 1]. */
  verify: { check: string; difference: number; allowed: number }[];
}

export interface DemoPageOptions {
  /** The page to write, such as `demo/index.html`. */
  out: string;
  metrics: readonly MetricsLine[];
  samples: readonly Sample[];
  /** A to B first, then B to A. */
  directions: [DemoDirection, DemoDirection];
  facts: DemoFacts;
  /** What to do next, each with its command. */
  next: { what: string; command: string }[];
  /** Sentences for the foot of the page. */
  notes: string[];
}

/**
 * Writes the page: one self-contained file.
 * @throws CycleganError `output` when it cannot be written
 */
export async function writeDemoPage(options: DemoPageOptions): Promise<void> {
  const { out, metrics, samples, directions, facts, next, notes } = options;
  const [forth, back] = directions;
  const better = directions.every((direction) => summary(direction).closer > 0);
  const both = `${capital(forth.from)} to ${forth.to} and back`;
  const time = duration(facts.seconds);
  const headline = better
    ? `${both}, learnt in ${time} without a single pair`
    : `${both}, after ${time} of training without a single pair`;
  const columns = [
    forth.from,
    `→ ${forth.to}`,
    `→ ${forth.from}`,
    back.from,
    `→ ${back.to}`,
    `→ ${back.from}`,
  ];
  const body = `<main>
<header><div>
<h1>${escapeHtml(headline)}</h1>
<p class="lead">Two folders of icons, <b>${count(facts.trainA)} in ${escapeHtml(forth.from)}</b> and <b>${count(facts.trainB)} in ${escapeHtml(back.from)}</b>, and no icon in both: nothing says what goes with what. Then ${count(forth.results.length)} icons that were kept aside, translated and held against the true drawings. ${directions.map(sentence).join(' ')}</p>
</div>${await highlights(forth)}</header>
${factList(facts)}
${(await Promise.all(directions.map(gallery))).join('\n')}
<h2>Measured against the answers</h2>
<p>Every icon kept aside exists in both styles, so each translation can be held against the truth. The input itself, untranslated, is what to beat.</p>
<div class="scores">${directions.map(scores).join('\n')}</div>
<h2>Samples over time</h2>
<p>Training images after more and more steps: each, its translation, and the way back. Move the slider.</p>
${await sampleSlider(samples, columns)}
<h2>Curves</h2>
<p>The losses that were minimised. Faint lines are the values as logged, bold ones are smoothed; <i>_A</i> belongs to ${escapeHtml(`${forth.from} → ${forth.to}`)}, <i>_B</i> to the way back. Point at a curve to read a step.</p>
${lossCharts(metrics)}
<h2>The same numbers at every stage</h2>
<p>The trained networks were exported to ONNX, and each stage was held against the one before: the largest difference found, on values from −1 to 1.</p>
<div class="card scroll"><table><thead><tr><th scope="col">Compared</th><th scope="col">Largest difference</th><th scope="col">Allowed</th></tr></thead><tbody>
${facts.verify.map(({ check, difference, allowed }) => `<tr><td>${escapeHtml(check)}</td><td>${small(difference)} <span class="${difference <= allowed ? 'good' : 'bad'}">${difference <= allowed ? '✓' : '✗'}</span></td><td>${small(allowed)}</td></tr>`).join('\n')}
</tbody></table></div>
<h2>What next</h2>
<p>From the folder of the clone.</p>
<div class="next">${next.map(({ what, command }) => `<div class="card"><h3>${escapeHtml(what)}</h3><pre><code>${escapeHtml(command)}</code></pre><button type="button" data-copy="${escapeHtml(command)}" hidden>Copy</button></div>`).join('\n')}</div>
<footer>${notes.map((note) => `<p>${escapeHtml(note)}</p>`).join('')}</footer>
</main>`;
  await writeAtomic(out, htmlPage({ title: `${both} · CycleGAN`, body, style: demoStyle }));
}

/** What one direction came to, as a sentence of HTML. */
function sentence(direction: DemoDirection): string {
  const { closer, wins, total } = summary(direction);
  const way = escapeHtml(`${capital(direction.from)} to ${direction.to}`);
  return closer > 0
    ? `${way} ends <b>${Math.round(100 * closer)}&nbsp;% closer</b> to the truth than it began, on ${wins} of ${total} icons.`
    : `${way} is on the whole not yet closer to the truth than it began, but on ${wins} of ${total} icons.`;
}

function factList(facts: DemoFacts): string {
  const entries = [
    ['Trained for', duration(facts.seconds)],
    ['Steps', count(facts.steps)],
    ['Machine', facts.machine],
    ['Images', `${facts.size} × ${facts.size}`],
    ['Parameters', count(facts.parameters)],
    ['Exported model', `${(facts.modelBytes / 1e6).toFixed(1)} MB`],
  ];
  return `<dl class="facts">${entries.map(([term = '', fact = '']) => `<div><dt>${term}</dt><dd>${escapeHtml(fact)}</dd></div>`).join('')}</dl>`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function small(value: number): string {
  return value === 0 ? '0' : value.toExponential(1);
}
