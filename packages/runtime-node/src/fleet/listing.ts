/**
 * From the inputs of a batch to its images, one after the other, and to where each translation goes. Reads names, no
 * images, and holds no more of them than one folder's; the same inputs give the same list on every machine.
 */
import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, parse, posix, resolve } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';
import { extension, formatOf } from '../files/plan.js';
import type { OutputFormat } from '../images/formats.js';
import type { ImageReference } from './records.js';
import {
  folderOf,
  placeBelow,
  placeOf,
  type Storage,
  type StorageOptions,
  type Storages,
} from './storage/index.js';

/** A folder or prefix with all that is in it, or with some files of it that were named. */
export interface Source {
  place: string;
  /** Below the output. */
  under: string;
  /** Null for all. */
  names: string[] | null;
}

/** An image's reference, before it has its number. */
export interface Listed {
  input: number;
  name: string;
  version: string;
  /** Below the output and the input's `under`, where it is not the same name. */
  output: string | undefined;
}

/**
 * Sorts what a user names. Of one folder the translations go straight into the output, of several each into a folder
 * of its name; files that are named go to the top.
 * @throws CycleganError `usage` where two would go to the same place; `input` for what is not there
 */
export async function planSources(
  inputs: readonly string[],
  options: StorageOptions & { format: OutputFormat },
): Promise<Source[]> {
  const folders: string[] = [];
  const files = new Map<string, string[]>();
  for (const input of inputs) {
    if (!(await isFile(input))) {
      folders.push(input);
      continue;
    }
    const place = placeOf(parentOf(input), options);
    files.set(place, [...(files.get(place) ?? []), basename(input)]);
  }
  const alone = folders.length === 1 && files.size === 0;
  const sources: Source[] = folders.map((folder) => ({
    place: placeOf(folder, options),
    under: alone ? '' : basename(folder.startsWith('s3://') ? folder : resolve(folder)),
    names: null,
  }));
  for (const [place, names] of files) {
    sources.push({ place, under: '', names: [...new Set(names)].sort() });
  }
  assertApart(sources, options.format);
  return sources;
}

async function isFile(input: string): Promise<boolean> {
  if (input.startsWith('s3://')) return formatOf(input) !== undefined;
  const found = await stat(input).catch((cause: Error) => {
    throw new CycleganError(
      'input',
      `[fleet] ${input}: expected a folder, a file or s3://bucket/prefix, got "${cause.message}". Check the path.`,
      { cause },
    );
  });
  return !found.isDirectory();
}

function parentOf(input: string): string {
  return input.startsWith('s3://') ? input.slice(0, input.lastIndexOf('/')) : dirname(input);
}

function assertApart(sources: readonly Source[], format: OutputFormat): void {
  const taken = new Set<string>();
  for (const { under, names } of sources) {
    const outputs = new Set(
      names === null ? [under] : names.map((name) => parse(name).name + extension(name, format)),
    );
    for (const output of outputs) {
      if (!taken.has(output)) taken.add(output);
      else {
        throw new CycleganError(
          'usage',
          `[fleet] ${output}: expected inputs of different names, got two whose translations would have this one. Submit them one after the other, to different places.`,
        );
      }
    }
  }
}

/**
 * Refuses an output whose files would replace inputs.
 * @throws CycleganError `output`
 */
export async function assertNoInputReplaced(
  sources: readonly Source[],
  out: string,
  options: StorageOptions,
): Promise<void> {
  const places = await Promise.all(sources.map(({ place }) => realPlace(place, options)));
  for (const { under } of sources) {
    const target = await realPlace(placeBelow(out, under), options);
    if (places.some((place) => place.startsWith(target))) {
      throw new CycleganError(
        'output',
        `[fleet] ${out}: expected a place of its own for the translations, got one with inputs in it. Choose another --out.`,
      );
    }
  }
}

/** With links followed, and a slash behind it. */
async function realPlace(place: string, options: StorageOptions): Promise<string> {
  const folder = folderOf(place, options);
  return folder === undefined ? place : `${await realpath(folder).catch(() => folder)}/`;
}

/** @throws CycleganError `input`, `unavailable` */
export async function* listImages(
  sources: readonly Source[],
  options: StorageOptions & {
    storages: Storages;
    out: string;
    format: OutputFormat;
    signal?: AbortSignal | undefined;
  },
): AsyncGenerator<Listed> {
  const { storages, out, format, signal } = options;
  const outFolder = folderOf(out, options);
  const without = outFolder === undefined ? out : await realpath(outFolder).catch(() => outFolder);
  for (const [input, { place, names }] of sources.entries()) {
    const storage = await storages.open(place);
    const images = names === null ? storage.list({ without, signal }) : named(storage, names);
    const outputs = createOutputNames(format);
    for await (const { name, version } of images) {
      yield { input, name, version, output: outputs(name) };
    }
  }
}

async function* named(storage: Storage, names: readonly string[]) {
  for (const name of names) yield await storage.find(name);
}

/**
 * Names outputs in the order of their inputs: with the extension of their format, and where another input has that
 * name already, with both extensions. Remembers only those that a later name could still meet.
 * @returns undefined for an output of its input's own name
 */
export function createOutputNames(format: OutputFormat): (name: string) => string | undefined {
  const recent = new Map<string, string>();
  return (name) => {
    // What may get the name of an output begins like it, and such names stand together in any listing.
    for (const [output, start] of recent) if (!name.startsWith(start)) recent.delete(output);
    const { dir, name: stem } = parse(name);
    const ending = extension(name, format);
    let output = posix.join(dir, stem + ending);
    if (recent.has(output)) output = name + ending;
    while (recent.has(output)) output += ending;
    recent.set(output, output.slice(0, output.length - ending.length));
    return output === name ? undefined : output;
  };
}

/** What distinguishes one list of images from another: 64 hex digits at the end. */
export function createFingerprint(): { add(image: Listed): void; digest(): string } {
  const hash = createHash('sha256');
  return {
    add: ({ input, name, version, output }) =>
      void hash.update(`${JSON.stringify([input, name, version, output ?? null])}\n`),
    digest: () => hash.digest('hex'),
  };
}

/** The reference that travels: as short as it can be, because there may be a billion of them. */
export function referenceTo(index: number, { name, output }: Listed): ImageReference {
  return output === undefined ? [index, name] : [index, name, output];
}
