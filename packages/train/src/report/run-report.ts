/**
 * `report.html` of a run folder: its curves, samples and settings on one self-contained page. Reads the folder
 * only, so that it can be written at any time, while training too.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { writeAtomic } from '@cyclegan/model';
import { CycleganError } from '@cyclegan/runtime-core';
import { escapeHtml, htmlPage } from './html.js';
import { lossCharts } from './loss-charts.js';
import { type MetricsLine, readMetrics } from './metrics-log.js';
import { listSamples, sampleSlider } from './sample-slider.js';

const MAX_CONFIG_BYTES = 1_000_000;

/**
 * Writes `report.html` into a run folder from its config.json, metrics.jsonl and samples.
 * @returns the page's path
 * @throws CycleganError `run` when the folder is no run, `output` when the page cannot be written
 */
export async function writeReport({ run }: { run: string }): Promise<string> {
  const config = await readConfig(join(run, 'config.json'));
  const metrics = await readMetrics(join(run, 'metrics.jsonl'));
  const slider = await sampleSlider(await listSamples(run), [
    'A',
    'A → B',
    'back to A',
    'B',
    'B → A',
    'back to B',
  ]);
  const name = basename(resolve(run));
  const body = `<main>
<h1>${escapeHtml(name)}</h1>
<p class="lead">A CycleGAN training run: two sets of images, A and B, no pairs, and a translator each way.</p>
${facts(metrics)}
<h2>Samples</h2>
<p>The same images after more and more steps: each, its translation, and the way back.</p>
${slider}
<h2>Curves</h2>
<p>Faint lines are the values as logged, bold ones are smoothed. Point at a curve to read a step.</p>
${lossCharts(metrics)}
<h2>Settings</h2>
<p>As in config.json.</p>
<div class="card"><table class="settings">${settings(config)}</table></div>
</main>`;
  const page = join(run, 'report.html');
  await writeAtomic(page, htmlPage({ title: `${name} · CycleGAN run`, body }));
  return page;
}

/** Seconds as people say them, kept on one line: `48 s`, `4 min 08 s`, `2 h 05 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const parts = hours
    ? [hours, 'h', two(minutes), 'min']
    : minutes
      ? [minutes, 'min', two(whole % 60), 's']
      : [whole, 's'];
  return parts.join('\u00a0');
}

function facts(metrics: readonly MetricsLine[]): string {
  const last = metrics.at(-1);
  if (!last) return '<p class="lead">Nothing has been logged yet.</p>';
  const entries = [
    ['Steps', last.step.toLocaleString('en')],
    ['Epoch', last.epoch.toLocaleString('en')],
    ['Time', duration(last.elapsed)],
    ['Seconds a step', (last.elapsed / Math.max(1, last.step)).toPrecision(3)],
    ['Images a second', last.imagesPerSecond?.toPrecision(3) ?? '–'],
    ['Learning rate', String(Number(last.lr.toPrecision(2)))],
  ];
  return `<dl class="facts">${entries.map(([term, fact]) => `<div><dt>${term}</dt><dd>${fact}</dd></div>`).join('')}</dl>`;
}

function settings(config: unknown, name = ''): string {
  if (typeof config === 'object' && config !== null && !isShortList(config)) {
    return Object.entries(config)
      .map(([key, value]) => settings(value, name ? `${name}.${key}` : key))
      .join('\n');
  }
  const value = typeof config === 'string' ? config : JSON.stringify(config);
  return `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`;
}

function isShortList(value: object): boolean {
  return Array.isArray(value) && value.every((item) => typeof item !== 'object');
}

async function readConfig(path: string): Promise<unknown> {
  try {
    const { size } = await stat(path);
    if (size > MAX_CONFIG_BYTES) throw new RangeError(`${size} bytes`);
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new CycleganError(
      'run',
      `[train] ${path}: expected the config of a run, got none that can be read. Point at a run folder.`,
      { cause },
    );
  }
}
