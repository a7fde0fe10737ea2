/**
 * A data set on disk: trainA, trainB, testA and testB as folders of PNG files, drawn from a pair of icon sets.
 * Unpaired for training, paired for testing.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '@cyclegan/model';
import { CycleganError, throwIfAborted } from '@cyclegan/runtime-core';
import { commonNames, type EmojiPair, emojiPairs, loadIconSet, renderIcon } from './icon-sets.js';
import { splitNames } from './split.js';

const FOLDERS = ['trainA', 'trainB', 'testA', 'testB'] as const;
/** Marks a folder that this file made, and may therefore replace. */
const MARK = 'emoji-set.json';
const AT_ONCE = 32;

export interface RenderEmojiSetOptions {
  pair: EmojiPair;
  /** Folder to make; one that an earlier call made is kept when it fits, and replaced when it does not. */
  out: string;
  /** Edge of the pictures, pixels. */
  size: number;
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface EmojiSet {
  /** Paths of the four folders. testA and testB hold the same file names: the same icon in both styles. */
  folders: Record<(typeof FOLDERS)[number], string>;
  /** Pictures in each. */
  counts: Record<(typeof FOLDERS)[number], number>;
  /** What the two styles are called, for people. */
  labels: { a: string; b: string };
}

/**
 * Draws the whole set.
 * @throws CycleganError `usage` for a size that cannot be meant, `input` when an icon set is not installed,
 * `output` when `out` holds something else or cannot be written, `aborted`
 */
export async function renderEmojiSet(options: RenderEmojiSetOptions): Promise<EmojiSet> {
  const { pair, out, size, onProgress, signal } = options;
  if (!Number.isInteger(size) || size < 8 || size > 1024) {
    throw new CycleganError(
      'usage',
      `[emoji] size: expected a whole number of pixels from 8 to 1024, got ${size}. Choose another.`,
    );
  }
  const [a, b] = await Promise.all([loadIconSet(emojiPairs[pair].a), loadIconSet(emojiPairs[pair].b)]);
  const { trainA, trainB, test } = splitNames(commonNames(a, b));
  const jobs = [
    ...trainA.map((name) => ({ folder: 'trainA', set: a, name })),
    ...trainB.map((name) => ({ folder: 'trainB', set: b, name })),
    ...test.map((name) => ({ folder: 'testA', set: a, name })),
    ...test.map((name) => ({ folder: 'testB', set: b, name })),
  ];
  const made: EmojiSet = {
    folders: onFolders((folder) => join(out, folder)),
    counts: onFolders((folder) => jobs.filter((job) => job.folder === folder).length),
    labels: { a: emojiPairs[pair].a.label, b: emojiPairs[pair].b.label },
  };
  const mark = JSON.stringify({ pair, size, counts: made.counts, drawn: [a.lastModified, b.lastModified] });
  if ((await markOf(out)) === mark) return made;

  const beside = `${out}.${randomUUID()}.tmp`;
  try {
    for (const folder of FOLDERS) await makeFolder(join(beside, folder));
    let done = 0;
    for (let first = 0; first < jobs.length; first += AT_ONCE) {
      throwIfAborted(signal, '[emoji] drawing the icons');
      const some = jobs.slice(first, first + AT_ONCE);
      const drawn = await Promise.all(some.map((job) => renderIcon(job.set, job.name, size)));
      for (const [at, job] of some.entries()) {
        await writeFile(join(beside, job.folder, `${job.name}.png`), drawn[at] ?? '');
      }
      done += some.length;
      onProgress?.({ done, total: jobs.length });
    }
    await writeFile(join(beside, MARK), mark);
    await rm(out, { recursive: true, force: true });
    await rename(beside, out);
  } catch (cause) {
    await rm(beside, { recursive: true, force: true }).catch(() => {});
    if (cause instanceof CycleganError) throw cause;
    throw unwritable(out, cause);
  }
  return made;
}

function onFolders<T>(of: (folder: (typeof FOLDERS)[number]) => T): Record<(typeof FOLDERS)[number], T> {
  return { trainA: of('trainA'), trainB: of('trainB'), testA: of('testA'), testB: of('testB') };
}

/** What an earlier call left in `out`; undefined when nothing is there. */
async function markOf(out: string): Promise<string | undefined> {
  let names: string[];
  try {
    names = await readdir(out);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw unwritable(out, cause);
  }
  if (names.length === 0) return undefined;
  if (!names.includes(MARK)) {
    throw new CycleganError(
      'output',
      `[emoji] ${out}: expected an empty folder, got one with other files in it. Choose another.`,
    );
  }
  return readFile(join(out, MARK), 'utf8');
}

function unwritable(out: string, cause: unknown): CycleganError {
  const got = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return new CycleganError(
    'output',
    `[emoji] ${out}: expected a folder that can be written, got ${got}. Choose another.`,
    { cause },
  );
}
