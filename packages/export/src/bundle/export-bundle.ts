/**
 * From a generator of any origin to a bundle: for each direction its ONNX files, and one manifest. What is in the files
 * is export-direction.ts's, where they go bundle-folder.ts's.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Manifest, throwIfAborted } from '@cyclegan/runtime-core';
import { SYNTHETIC, splitPictures } from '../pictures/pictures.js';
import { writeTriton } from '../ship/triton.js';
import { writeCard } from '../ship/write-card.js';
import { replaceBundle } from './bundle-folder.js';
import { type DirectionReport, type ExportedDirection, exportDirection } from './export-direction.js';
import type { ExportOptions } from './export-options.js';
import { planExport } from './export-plan.js';
import { makeManifest } from './manifest.js';

export interface ExportResult {
  /** The bundle's folder, as it was given. */
  bundle: string;
  manifest: Manifest;
  /** Paths of the files written, the manifest last. */
  files: string[];
  /** What was done to each direction's model. */
  reports: DirectionReport[];
  /** Folders of the Triton models; empty where none were asked for. */
  triton: string[];
}

/**
 * Writes a bundle. Until it is whole, nothing at `out` changes.
 * @throws CycleganError `usage` (an option), `input`, `run` and `bundle` (the source), `output`, `aborted`
 */
export async function exportBundle(options: ExportOptions): Promise<ExportResult> {
  const { out, signal, onProgress } = options;
  throwIfAborted(signal, '[export] bundle');
  const plan = await planExport(options);
  const { source, directions, precisions, variants, pictures } = plan;
  const perDirection = 1 + precisions.length * (1 + variants.length);
  const total = directions.length * perDirection + (options.card ? 1 : 0);
  const begun: string[] = [];
  const say = (what: string) => onProgress?.({ done: begun.length - 1, total, what });
  const begin = async (what: string) => {
    // onnxruntime holds up the thread; the request to stop comes in between.
    await setImmediate();
    throwIfAborted(signal, '[export] bundle');
    begun.push(what);
    say(what);
  };

  const files: string[] = [];
  const exported: ExportedDirection[] = [];
  const manifest = await replaceBundle(out, async (folder) => {
    const write = async (file: string, data: string | Uint8Array) => {
      await writeFile(join(folder, file), data, { flush: true });
      files.push(file);
    };
    for (const direction of directions) {
      await begin(`${direction}: graph`);
      exported.push(
        await exportDirection({
          options,
          plan,
          imported: await source.open(direction),
          direction,
          pictures: splitPictures(pictures.get(direction) ?? SYNTHETIC),
          begin,
          write,
          say,
        }),
      );
    }
    const { provenance, training } = source;
    const made = makeManifest({ name: plan.name, licence: plan.licence, provenance, training, exported });
    if (options.card) {
      await begin('README.md');
      files.push(...(await writeCard({ folder, manifest: made, pictures })));
    }
    await begin('manifest.json');
    await write('manifest.json', `${JSON.stringify(made, null, 2)}\n`);
    return made;
  });
  return {
    bundle: out,
    manifest,
    files: files.map((file) => join(out, file)),
    reports: exported.map(({ report }) => report),
    triton:
      options.triton === undefined
        ? []
        : await writeTriton({ bundle: out, manifest, repository: options.triton }),
  };
}
