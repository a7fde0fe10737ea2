/**
 * A bundle's folder comes into its place whole or not at all: filled beside it, then renamed. What is there already
 * is replaced only if it is a bundle. Knows no models.
 */
import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, readdir, readFile, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { makeFolder } from '@cyclegan/model';
import { CycleganError, isCycleganError } from '@cyclegan/runtime-core';

/**
 * Lets `fill` write into a new folder, which then takes the place of `out`; its parents are made.
 * @param fill gets the new folder's path; when it throws, nothing has changed
 * @returns what `fill` returned
 * @throws CycleganError `output` when `out` holds something else than a bundle or cannot be written; what `fill` threw
 */
export async function replaceBundle<T>(out: string, fill: (folder: string) => Promise<T>): Promise<T> {
  try {
    // A link stays a link: what it leads to is replaced.
    const place = await realpath(out).catch(() => resolve(out));
    const id = randomBytes(6).toString('hex');
    const beside = join(dirname(place), `.tmp-${id}`);
    await occupant(place, out);
    await makeFolder(dirname(place));
    await mkdir(beside);
    try {
      const result = await fill(beside);
      await move(beside, place, out, join(dirname(place), `.replaced-${id}`));
      return result;
    } catch (error) {
      await rm(beside, { recursive: true, force: true });
      throw error;
    }
  } catch (error) {
    if (isCycleganError(error) || !(error instanceof Error) || !('syscall' in error)) throw error;
    throw refused(out, `"${error.message}"`, error);
  }
}

async function move(beside: string, place: string, out: string, aside: string): Promise<void> {
  // Looked at again: a slow export leaves time to put something there.
  const found = await occupant(place, out);
  if (found === 'empty folder') await rmdir(place);
  if (found !== 'bundle') return rename(beside, place);
  await rename(place, aside);
  try {
    await rename(beside, place);
  } catch (error) {
    await rename(aside, place);
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}

/** What is in the place now. @throws CycleganError `output` for what must not be replaced */
async function occupant(place: string, out: string): Promise<'nothing' | 'empty folder' | 'bundle'> {
  let names: string[];
  try {
    names = await readdir(place);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'nothing';
    throw error;
  }
  await access(place, constants.W_OK);
  if (names.length === 0) return 'empty folder';
  const foreign = names.find((name) => name !== 'manifest.json' && !name.endsWith('.onnx'));
  if (foreign !== undefined) throw refused(out, `a folder that holds ${foreign}`);
  if (!(await isManifest(join(place, 'manifest.json')))) throw refused(out, 'a folder that is no bundle');
  return 'bundle';
}

/** A manifest of any version; other programs call files manifest.json too. */
async function isManifest(path: string): Promise<boolean> {
  try {
    const json: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof json === 'object' && json !== null && 'format' in json && json.format === 'cyclegan-bundle';
  } catch {
    return false;
  }
}

function refused(out: string, got: string, cause?: unknown): CycleganError {
  return new CycleganError(
    'output',
    `[export] ${out}: expected a free place or an older bundle to replace, got ${got}. Choose another folder.`,
    { cause },
  );
}
