/**
 * Which images a place holds, before any of them is read: a folder's files, all the way down, or the records of
 * TFRecord files. Holds names and sizes, no pixels.
 */
import { type Stats, statSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CycleganError, throwIfAborted } from '@cyclegan/runtime-core';
import type { Encoded } from './decode.js';
import { listRecords } from './records.js';

const READABLE = new Set(['.jpg', '.jpeg', '.png', '.tif', '.tiff', '.webp']);
/** Kinds that the reference reads and sharp's prebuilt libvips does not: named, so that nobody misses them. */
const FOREIGN = new Set(['.bmp', '.ppm']);
/** Kaggle's, TensorFlow's and TensorFlow Datasets' names. */
const RECORDS = /\.tfrec(ords?)?(-\d+-of-\d+)?$/i;

/** Files between two looks at the signal. */
const FILES_A_TURN = 2_000;

/** One image, named and not yet read. */
export interface ImageEntry {
  /** Relative to the place, `/` between the parts; a record's is its file's name, `#` and its number from 1. */
  readonly name: string;
  /** As it is stored. */
  readonly bytes: number;
  /** Another string when the image may be another: made of its absolute path, size and time of change. */
  readonly identity: string;
  /** @throws for an image that is not there any more or damaged */
  read(): Promise<Encoded>;
}

export interface ImageList {
  readonly kind: 'folder' | 'records';
  /** In byte order of the files' names; records as they stand in their file. */
  readonly entries: readonly ImageEntry[];
  /** Names of images of a kind that cannot be read. */
  readonly foreign: readonly string[];
}

/**
 * Looks through a folder, or one TFRecord file. Names that begin with a dot are passed over. A folder that is reached
 * by links is entered once, so that links in a circle end.
 * @throws CycleganError `input`: nothing there, no images, images and TFRecords side by side, a damaged TFRecord
 *   file; `aborted`
 */
export async function listImages(
  path: string,
  domain: 'A' | 'B',
  signal: AbortSignal | undefined,
): Promise<ImageList> {
  const where = `[train] folder ${domain}, ${path}`;
  const found = await reading(where, () => findFiles(path, where));
  throwIfAborted(signal, `[train] listing folder ${domain}`);
  if (found.records.length > 0) {
    if (found.images.length > 0) {
      throw new CycleganError(
        'input',
        `${where}: expected images or TFRecords, got ${found.images.length} of the one and ${found.records.length} of the other. Point at the folder that holds one kind.`,
      );
    }
    const entries: ImageEntry[] = [];
    for (const name of found.records) {
      entries.push(...listRecords({ file: join(path, name), name: name || basename(path), domain }));
      throwIfAborted(signal, `[train] listing folder ${domain}`);
      await nextTurn();
    }
    return { kind: 'records', entries, foreign: [] };
  }
  const entries: ImageEntry[] = [];
  for (const [index, name] of found.images.entries()) {
    if (index % FILES_A_TURN === 0) {
      await nextTurn();
      throwIfAborted(signal, `[train] listing folder ${domain}`);
    }
    entries.push(fileEntry(join(path, name), name));
  }
  const held = found.foreign.length > 0 ? `only ${found.foreign.length} BMP or PPM files` : 'none';
  if (entries.length === 0) {
    throw new CycleganError(
      'input',
      `${where}: expected images (jpg, png, tif, webp) or TFRecords (tfrec), got ${held}. Point at a folder that holds some.`,
    );
  }
  return { kind: 'folder', entries, foreign: found.foreign };
}

function fileEntry(file: string, name: string): ImageEntry {
  // A third of the time of the asynchronous one, which counts with 100,000 files.
  const found: Stats | undefined = statSync(file, { throwIfNoEntry: false });
  const bytes = found?.size ?? 0;
  return {
    name,
    bytes,
    identity: JSON.stringify([resolve(file), bytes, found?.mtimeMs ?? 0]),
    read: async () => file,
  };
}

interface Found {
  images: string[];
  foreign: string[];
  /** TFRecord files; the empty name where the place itself is one. */
  records: string[];
}

async function findFiles(path: string, where: string): Promise<Found> {
  const found: Found = { images: [], foreign: [], records: [] };
  if (!(await stat(path)).isDirectory()) {
    if (RECORDS.test(path)) return { ...found, records: [''] };
    throw new CycleganError(
      'input',
      `${where}: expected a folder, got a file. Point at the folder that holds the images, or at a TFRecord file (.tfrec).`,
    );
  }
  const entered = new Set<string>();
  let links: string[] = [];
  const enter = async (folder: string) => {
    const real = await realpath(join(path, folder));
    if (entered.has(real)) return;
    entered.add(real);
    for (const entry of await readdir(join(path, folder), { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) await enter(name);
      else if (entry.isSymbolicLink() && (await isFolder(join(path, name)))) links.push(name);
      else if (entry.isFile() || entry.isSymbolicLink()) {
        const extension = extname(name).toLowerCase();
        if (READABLE.has(extension)) found.images.push(name);
        else if (FOREIGN.has(extension)) found.foreign.push(name);
        else if (RECORDS.test(name)) found.records.push(name);
      }
    }
  };
  // What lies in the folder itself comes before what is linked into it; of several links the first by name counts.
  await enter('');
  while (links.length > 0) {
    const linked = inByteOrder(links);
    links = [];
    for (const folder of linked) await enter(folder);
  }
  return {
    images: inByteOrder(found.images),
    foreign: inByteOrder(found.foreign),
    records: inByteOrder(found.records),
  };
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

/** Byte order is the same on every machine; the order of UTF-16 units is not that of the bytes. */
function inByteOrder(names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, bytes: Buffer.from(name) }))
    .sort((left, right) => Buffer.compare(left.bytes, right.bytes))
    .map(({ name }) => name);
}

async function reading<Result>(where: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof CycleganError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an error';
    const got = code === 'ENOENT' ? 'nothing there' : code;
    throw new CycleganError(
      'input',
      `${where}: expected a folder that can be read, got ${got}. Check the path.`,
      {
        cause,
      },
    );
  }
}
