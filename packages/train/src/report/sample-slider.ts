/**
 * Samples over time: one sample picture at a time, chosen by a slider. Works on pictures that samples-png.ts wrote.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { escapeHtml, imageDataUri } from './html.js';

/** So many pictures tell the whole story and keep a page within some ten megabytes. */
const MAX_SAMPLES = 24;

export interface Sample {
  step: number;
  /** A PNG file. */
  path: string;
}

/** The sample pictures of a run folder, by step; none when there is no such folder. */
export async function listSamples(run: string): Promise<Sample[]> {
  const names = await readdir(join(run, 'samples')).catch(() => []);
  return names
    .filter((name) => /^\d+\.png$/.test(name))
    .map((name) => ({ step: Number.parseInt(name, 10), path: join(run, 'samples', name) }))
    .sort((left, right) => left.step - right.step);
}

/**
 * @param samples by step; at most 24 of them, evenly spread with the first and the last, are embedded
 * @param columns what the six columns show, plain text
 */
export async function sampleSlider(samples: readonly Sample[], columns: readonly string[]): Promise<string> {
  const shown = spread(samples, MAX_SAMPLES);
  if (shown.length === 0) return '<p class="soft">No samples yet.</p>';
  const last = shown.length - 1;
  const images = await Promise.all(
    shown.map(async ({ step, path }, at) => {
      const source = await imageDataUri(path);
      const alt = `Samples after ${step} steps`;
      return `<img src="${source}" alt="${alt}" data-step="${step}"${at === last ? '' : ' hidden'}>`;
    }),
  );
  return `<figure class="samples card" data-slider>
<div class="columns">${columns.map((column) => `<span>${escapeHtml(column)}</span>`).join('')}</div>
<div class="stack">${images.join('\n')}</div>
<figcaption><label>Step <output>${shown[last]?.step}</output>
<input type="range" min="0" max="${last}" value="${last}" step="1"${last === 0 ? ' disabled' : ''}></label></figcaption>
</figure>`;
}

/** At most `count` of the items, evenly spread from the first to the last. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  const places = Array.from({ length: count }, (_, at) =>
    Math.round((at * (items.length - 1)) / (count - 1)),
  );
  return items.filter((_, at) => places.includes(at));
}
