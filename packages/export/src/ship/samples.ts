/** Samples for a model card: pictures and what a bundle's model makes of them, as PNG files. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ModelEntry,
  type Pixels,
  type RunPlanes,
  sessionOf,
  translatePixels,
} from '@cyclegan/runtime-core';
import sharp from 'sharp';
import { type PictureSource, readPictures } from '../pictures/pictures.js';

/** A picture and its translation, as plain file names beside the card. */
export interface Sample {
  readonly direction: ModelEntry['direction'];
  readonly input: string;
  readonly output: string;
}

export interface SamplesOptions {
  /** Where the files go. */
  readonly folder: string;
  readonly model: ModelEntry;
  readonly run: RunPlanes;
  readonly pictures: PictureSource;
}

const COUNT = 3;
/** Large enough to see, small enough for a page. */
const SIDE = 256;

/** Writes `sample-AtoB-1-input.png`, `sample-AtoB-1-output.png` and so on, up to three of each direction. */
export async function writeSamples({ folder, model, run, pictures }: SamplesOptions): Promise<Sample[]> {
  const samples: Sample[] = [];
  for await (const { pixels } of readPictures(pictures, SIDE)) {
    const stem = `sample-${model.direction}-${samples.length + 1}`;
    const sample = { direction: model.direction, input: `${stem}-input.png`, output: `${stem}-output.png` };
    await writePng(join(folder, sample.input), pixels);
    const translated = await translatePixels({ pixels, model, tile: 'none', session: sessionOf(run) });
    await writePng(join(folder, sample.output), translated.pixels);
    samples.push(sample);
    if (samples.length === COUNT) break;
  }
  return samples;
}

async function writePng(path: string, { width, height, channels, data }: Pixels): Promise<void> {
  await writeFile(path, await sharp(data, { raw: { width, height, channels } }).png().toBuffer(), {
    flush: true,
  });
}
