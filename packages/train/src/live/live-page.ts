/** The sections of a run's page as they stand, and which of them have changed since the last look. Serves nothing. */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { isCycleganError } from '@cyclegan/runtime-core';
import { htmlPage } from '../report/html.js';
import { createRunReader, type RunData } from '../report/run-data.js';
import { COLUMNS, runBody, runSections, type Section } from '../report/run-page.js';
import { commonRatio, MAX_SHOWN, slider } from '../report/sample-slider.js';
import { chooseSamples } from '../report/samples.js';

export interface LivePage {
  /** The whole page as of now, and the sections that have changed since the last look. */
  update(): Promise<Section[]>;
  /** All sections as of the last look. */
  sections(): readonly Section[];
  html(): string;
}

/** @param run the folder, which need not be there yet */
export function createLivePage(run: string): LivePage {
  const reader = createRunReader(run);
  const name = basename(resolve(run));
  let shown: Section[] = runSections(emptyRun(name), '');
  let title = name;
  /** Tells what was drawn from: drawing long curves takes the training's time. */
  let drawn = '';
  // One look at a time: two would both read the same piece of the log.
  let last: Promise<Section[]> = Promise.resolve([]);
  const read = async () => {
    try {
      const data = await reader.read();
      return { data, samples: await liveSlider(data) };
    } catch (error) {
      // A run that is just being made, or is gone: what was seen last stays.
      if (isCycleganError(error) || (error instanceof Error && 'syscall' in error)) return undefined;
      throw error;
    }
  };
  const look = async () => {
    const seen = await read();
    const { metrics, evaluations, settings } = seen?.data ?? emptyRun(name);
    const mark = JSON.stringify([metrics.at(-1), evaluations.length, settings, seen?.samples]);
    if (!seen || mark === drawn) return [];
    drawn = mark;
    const now = runSections(seen.data, seen.samples);
    const changed = now.filter(({ html }, at) => html !== shown[at]?.html);
    shown = now;
    title = seen.data.name;
    return changed;
  };
  return {
    update() {
      last = last.then(look);
      return last;
    },
    sections: () => shown,
    html() {
      const status = '<span data-live="wait" role="status">Connecting …</span>';
      return htmlPage({ title: `${title} · CycleGAN run`, body: runBody(shown, status), live: true });
    },
  };
}

async function liveSlider({ samples }: RunData): Promise<string> {
  const chosen = chooseSamples(samples, MAX_SHOWN);
  const shots = await Promise.all(
    chosen.map(async ({ step, path }) => {
      const { mtimeMs } = await stat(path);
      return { step, address: `samples/${basename(path)}?${Math.round(mtimeMs)}` };
    }),
  );
  return slider(shots, await commonRatio(chosen), COLUMNS);
}

function emptyRun(name: string): RunData {
  return { name, settings: {}, metrics: [], evaluations: [], samples: [], best: undefined };
}
