/**
 * An ONNX file and the files beside it that hold its larger tensors. Reads no more than the files have, and nothing
 * outside of the file's own folder.
 */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import type { ReadOptions } from '@cyclegan/graph';
import { CycleganError } from '@cyclegan/runtime-core';

export interface ModelFile {
  readonly bytes: Uint8Array;
  /** How to read it: bytes alone have nothing beside them. */
  readonly options: Pick<ReadOptions, 'externalData'>;
}

/** Protobuf's own limit. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;
/** Of all files of tensors together: what a bundle's own file could not hold is not read. */
const MAX_EXTERNAL_BYTES = 2 ** 31 - 1;

/**
 * @param source a path, or bytes
 * @param where the file's name, for messages
 * @throws CycleganError `input` for a file that cannot be read, or is too large
 */
export async function readModelFile(source: string | Uint8Array, where: string): Promise<ModelFile> {
  if (typeof source !== 'string') return { bytes: source, options: {} };
  try {
    const { size } = await stat(source);
    if (size > MAX_MODEL_BYTES) throw refused(where, `at most ${MAX_MODEL_BYTES} bytes`, `${size}`);
    return { bytes: await readFile(source), options: { externalData: readerBeside(source, where) } };
  } catch (cause) {
    if (cause instanceof CycleganError) throw cause;
    throw refused(where, 'a readable file', `"${cause instanceof Error ? cause.message : cause}"`, cause);
  }
}

/** Reads files in the model's folder, or below it. */
function readerBeside(model: string, where: string): (location: string) => Uint8Array {
  let total = 0;
  return (location) => {
    const path = placeBeside(model, location, where);
    total += statSync(path).size;
    if (total > MAX_EXTERNAL_BYTES) {
      throw refused(where, `at most ${MAX_EXTERNAL_BYTES} bytes of tensors beside it`, `${total}`);
    }
    return readFileSync(path);
  };
}

/** The real path of a file that a model names, links followed. */
function placeBeside(model: string, location: string, where: string): string {
  const folder = realpathSync(dirname(resolve(model)));
  let path: string;
  try {
    path = realpathSync(resolve(folder, location));
  } catch (cause) {
    throw refused(where, `the file "${location.slice(0, 200)}" with its tensors beside it`, 'none', cause);
  }
  const way = relative(folder, path);
  if (way === '' || way.split(sep)[0] === '..' || isAbsolute(way) || !statSync(path).isFile()) {
    throw refused(where, 'tensors in files of its own folder', `"${location.slice(0, 200)}"`);
  }
  return path;
}

function refused(where: string, expected: string, got: string, cause?: unknown): CycleganError {
  return new CycleganError(
    'input',
    `[export] ${where}: expected ${expected}, got ${got}. Fetch or write the model again.`,
    { cause },
  );
}
