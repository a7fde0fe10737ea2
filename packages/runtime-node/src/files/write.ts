/**
 * Writes files so that whoever looks finds the whole file or none: beside its place first, then renamed.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';

/**
 * Where a file grows until it is whole: hidden, in the same folder, and of a name that no other process has.
 */
export function draftOf(path: string): string {
  return join(dirname(path), `.cyclegan-${randomUUID()}.draft`);
}

/**
 * Writes a file and the folders above it. Where several do so at once, the last one's file stands, whole.
 * @param draft in the same folder; a name that the caller can find again after a kill
 * @throws CycleganError `output`; nothing is left behind
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array, draft?: string): Promise<void> {
  await writeAtomic(path, (place) => writeFile(place, bytes), draft);
}

/**
 * As {@link writeFileAtomic}, for what is written piece by piece: `write` fills the draft that it is given.
 * @returns what `write` gives
 * @throws CycleganError `output`, and what else `write` throws; nothing is left behind
 */
export async function writeAtomic<T>(
  path: string,
  write: (draft: string) => Promise<T>,
  draft = draftOf(path),
): Promise<T> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const result = await write(draft);
    await rename(draft, path);
    return result;
  } catch (cause) {
    await rm(draft, { force: true });
    // What the file system refuses has the name of its call.
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new CycleganError(
      'output',
      `[translate] ${path}: expected a file that can be written, got "${cause.message}". Free its place or choose another one.`,
      { cause },
    );
  }
}

/**
 * Makes a folder, and makes sure that files can be made in it.
 * @throws CycleganError `output`
 */
export async function assertWritable(folder: string): Promise<void> {
  try {
    // Tried in what is there already: where that refuses as /proc does, Node's recursive mkdir never comes back.
    let parent = resolve(folder);
    while (!existsSync(parent) && dirname(parent) !== parent) parent = dirname(parent);
    await rmdir(await mkdtemp(join(await realpath(parent), '.cyclegan-')));
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CycleganError(
      'output',
      `[translate] ${folder}: expected a folder that can be written, got "${reason}". Choose another output folder.`,
      { cause },
    );
  }
}
