/**
 * From what a user names (files, folders, patterns) to the files meant, one after the other. Reads folders and
 * names, no images; decides nothing about outputs.
 */
import { type Dirent, existsSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';
import { isVideo } from '../video/index.js';

/** What is taken from folders and patterns; a file that is named itself is always tried. */
const IMAGES = /\.(jpe?g|png|webp|avif|tiff?|gif|ppm|bmp)$/i;

export interface FoundFile {
  path: string;
  /** Below the folder that was named, or below a pattern's part before its first wildcard; for a file its base name. */
  name: string;
  /** The folder that really holds its bytes: links are followed. */
  home: string;
}

/**
 * Lists the images and videos. Hidden files and folders are passed over, and so are links to folders; what exists
 * under a name is that, even if the name could be read as a pattern.
 * @param without the real path of a folder that is not searched, unless it is named itself: the one for the results
 * @throws CycleganError `input` for a path that is missing, a folder without images, a pattern that matches none
 */
export async function* listInputs(inputs: readonly string[], without?: string): AsyncGenerator<FoundFile> {
  for (const input of inputs) {
    const there = await stat(input).catch((cause: NodeJS.ErrnoException) => cause);
    if (!(there instanceof Error)) {
      if (there.isDirectory()) yield* some(walk(input, { without }), input, 'a folder with images');
      else yield { path: input, name: basename(input), home: dirname(await realpath(input)) };
      continue;
    }
    // Names do without.
    const { default: picomatch } = await import('picomatch');
    const pattern = process.platform === 'win32' ? input.replaceAll('\\', '/') : input;
    const { base, glob, isGlob } = picomatch.scan(pattern);
    if (!isGlob) throw refused(input, 'a file, a folder or a pattern', `"${there.message}"`, there);
    // Braces may hold slashes, so that only a plain pattern tells how deep it reaches.
    const depth = /\*\*|[{(]/.test(glob) ? Number.POSITIVE_INFINITY : glob.split('/').length;
    const root = base || (pattern.startsWith('/') ? '/' : '.');
    const matches = picomatch(glob);
    const found = existsSync(root) ? walk(root, { without, depth, matches }) : [];
    yield* some(found, input, 'a pattern that matches images');
  }
}

async function* some(files: AsyncIterable<FoundFile> | Iterable<FoundFile>, input: string, expected: string) {
  let none = true;
  for await (const file of files) {
    none = false;
    yield file;
  }
  if (none) throw refused(input, expected, 'none');
}

interface Walk {
  without?: string | undefined;
  /** How many folders deep a match may lie; default: all. */
  depth?: number;
  /** Told the name below the root, with slashes; a folder that matches is taken whole. Default: all. */
  matches?: (name: string) => boolean;
}

/** In the order of names, so that equal names in different folders are numbered alike each time. */
async function* walk(root: string, options: Walk, below = '', depth = 1): AsyncGenerator<FoundFile> {
  const folder = join(root, below);
  const { home, entries } = await read(folder);
  if (below !== '' && home === options.without) return;
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    const matched = options.matches === undefined || options.matches(name);
    if (entry.isDirectory()) {
      const { matches: _, ...whole } = options;
      if (matched) yield* walk(root, whole, name, Number.NEGATIVE_INFINITY);
      else if (depth < (options.depth ?? Number.POSITIVE_INFINITY))
        yield* walk(root, options, name, depth + 1);
    } else if (matched && isMedia(entry.name)) {
      const path = join(folder, entry.name);
      const file = { path, name, home };
      if (entry.isSymbolicLink()) yield* link(file);
      else yield file;
    }
  }
}

async function read(folder: string): Promise<{ home: string; entries: Dirent[] }> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return { home: await realpath(folder), entries: entries.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw refused(folder, 'a folder that can be read', `"${reason}"`, cause);
  }
}

/** A broken link stays, to be named when it cannot be read. */
async function* link(file: FoundFile): AsyncGenerator<FoundFile> {
  const target = await stat(file.path).catch(() => undefined);
  if (target?.isDirectory()) return;
  yield target ? { ...file, home: dirname(await realpath(file.path)) } : file;
}

function isMedia(name: string): boolean {
  return IMAGES.test(name) || isVideo(name);
}

function refused(path: string, expected: string, got: string, cause?: unknown): CycleganError {
  return new CycleganError(
    'input',
    `[translate] ${path}: expected ${expected}, got ${got}. Check the path.`,
    { cause },
  );
}
