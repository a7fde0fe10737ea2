/**
 * The sample pictures that a demo laid beside the page: `samples/index.json` lists their names, and may name the two
 * domains. A picture in folder `A/` or `B/` belongs to that domain.
 */
import type { Direction } from '@cyclegan/runtime-web';
import { find } from './dom.js';

export interface Samples {
  /** What to call domains A and B. */
  domains: [string, string];
  files: string[];
}

/** No samples are no fault: the list is empty then. */
export async function loadSamples(folder: string): Promise<Samples> {
  const none: Samples = { domains: ['A', 'B'], files: [] };
  const response = await fetch(`${folder}index.json`);
  if (!response.ok) return none;
  const index: unknown = await response.json();
  if (Array.isArray(index)) return { ...none, files: index.filter((name) => typeof name === 'string') };
  return { ...none, ...(index as Partial<Samples>) };
}

/** The direction that leads out of the sample's own domain. */
export function directionOf(name: string): Direction | undefined {
  if (name.startsWith('A/')) return 'AtoB';
  return name.startsWith('B/') ? 'BtoA' : undefined;
}

export async function fetchSample(folder: string, name: string): Promise<Blob> {
  const response = await fetch(sampleUrl(folder, name));
  if (!response.ok)
    throw new Error(`The sample ${name} could not be loaded (HTTP status ${response.status}).`);
  return response.blob();
}

/** One button a sample; the section stays hidden while there are none. */
export function fillSampleList(
  section: HTMLElement,
  { folder, files, onChoose }: { folder: string; files: readonly string[]; onChoose(name: string): void },
): void {
  section.hidden = files.length === 0;
  const items = files.map((name) => {
    const picture = document.createElement('img');
    picture.src = sampleUrl(folder, name);
    picture.alt = title(name);
    const button = document.createElement('button');
    button.type = 'button';
    button.append(picture);
    button.addEventListener('click', () => onChoose(name));
    const item = document.createElement('li');
    item.append(button);
    return item;
  });
  find('ul', HTMLUListElement, section).replaceChildren(...items);
}

function sampleUrl(folder: string, name: string): string {
  return folder + name.split('/').map(encodeURIComponent).join('/');
}

/** `A/grinning-face.png` as people say it. */
function title(name: string): string {
  return name
    .replace(/^.*\//, '')
    .replace(/\.\w+$/, '')
    .replaceAll(/[-_]+/g, ' ');
}
