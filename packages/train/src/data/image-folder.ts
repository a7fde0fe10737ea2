/**
 * A folder of training images: which files it holds, in an order that is the same on every machine, and which of
 * them cannot be read. Holds names only, no pixels.
 */
import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { extname, join, relative, sep } from 'node:path';
import { CycleganError, throwIfAborted } from '@cyclegan/runtime-core';
import { whyUnusable } from './decode.js';

const READABLE = new Set(['.jpg', '.jpeg', '.png', '.tif', '.tiff', '.webp']);
/** Kinds that the reference reads and sharp's prebuilt libvips does not: named, so that nobody misses them. */
const FOREIGN = new Set(['.bmp', '.ppm']);

/** Up to this many files are read once before training begins; larger folders would keep the user waiting. */
export const CHECK_UP_TO = 10_000;

const PROGRESS_AFTER_MS = 2_000;
const PROGRESS_EVERY_MS = 200;

export interface OpenImageFolderOptions {
  path: string;
  /** Which domain the folder holds, for messages. */
  domain: 'A' | 'B';
  /** Called with one sentence for each file that is left out, in the order of the files. */
  onWarning?: ((message: string) => void) | undefined;
  /** Called while files are checked, once that has taken two seconds, and then at their end. */
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface ImageFolder {
  readonly path: string;
  readonly domain: 'A' | 'B';
  /** Paths relative to `path` with `/` between the parts, in byte order. At least two. */
  readonly files: readonly string[];
  /** How many image files were left out. */
  readonly skipped: number;
  /** Whether every file was read once; if not, an unreadable one is met, and replaced, during training. */
  readonly checked: boolean;
  /** SHA-256 over the names: equal exactly when the same files would be drawn in the same order. */
  readonly fingerprint: string;
}

/**
 * Lists the images under a folder, all the way down, and reads each once when there are no more than
 * {@link CHECK_UP_TO}. Names that begin with a dot are passed over.
 * @throws CycleganError `input`: no such folder, no images, fewer than two readable ones; `aborted`
 */
export async function openImageFolder(options: OpenImageFolderOptions): Promise<ImageFolder> {
  const { path, domain, onWarning } = options;
  const found = await listImages(path, domain);
  const readable = found.filter((file) => READABLE.has(extension(file)));
  if (readable.length === 0) {
    const held = found.length > 0 ? `only ${found.length} BMP or PPM files` : 'none';
    throw new CycleganError(
      'input',
      `[train] folder ${domain}, ${path}: expected images (jpg, png, tif, webp), got ${held}. Point at a folder that holds some.`,
    );
  }
  const checked = readable.length <= CHECK_UP_TO;
  const faults = checked ? await checkFiles(readable, options) : new Map<string, string>();
  for (const file of found) {
    const fault = READABLE.has(extension(file)) ? faults.get(file) : 'cannot be read; convert it to PNG';
    if (fault) onWarning?.(`[train] folder ${domain}: ${file} ${fault}; skipped.`);
  }
  const files = readable.filter((file) => !faults.has(file));
  if (files.length < 2) {
    throw new CycleganError(
      'input',
      `[train] folder ${domain}, ${path}: expected at least two readable images, got ${files.length} (${found.length - files.length} skipped). Add images or mend the files.`,
    );
  }
  return {
    path,
    domain,
    files,
    skipped: found.length - files.length,
    checked,
    fingerprint: createHash('sha256').update(files.join('\0')).digest('hex'),
  };
}

async function listImages(path: string, domain: 'A' | 'B'): Promise<string[]> {
  let entries: Dirent[];
  try {
    if (!(await stat(path)).isDirectory()) {
      throw new CycleganError(
        'input',
        `[train] folder ${domain}, ${path}: expected a folder, got a file. Point at the folder that holds the images.`,
      );
    }
    entries = await readdir(path, { recursive: true, withFileTypes: true });
  } catch (cause) {
    if (cause instanceof CycleganError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an error';
    const got = code === 'ENOENT' ? 'nothing there' : code;
    throw new CycleganError(
      'input',
      `[train] folder ${domain}, ${path}: expected a folder that can be read, got ${got}. Check the path.`,
      { cause },
    );
  }
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((file) => READABLE.has(extension(file)) || FOREIGN.has(extension(file)))
    .filter((file) => !file.split('/').some((part) => part.startsWith('.')))
    .map((file) => ({ file, bytes: Buffer.from(file) }))
    .sort((left, right) => Buffer.compare(left.bytes, right.bytes))
    .map(({ file }) => file);
}

/** Why each unusable file is so, by name. */
async function checkFiles(files: string[], options: OpenImageFolderOptions): Promise<Map<string, string>> {
  const { path, domain, onProgress, signal } = options;
  const faults = new Map<string, string>();
  let next = 0;
  let done = 0;
  let reportAt = Date.now() + PROGRESS_AFTER_MS;
  let reported = false;
  const worker = async () => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      throwIfAborted(signal, `[train] checking folder ${domain}`);
      const fault = await whyUnusable(join(path, file));
      if (fault) faults.set(file, fault);
      done++;
      if (Date.now() >= reportAt) {
        reportAt = Date.now() + PROGRESS_EVERY_MS;
        reported = true;
        onProgress?.({ done, total: files.length });
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, worker));
  if (reported) onProgress?.({ done, total: files.length });
  return faults;
}

function extension(file: string): string {
  return extname(file).toLowerCase();
}
