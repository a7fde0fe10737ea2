/**
 * Files that are either the old ones or the new ones, whenever the machine stops: written beside, flushed to the
 * disk, renamed. Knows nothing of what is in them.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CycleganError, isCycleganError } from '@cyclegan/runtime-core';

/** How the name of everything half written begins, so that it is never taken for the finished thing. */
export const TEMPORARY_PREFIX = '.tmp-';

/**
 * Writes a whole file at once: a reader sees the old content or the new, never a part. Makes the folder.
 * @param data text is written as UTF-8
 * @throws CycleganError `output` when the place cannot be written; the old file is then untouched
 */
export async function writeAtomic(path: string, data: string | Uint8Array): Promise<void> {
  await replaceFile(path, (file) => file.writeFile(data));
}

/**
 * Like {@link writeAtomic}, for content that comes in pieces: `fill` writes to an open file that takes the
 * place of `path` only when `fill` succeeded.
 * @throws CycleganError `output` when the place cannot be written; else what `fill` threw
 */
export async function replaceFile(path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  await writing(path, async () => {
    const folder = dirname(path);
    await makeFolder(folder);
    const beside = join(folder, `${TEMPORARY_PREFIX}${randomBytes(6).toString('hex')}-${basename(path)}`);
    try {
      const file = await open(beside, 'wx');
      try {
        await fill(file);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
    await syncFolder(folder);
  });
}

/**
 * Makes a folder and its parents. Node's own recursive mkdir never comes back where a parent exists and refuses
 * with ENOENT, as /proc does (nodejs/node 31481).
 * @throws the file system's error
 */
export async function makeFolder(path: string): Promise<void> {
  const make = () =>
    mkdir(path).catch(async (error: NodeJS.ErrnoException) => {
      const there = error.code === 'EEXIST' && (await stat(path)).isDirectory();
      if (!there) throw error;
    });
  await make().catch(async (error: NodeJS.ErrnoException) => {
    const parent = dirname(path);
    if (error.code !== 'ENOENT' || parent === path) throw error;
    await makeFolder(parent);
    await make();
  });
}

/** Makes renames inside a folder last through a power cut. Windows cannot open folders, and needs no such call. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Runs `work`, which writes below `path`.
 * @throws CycleganError `output` in place of what the file system refused; else what `work` threw
 */
export async function writing<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isCycleganError(error)) throw error;
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    const code = 'code' in error ? String(error.code) : error.message;
    throw new CycleganError(
      'output',
      `[model] ${path}: expected a place that can be written, got ${reasons[code] ?? code}. Choose another folder, or mend this one.`,
      { cause: error },
    );
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'a place where nothing can be made',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'a read-only file system',
  ENOSPC: 'a full disk',
  EDQUOT: 'a full quota',
  EFBIG: 'a limit on the size of files',
  ENOTDIR: 'a file where a folder should be',
  EEXIST: 'a file where a folder should be',
  EISDIR: 'a folder where a file should be',
  ENAMETOOLONG: 'a name that is too long',
};
