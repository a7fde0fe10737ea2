/**
 * Input, translation and true drawing side by side, for one direction of the demo's page.
 */
import { escapeHtml, imageDataUri } from '@cyclegan/train';
import type { DemoDirection, DemoResult } from './scores.js';

/** So many are shown at once: evenly spread over all names, so that nothing is picked. The rest unfold. */
const SHOWN = 9;
const MAX_RESULTS = 200;

/** A heading, the first cards, and the rest folded away. */
export async function gallery(direction: DemoDirection): Promise<string> {
  const { from, to } = direction;
  const results = direction.results.slice(0, MAX_RESULTS);
  const every = results.length / SHOWN;
  const first = new Set(Array.from({ length: SHOWN }, (_, at) => results[Math.floor(at * every)]));
  const cards = await Promise.all(
    results.map(async (result) => ({ shown: first.has(result), html: await card(direction, result) })),
  );
  const some = (shown: boolean) => cards.filter((one) => one.shown === shown).map((one) => one.html);
  const rest = some(false);
  const more = rest.length
    ? `<details><summary>The other ${rest.length}</summary><div class="gallery">${rest.join('\n')}</div></details>`
    : '';
  return `<section><h2>${escapeHtml(from)} <span class="arrow">→</span> ${escapeHtml(to)}</h2>
<p>Input, translation, true drawing. Evenly spread over the alphabet, not picked.</p>
<div class="gallery">${some(true).join('\n')}</div>${more}</section>`;
}

/** For the head of the page: the icons that gained most, each above its translation, and said to be so. */
export async function highlights({ from, to, results }: DemoDirection): Promise<string> {
  const gain = ({ metrics, baseline }: DemoResult) => baseline.l1 - metrics.l1;
  const best = [...results].sort((left, right) => gain(right) - gain(left)).slice(0, 4);
  const row = async (of: 'input' | 'output', style: string) => {
    const images = best.map(async (result) => picture(result[of], `${result.name} in ${style}`));
    return `<div>${(await Promise.all(images)).join('')}</div>`;
  };
  return `<figure class="highlights">${await row('input', from)}<p aria-hidden="true">↓</p>${await row('output', to)}
<figcaption class="soft">${escapeHtml(from)} → ${escapeHtml(to)}: the ${best.length} that gained most. All are below.</figcaption></figure>`;
}

async function picture(path: string, alt: string): Promise<string> {
  return `<img src="${await imageDataUri(path)}" alt="${escapeHtml(alt)}">`;
}

async function card({ from, to }: DemoDirection, result: DemoResult): Promise<string> {
  const { name, metrics, baseline } = result;
  const labelled = async (path: string, label: string) =>
    `<span>${await picture(path, `${name}: ${label}`)}<i>${escapeHtml(label)}</i></span>`;
  const pictures = await Promise.all([
    labelled(result.input, from),
    labelled(result.output, `→ ${to}`),
    labelled(result.answer, 'truth'),
  ]);
  const won = metrics.l1 < baseline.l1;
  return `<figure class="triple card"><div>${pictures.join('')}</div>
<figcaption><b>${escapeHtml(name.replaceAll('-', ' '))}</b> <span title="L1 to the truth: the input's, then the translation's">${baseline.l1.toFixed(2)} → <b class="${won ? 'good' : ''}">${metrics.l1.toFixed(2)}</b></span></figcaption></figure>`;
}
