/** Puts a model card into a bundle's folder: README.md, and pictures for it. What it says is card.ts's. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Direction, Manifest } from '@cyclegan/runtime-core';
import { withPlanes } from '../ort/run-planes.js';
import { type PictureSource, SYNTHETIC } from '../pictures/pictures.js';
import { modelCard } from './card.js';
import { type Sample, writeSamples } from './samples.js';

export interface WriteCardOptions {
  /** That holds the manifest's models; the card goes beside them. */
  readonly folder: string;
  readonly manifest: Manifest;
  /** Each direction's own; synthetic ones where there are none. */
  readonly pictures: ReadonlyMap<Direction, PictureSource>;
}

/** @returns the names of the files written */
export async function writeCard({ folder, manifest, pictures }: WriteCardOptions): Promise<string[]> {
  const samples: Sample[] = [];
  const shown = new Set<Direction>();
  for (const model of manifest.models) {
    if (shown.has(model.direction)) continue;
    shown.add(model.direction);
    const own = pictures.get(model.direction) ?? SYNTHETIC;
    const bytes = await readFile(join(folder, model.file));
    samples.push(
      ...(await withPlanes(bytes, model.input.name, 'all', (run) =>
        writeSamples({ folder, model, run, pictures: own }),
      )),
    );
  }
  const realSamples = [...shown].every((direction) => pictures.has(direction));
  await writeFile(join(folder, 'README.md'), modelCard({ manifest, samples, realSamples }), { flush: true });
  return [...samples.flatMap(({ input, output }) => [input, output]), 'README.md'];
}
