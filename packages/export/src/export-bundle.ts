/**
 * From a generator of any origin to a bundle: for each direction its ONNX files, and one manifest. What is in the files
 * is export-direction.ts's, where they go bundle-folder.ts's.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { reversed } from '@cyclegan/model';
import {
  CycleganError,
  type Direction,
  MANIFEST_VERSION,
  type Manifest,
  throwIfAborted,
} from '@cyclegan/runtime-core';
import { replaceBundle } from './bundle-folder.js';
import { type DirectionReport, type ExportedDirection, exportDirection } from './export-direction.js';
import { checkOptions, type ExportOptions, precisionsOf } from './export-options.js';
import {
  CALIBRATION_COUNT,
  EVALUATION_COUNT,
  findPictures,
  type PictureSource,
  SYNTHETIC,
  splitPictures,
} from './pictures.js';
import { writeTriton } from './ship/triton.js';
import { writeCard } from './ship/write-card.js';
import { openSource, type Source } from './source.js';
import type { VariantOptions } from './variants/index.js';
import { TOOL, toolVersion } from './version.js';

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

/** Longest side of the pictures for foreign models, pixels: the size that most were trained at. */
const USUAL_SIZE = 256;

/**
 * Writes a bundle. Until it is whole, nothing at `out` changes.
 * @throws CycleganError `usage` (an option), `input`, `run` and `bundle` (the source), `output`, `aborted`
 */
export async function exportBundle(options: ExportOptions): Promise<ExportResult> {
  const { out, signal, onProgress, onWarning } = options;
  checkOptions(options);
  throwIfAborted(signal, '[export] bundle');
  const source = await openSource(options.source, options);
  const directions = directionsOf(source, options.direction);
  const pictures = await picturesFor(source, directions, options);
  const precisions = precisionsOf(options);
  const variants = variantsOf(options, source);
  const facts = {
    name: options.name ?? source.name,
    licence: options.licence ?? null,
    details: {
      range: options.range ?? [-1, 1],
      input: options.input,
      output: options.output,
      key: options.key,
    },
  } as const;

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
          imported: await source.open(direction),
          direction,
          precisions,
          variants,
          pictures: splitPictures(pictures.get(direction) ?? SYNTHETIC),
          side: source.training?.size ?? USUAL_SIZE,
          method: options.calibrateMethod,
          psnrTarget: options.psnr,
          facts: { ...facts, direction },
          where: source.path,
          signal,
          begin,
          write,
          onProgress: ({ what }) => say(what),
          onWarning,
        }),
      );
    }
    const made = makeManifest(source, facts, directions, exported);
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

function directionsOf(
  { directions, path }: Source,
  wanted: ExportOptions['direction'],
): readonly Direction[] {
  if (wanted === undefined || wanted === 'both') return directions;
  if (directions.includes(wanted)) return [wanted];
  throw new CycleganError(
    'usage',
    `[export] direction: expected ${directions.join(' or ')}, as ${path} holds, got ${wanted}. Choose another direction.`,
  );
}

/** Each direction's images: those that were named, else those of the source's own training. */
async function picturesFor(
  source: Source,
  directions: readonly Direction[],
  options: ExportOptions,
): Promise<Map<Direction, PictureSource>> {
  const found = new Map<Direction, PictureSource>();
  for (const direction of directions) {
    const folder = options.calibrate ?? source.pictures[direction];
    if (folder === undefined) continue;
    const looking = findPictures(folder, direction, CALIBRATION_COUNT + EVALUATION_COUNT);
    // Only a folder that was named must have images.
    const pictures = await (options.calibrate === undefined ? looking.catch(() => undefined) : looking);
    if (pictures) found.set(direction, pictures);
  }
  const without = directions.find((direction) => !found.has(direction));
  if (without !== undefined && precisionsOf(options).includes('int8')) {
    throw new CycleganError(
      'usage',
      `[export] calibrate: expected a folder of images for int8, like those that ${without} translates, got none. Name one with --calibrate, or leave int8 out.`,
    );
  }
  const [first, second] = directions.map((direction) => found.get(direction)?.folder);
  if (options.calibrate !== undefined && directions.length === 2 && first === second) {
    options.onWarning?.(
      `[export] calibrate: both directions are measured on the same images of ${first}. Put each domain's into a folder A and a folder B in it.`,
    );
  }
  return found;
}

function variantsOf({ io, layout, size, tiles }: ExportOptions, { training }: Source): VariantOptions[] {
  const usual = training?.size ?? USUAL_SIZE;
  const fixed = size === 'fixed' ? { width: usual, height: usual } : size;
  const own = io !== undefined || layout !== undefined || fixed !== undefined;
  return [
    ...(own ? [{ io, layout, size: fixed }] : []),
    ...(tiles ? ([{ part: 'statistics' }, { part: 'tile' }] as const) : []),
  ];
}

function makeManifest(
  { training, provenance }: Source,
  { name, licence }: Pick<Manifest, 'name' | 'licence'>,
  directions: readonly Direction[],
  exported: readonly ExportedDirection[],
): Manifest {
  const [config] = exported.map((each) => each.config);
  return {
    format: 'cyclegan-bundle',
    version: MANIFEST_VERSION,
    name,
    licence,
    createdBy: { tool: TOOL, version: toolVersion() },
    createdAt: new Date().toISOString(),
    // Always that from A to B.
    networks: { generator: config && directions[0] === 'BtoA' ? reversed(config) : (config ?? null) },
    provenance,
    training,
    models: exported.flatMap(({ models }) => models),
    variants: exported.flatMap(({ variants }) => variants),
  };
}
