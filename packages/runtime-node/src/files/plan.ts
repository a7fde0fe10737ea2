/**
 * Which files are translated and where each translation goes. Reads names, not images, and writes nothing: what a dry
 * run shows is what a run does.
 */
import { realpath, stat } from 'node:fs/promises';
import { dirname, extname, join, parse, resolve } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';
import type { ImageFormat, OutputFormat } from '../images/formats.js';
import { isVideo, videoExtension } from '../video/index.js';
import { type FoundFile, listInputs } from './list-inputs.js';

export interface FileJob {
  input: string;
  /** Below the output folder, or in the ZIP. */
  name: string;
}

const FORMATS = new Map<string, ImageFormat>([
  ['.jpg', 'jpg'],
  ['.jpeg', 'jpg'],
  ['.png', 'png'],
  ['.webp', 'webp'],
  ['.avif', 'avif'],
  ['.tif', 'tiff'],
  ['.tiff', 'tiff'],
  ['.gif', 'gif'],
]);

/** The format that a file of this name has; undefined for one that is not written. */
export function formatOf(name: string): ImageFormat | undefined {
  return FORMATS.get(extname(name).toLowerCase());
}

export interface PlanOptions {
  /** Files, folders that are searched to their depths, and patterns such as `photos/*.jpg`. */
  inputs: readonly string[];
  /** The output folder; when it lies below an input folder, it is not searched. */
  out?: string | undefined;
  /** Default `keep`: the input's own format, and PNG, which loses nothing, where that is not written. */
  format?: OutputFormat | undefined;
}

/**
 * Lists the jobs in the order of the inputs: the structure below a folder is kept, files go to the top; without
 * `out` all go to the top. Where two would get the same name, the later one gets `-2`, `-3`…; a file that is named
 * twice is taken once.
 * @throws CycleganError `input` for what names no image; `output` where a translation would replace an input
 */
export async function planFiles({ inputs, out, format = 'keep' }: PlanOptions): Promise<FileJob[]> {
  const jobs: FileJob[] = [];
  const homes = new Set<string>();
  const paths = new Set<string>();
  const taken = new Set<string>();
  const without = out === undefined ? undefined : await realpath(out).catch(() => undefined);
  for await (const file of listInputs(inputs, without)) {
    // One folder holds nothing twice.
    if (inputs.length > 1 && alreadyIn(paths, file)) continue;
    homes.add(file.home);
    const { dir, name: stem } = parse(file.name);
    const folder = out === undefined ? '' : dir;
    jobs.push({ input: file.path, name: freeName(join(folder, stem), extension(file.name, format), taken) });
  }
  if (out !== undefined) await assertNoInputReplaced(jobs, out, homes);
  return jobs;
}

function alreadyIn(paths: Set<string>, { path }: FoundFile): boolean {
  const size = paths.size;
  return paths.add(resolve(path)).size === size;
}

/** With its dot. A file that is of the format already keeps its own, as `.JPEG`. */
export function extension(name: string, format: OutputFormat): string {
  if (isVideo(name)) return videoExtension(name);
  const own = formatOf(name);
  const written = format === 'keep' ? (own ?? 'png') : format;
  return own === written ? extname(name) : `.${written}`;
}

/** Compared in lower case, because some file systems do. */
function freeName(stem: string, ending: string, taken: Set<string>): string {
  let name = stem + ending;
  for (let copy = 2; taken.has(name.toLowerCase()); copy += 1) name = `${stem}-${copy}${ending}`;
  taken.add(name.toLowerCase());
  return name;
}

/**
 * By the identity of files, which sees through links and through names in other letters. Asked only where results
 * go into folders that inputs come from.
 */
async function assertNoInputReplaced(
  jobs: readonly FileJob[],
  out: string,
  homes: ReadonlySet<string>,
): Promise<void> {
  const shared = new Map<string, boolean>();
  for (const { name } of jobs) {
    const folder = dirname(join(out, name));
    if (!shared.has(folder)) shared.set(folder, homes.has(await realpath(folder).catch(() => '')));
  }
  const existing = new Map<string, string>();
  for (const { name } of jobs) {
    const output = join(out, name);
    if (!shared.get(dirname(output))) continue;
    const found = await identity(output);
    if (found !== undefined) existing.set(found, output);
  }
  if (existing.size === 0) return;
  for (const { input } of jobs) {
    const output = existing.get((await identity(input)) ?? '');
    if (output === undefined) continue;
    throw new CycleganError(
      'output',
      `[translate] ${output}: expected a place for a translation, got one of the inputs. Choose another output folder.`,
    );
  }
}

async function identity(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found && `${found.dev}:${found.ino}`;
}
