/**
 * The page of a run, section by section: the same for the file in the run folder and for the live page, which gets
 * those sections anew that have changed.
 */

import { evaluationSection, evaluationWords } from './evaluation-section.js';
import { escapeHtml } from './html.js';
import { lossCharts } from './loss-charts.js';
import { networksSection } from './networks-section.js';
import { progressSection, progressWords } from './progress-section.js';
import type { RunData } from './run-data.js';
import { settingsSection } from './settings-section.js';
import { placeName } from './words.js';

/** What the six columns of a sample picture show. */
export const COLUMNS = ['A', 'A → B', 'back to A', 'B', 'B → A', 'back to B'] as const;

export interface Section {
  id: string;
  /** The whole element. */
  html: string;
}

/**
 * All sections in their order. One without content is empty but there, so that it can come later.
 * @param samples HTML of the samples' slider
 */
export function runSections(data: RunData, samples: string): Section[] {
  const { name, settings } = data;
  const done = progressWords(data);
  const title = `${done && `${done} · `}${name}`;
  return [
    {
      id: 'head',
      html: `<section id="head" data-title="${escapeHtml(title)}"><h1>${escapeHtml(name)}</h1>
<p class="lead">${between(settings)}</p>
${progressSection(data)}</section>`,
    },
    section(
      'samples',
      'Samples',
      'The same images after more and more steps: each, its translation, and the way back.',
      samples,
    ),
    section('evaluation', 'Evaluation', evaluationWords(data), evaluationSection(data)),
    section(
      'curves',
      'Curves',
      'Faint lines are the values as logged, bold ones are smoothed. Point at a curve to read a step.',
      lossCharts(data.metrics),
    ),
    section('networks', 'Networks', 'Two translators and their two critics.', networksSection(settings)),
    section('settings', 'Settings', 'The whole is in config.json.', settingsSection(settings)),
  ];
}

/** The page's body. @param status says whether the page is live, HTML */
export function runBody(sections: readonly Section[], status: string): string {
  return `<main>
<p class="status">${status}</p>
${sections.map(({ html }) => html).join('\n')}
</main>`;
}

function section(id: string, title: string, about: string, content: string): Section {
  const filled = content && `<h2>${title}</h2>\n<p>${about}</p>\n${content}`;
  return { id, html: `<section id="${id}">${filled}</section>` };
}

function between({ a, b }: RunData['settings']): string {
  if (typeof a !== 'string' || typeof b !== 'string') return 'Two sets of images, and a translator each way.';
  return `A is <b>${escapeHtml(placeName(a))}</b>, B is <b>${escapeHtml(placeName(b))}</b>: no pairs, and a translator each way.`;
}
