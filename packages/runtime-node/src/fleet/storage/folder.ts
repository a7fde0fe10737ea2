/** Images in a folder: of this machine, or on a disk that all workers share. */
import { constants } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CycleganError, isCycleganError } from '@cyclegan/runtime-core';
import { listInputs } from '../../files/list-inputs.js';
import { assertWritable, writeFileAtomic } from '../../files/write.js';
import { isVideo } from '../../video/index.js';
import { type Attempt, assertInside, MOST_BYTES, type Storage, tooLarge } from './storage.js';

/** What says that an image is not to be had, however often it is tried. */
const FINAL = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'EINVAL']);

/**
 * @param options.place as a batch names it
 * @param options.folder where that is on this machine
 */
export function createFolderStorage({ place, folder }: { place: string; folder: string }): Storage {
  function pathOf(name: string): string {
    assertInside(name);
    return join(folder, name);
  }
  // A disk that is not there now makes all its images missing, none of which is at fault.
  async function assertThere(): Promise<void> {
    if (await exists(folder)) return;
    throw new CycleganError(
      'unavailable',
      `[fleet] ${folder}: expected a folder, got nothing. Mount the disk, or mend --root.`,
    );
  }
  return {
    place,
    async *list({ without, signal } = {}) {
      for await (const { name, path } of listInputs([folder], without)) {
        signal?.throwIfAborted();
        if (!isVideo(name)) yield { name, version: await versionOf(path) };
      }
    },
    async find(name) {
      return { name, version: await versionOf(pathOf(name)) };
    },
    async read(name) {
      const path = pathOf(name);
      try {
        return await readBounded(path);
      } catch (cause) {
        if (isCycleganError(cause)) throw cause;
        await assertThere();
        throw unreadable(path, cause);
      }
    },
    has: (name) => exists(pathOf(name)),
    async write(name, bytes, _type, attempt) {
      await assertThere();
      const path = pathOf(name);
      await writeFileAtomic(path, bytes, draftOf(path, attempt));
    },
    prepare: () => assertWritable(folder),
    async tidy(name, { image, number }) {
      const path = pathOf(name);
      for (let before = 1; before < number; before += 1) {
        await rm(draftOf(path, { image, number: before }), { force: true });
      }
    },
  };
}

/** Found again by whoever takes up the work of a worker that was killed. */
function draftOf(path: string, { image, number }: Attempt): string {
  return join(dirname(path), `.cyclegan-${image}-${number}.draft`);
}

async function versionOf(path: string): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(path);
    return `${size} ${Math.trunc(mtimeMs)}`;
  } catch (cause) {
    // It fails when it is its turn, and is told of with the others that do.
    if (codeOf(cause) === 'ENOENT') return 'missing';
    throw unreadable(path, cause);
  }
}

async function readBounded(path: string): Promise<Uint8Array> {
  // Without O_NONBLOCK opening a pipe would wait for its writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) {
      throw new CycleganError('input', `[fleet] ${path}: expected a file, got something else. Remove it.`);
    }
    if (found.size > MOST_BYTES) throw tooLarge(path, found.size);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function unreadable(path: string, cause: unknown): CycleganError {
  const code = FINAL.has(codeOf(cause)) ? 'input' : 'unavailable';
  const reason = cause instanceof Error ? cause.message : String(cause);
  const fix = code === 'input' ? 'Check the path.' : 'Check the disk.';
  return new CycleganError(
    code,
    `[fleet] ${path}: expected a file that can be read, got "${reason}". ${fix}`,
    { cause },
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
