/**
 * A bundle's folder: its manifest, and its model files with their checks. A translator's model is read by the worker that
 * opens it, so that hashing does not hold up the program.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CycleganError,
  checkModelFile,
  type Manifest,
  type ModelEntry,
  parseManifest,
  reasonOf,
} from '@cyclegan/runtime-core';

/** The model file: a path, or its bytes. */
export type NodeSource = string | Uint8Array;

/** More than 64 models with the largest self-checks that the schema allows would ever need in practice. */
const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

export interface Bundle {
  folder: string;
  manifest: Manifest;
}

/**
 * @param folder one that holds a `manifest.json`
 * @throws CycleganError `bundle`
 */
export async function readBundle(folder: string): Promise<Bundle> {
  const path = join(folder, 'manifest.json');
  return { folder, manifest: parseManifest(await readJson(path), folder) };
}

async function readJson(path: string): Promise<unknown> {
  try {
    const bytes = await readRegular(path, (size) => {
      if (size > MAX_MANIFEST_BYTES) throw new Error(`it is ${size} bytes long`);
    });
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new CycleganError(
      'bundle',
      `[bundle] ${path}: expected a readable manifest, got "${reasonOf(cause)}". Point at a folder that \`cyclegan export\` wrote.`,
      { cause },
    );
  }
}

/**
 * A pipe or a device could be read for ever, so that only files are. Links are followed: stores of content and packages
 * are made of them, and what they lead to has to have the manifest's hash like any other.
 * @param allow throws for a size that is not to be read
 */
async function readRegular(path: string, allow: (size: number) => void): Promise<Buffer> {
  const found = await stat(path);
  if (!found.isFile()) throw new Error('it is not a file');
  allow(found.size);
  return readFile(path);
}

/** What a manifest's entry, of a model or of a variant, says of the file itself. */
export type ModelFile = Pick<ModelEntry, 'file' | 'bytes' | 'sha256'>;

/**
 * Reads the file whose size and hash the manifest names; what is hashed is what is run.
 * @throws CycleganError `bundle` for a file that is not the manifest's, or none
 */
export async function readModel(model: ModelFile, file: NodeSource): Promise<Uint8Array> {
  const bytes = typeof file === 'string' ? await readSized(model, file) : file;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  checkModelFile(model, { bytes: bytes.length, sha256 }, typeof file === 'string' ? file : model.file);
  return bytes;
}

async function readSized(model: ModelFile, path: string): Promise<Uint8Array> {
  try {
    return await readRegular(path, (bytes) => checkModelFile(model, { bytes }, path));
  } catch (cause) {
    if (cause instanceof CycleganError) throw cause;
    throw new CycleganError(
      'bundle',
      `[bundle] ${path}: expected a readable model file, got "${reasonOf(cause)}". Copy or export the bundle again.`,
      { cause },
    );
  }
}
