/**
 * A bundle's folder: finds and reads its manifest. The model files are read and checked by the worker that opens
 * them, so that hashing does not hold up the program.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CycleganError, type Manifest, parseManifest } from '@cyclegan/runtime-core';

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
    const { size } = await stat(path);
    if (size > MAX_MANIFEST_BYTES) throw new Error(`it is ${size} bytes long`);
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CycleganError(
      'bundle',
      `[bundle] ${path}: expected a readable manifest, got "${reason}". Point at a folder that \`cyclegan export\` wrote.`,
      { cause },
    );
  }
}
