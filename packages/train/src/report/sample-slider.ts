/**
 * Samples over time: one sample picture at a time, chosen by a slider. Works on pictures that samples-png.ts wrote.
 */
import { stat } from 'node:fs/promises';
import { escapeHtml, imageDataUri } from './html.js';
import { chooseSamples, type Sample, sampleRatio } from './samples.js';
import { count } from './words.js';

/** So many pictures tell the whole story and keep a page within some ten megabytes. */
export const MAX_SHOWN = 24;

/**
 * The slider of a page on its own, with the pictures in it.
 * @param samples by step; at most 24 of them, the first and the last and some evenly between, are embedded
 * @param columns what the six columns show, plain text
 */
export async function sampleSlider(samples: readonly Sample[], columns: readonly string[]): Promise<string> {
  const shown = chooseSamples(samples, MAX_SHOWN);
  const addresses = await Promise.all(shown.map(({ path }) => embedded(path)));
  forget(shown);
  const shots = shown.map(({ step }, at) => ({ step, address: addresses[at] ?? '' }));
  return slider(shots, await commonRatio(shown), columns);
}

/** A picture by the address from which the page gets it: a file name beside the page, or `data:`. */
export interface Shot {
  step: number;
  address: string;
}

/** Width over height of the pictures, which are all alike; that of the last one, as it is the newest. */
export async function commonRatio(samples: readonly Sample[]): Promise<number> {
  const last = samples.at(-1);
  return last ? sampleRatio(last) : 1;
}

/**
 * The slider alone. A picture is drawn as two halves, which stand below each other where there is little room.
 * @param shots by step
 * @param ratio width over height of all pictures
 * @param columns what the six columns show, plain text
 */
export function slider(shots: readonly Shot[], ratio: number, columns: readonly string[]): string {
  const last = shots.at(-1);
  if (!last) return '<p class="soft">No samples yet.</p>';
  const names = columns.map((column) => `<span>${escapeHtml(column)}</span>`);
  const half = (from: number) =>
    `<div class="half"><p>${names.slice(from, from + 3).join('')}</p><i></i></div>`;
  const pictures = shots.map(
    ({ step, address }) =>
      `<div class="shot" role="img" aria-label="Samples after ${step} steps" data-step="${step}" style="--picture:url('${escapeHtml(address)}')"${step === last.step ? '' : ' hidden'}>${half(0)}${half(3)}</div>`,
  );
  const single = shots.length === 1 ? ' disabled' : '';
  return `<figure class="samples card" data-slider>
<div class="stack" style="--ratio:${(ratio / 2).toFixed(4)}">${pictures.join('\n')}</div>
<figcaption><button type="button" data-play${single}>Play</button><label>Step <output>${count(last.step)}</output>
<input type="range" min="0" max="${shots.length - 1}" value="${shots.length - 1}" step="1"${single}></label></figcaption>
</figure>`;
}

/** Of the run that this process trains: its page is written again and again with nearly the same pictures. */
const encoded = new Map<string, { version: string; address: Promise<string> }>();

async function embedded(path: string): Promise<string> {
  const { mtimeMs, size } = await stat(path);
  const version = `${mtimeMs} ${size}`;
  const known = encoded.get(path);
  if (known?.version === version) return known.address;
  const address = imageDataUri(path);
  encoded.set(path, { version, address });
  return address;
}

/** Keeps no picture that the last page did not show. */
function forget(shown: readonly Sample[]): void {
  const paths = new Set(shown.map(({ path }) => path));
  for (const path of encoded.keys()) if (!paths.has(path)) encoded.delete(path);
}
