/**
 * What an export is going to do, found out before anything is written: the source, its directions, the pictures and the
 * files. Reads no weights of foreign models.
 */
import { CycleganError, type Direction, type Manifest, type Precision } from '@cyclegan/runtime-core';
import {
  CALIBRATION_COUNT,
  EVALUATION_COUNT,
  findPictures,
  type PictureSource,
} from '../pictures/pictures.js';
import { openSource, type Source } from '../source/source.js';
import type { VariantOptions } from '../variants/index.js';
import { checkOptions, type ExportOptions, precisionsOf } from './export-options.js';

export interface ExportPlan extends Pick<Manifest, 'name' | 'licence'> {
  readonly source: Source;
  readonly directions: readonly Direction[];
  /** In the order to write them. */
  readonly precisions: readonly Precision[];
  /** Other interfaces, of each precision. */
  readonly variants: readonly VariantOptions[];
  /** Each direction's, as far as there are any. */
  readonly pictures: ReadonlyMap<Direction, PictureSource>;
  /** Longest side to which pictures are scaled down, pixels. */
  readonly side: number;
}

/** The size that most foreign models were trained at, pixels. */
const USUAL_SIZE = 256;

/** @throws CycleganError `usage` for options that cannot be met; as {@link openSource} and {@link findPictures} */
export async function planExport(options: ExportOptions): Promise<ExportPlan> {
  checkOptions(options);
  const source = await openSource(options.source, options);
  const directions = directionsOf(source, options.direction);
  const side = source.training?.size ?? USUAL_SIZE;
  return {
    name: options.name ?? source.name,
    licence: options.licence ?? null,
    source,
    directions,
    precisions: precisionsOf(options),
    variants: variantsOf(options, side),
    pictures: await picturesFor(source, directions, options),
    side,
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

function variantsOf({ io, layout, size, tiles }: ExportOptions, side: number): VariantOptions[] {
  const fixed = size === 'fixed' ? { width: side, height: side } : size;
  const own = io !== undefined || layout !== undefined || fixed !== undefined;
  return [
    ...(own ? [{ io, layout, size: fixed }] : []),
    ...(tiles ? ([{ part: 'statistics' }, { part: 'tile' }] as const) : []),
  ];
}
