/**
 * Files and folders through a translator: decoding, computing and encoding overlap, a bounded number of images at a
 * time. What is written is whole or not there.
 */
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CycleganError, type Progress, throwIfAborted } from '@cyclegan/runtime-core';
import pLimit from 'p-limit';
import type { Sharp } from 'sharp';
import type { NodeTranslator } from '../translator/translator.js';
import { type FileJob, type ImageFormat, type OutputFormat, planFileJobs } from './file-jobs.js';

export interface FilesProgress {
  /** Files that are finished, well or not. */
  done: number;
  total: number;
  file: string;
  /** Within `file`, when it is translated in more than one tile and not finished yet. */
  tile?: Pick<Progress, 'done' | 'total'>;
  /** Why `file` failed. */
  error?: Error;
}

export interface TranslateFilesOptions {
  translator: NodeTranslator;
  /** Files, and folders that are searched to their depths. */
  inputs: readonly string[];
  /** The output folder; made if it is not there. */
  out: string;
  /** Default `keep`. JPEG has no alpha: what is clear becomes white. */
  format?: OutputFormat | undefined;
  /** 1 to 100, for JPEG and WebP; default 92. */
  quality?: number | undefined;
  /** Images that are in memory at a time; default 4: two being decoded or waiting, one computed, one encoded. */
  concurrency?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called once, when all paths have been found good and work begins. */
  onStart?: (() => void) | undefined;
  onProgress?: ((progress: FilesProgress) => void) | undefined;
}

/** Both in the order of the inputs. */
export interface TranslateFilesResult {
  translated: { file: string; output: string }[];
  failed: { file: string; error: Error }[];
}

/**
 * Translates all, and goes on past files that fail.
 * @throws CycleganError before any work: `usage` (quality, concurrency), `input` (a path that is missing, a folder
 * without images), `output` (a folder that cannot be written, an input that would be replaced); and `aborted`, after
 * which the files that were finished are there
 */
export async function translateFiles(options: TranslateFilesOptions): Promise<TranslateFilesResult> {
  const { inputs, out, format = 'keep', quality = 92, concurrency = 4, signal, onProgress } = options;
  assertWholeNumber('quality', quality, 100);
  assertWholeNumber('concurrency', concurrency, 64);
  throwIfAborted(signal, '[translate] files');
  const jobs = await planFileJobs({ inputs, out, format });
  options.onStart?.();
  const limit = pLimit(concurrency);
  const total = jobs.length;
  let done = 0;

  async function translateOne(job: FileJob): Promise<Error | undefined> {
    const file = job.input;
    const onTile = (tile: Progress) => {
      if (tile.total > 1) onProgress?.({ done, total, file, tile: { done: tile.done, total: tile.total } });
    };
    let error: Error | undefined;
    try {
      throwIfAborted(signal, '[translate] files');
      const image = await options.translator.translate(file, { signal, onProgress: onTile });
      await write(encode(image, job.format, quality), job.output);
    } catch (cause) {
      error = cause instanceof Error ? cause : new Error(String(cause));
    }
    done += 1;
    if (!signal?.aborted) onProgress?.({ done, total, file, ...(error && { error }) });
    return error;
  }

  const errors = await Promise.all(jobs.map((job) => limit(() => translateOne(job))));
  throwIfAborted(signal, '[translate] files');
  const result: TranslateFilesResult = { translated: [], failed: [] };
  for (const [i, { input: file, output }] of jobs.entries()) {
    const error = errors[i];
    if (error) result.failed.push({ file, error });
    else result.translated.push({ file, output });
  }
  return result;
}

function assertWholeNumber(what: string, value: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > most) {
    throw new CycleganError(
      'usage',
      `[translate] ${what}: expected a whole number from 1 to ${most}, got ${value}. Leave it out for the default.`,
    );
  }
}

function encode(image: Sharp, format: ImageFormat, quality: number): Sharp {
  if (format === 'jpg') return image.flatten({ background: '#ffffff' }).jpeg({ quality });
  return format === 'webp' ? image.webp({ quality }) : image.png();
}

/** Beside its place first, then renamed. */
async function write(image: Sharp, output: string): Promise<void> {
  const folder = dirname(output);
  const draft = join(folder, `.${basename(output)}.${process.pid}.draft`);
  try {
    await mkdir(folder, { recursive: true });
    await image.toFile(draft);
    await rename(draft, output);
  } catch (cause) {
    await rm(draft, { force: true });
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).trim().split('\n');
    throw new CycleganError(
      'output',
      `[translate] ${output}: expected a file that can be written, got "${reason}". Free its place or choose another output folder.`,
      { cause },
    );
  }
}
