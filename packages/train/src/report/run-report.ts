/**
 * `report.html` of a run folder: one self-contained page. Reads the folder only, so that it can be written at any
 * time, while training too.
 */
import { join } from 'node:path';
import { writeAtomic } from '@cyclegan/model';
import { htmlPage } from './html.js';
import { createRunReader } from './run-data.js';
import { COLUMNS, runBody, runSections } from './run-page.js';
import { sampleSlider } from './sample-slider.js';

/**
 * Writes `report.html` into a run folder from its config.json, metrics.jsonl and samples.
 * @returns the page's path
 * @throws CycleganError `run` when the folder is no run, `output` when the page cannot be written
 */
export async function writeReport({ run }: { run: string }): Promise<string> {
  const data = await createRunReader(run).read();
  const sections = runSections(data, await sampleSlider(data.samples, COLUMNS));
  const now = new Date().toISOString();
  const status = `<span data-written>As of <time datetime="${now}">${now.slice(0, 16).replace('T', ' ')} UTC</time></span>`;
  const page = join(run, 'report.html');
  await writeAtomic(
    page,
    htmlPage({ title: `${data.name} · CycleGAN run`, body: runBody(sections, status) }),
  );
  return page;
}
