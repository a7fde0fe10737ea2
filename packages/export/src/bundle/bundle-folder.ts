/**
 * A folder comes into its place whole or not at all: filled beside it, then renamed. What is there already is replaced
 * only if it is of the same kind, and this tool's own. Knows no models.
 */
import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, readdir, readFile, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { makeFolder } from '@cyclegan/model';
import { CycleganError, isCycleganError } from '@cyclegan/runtime-core';

/** What may be replaced. */
export interface FolderKind {
  /** In words: `an older bundle`. */
  readonly kind: string;
  /** Why a folder that is not empty must be left alone, as `a folder that holds …`; undefined where it may go. */
  refusal(folder: string, names: readonly string[]): Promise<string | undefined>;
}

/** How a model card that this tool wrote ends: as long as it does, it may be replaced. */
export const CARD_MARK =
  '<!-- Written by cyclegan export, which replaces this file while this line is its last. -->';

/** Pictures for the model card. */
export const SAMPLE_FILE = /^sample-[\w-]+\.png$/;

/**
 * Lets `fill` write into a new folder, which then takes the place of `out`; its parents are made.
 * @param fill gets the new folder's path; when it throws, nothing has changed
 * @returns what `fill` returned
 * @throws CycleganError `output` when `out` holds something else than a bundle or cannot be written; what `fill` threw
 */
export function replaceBundle<T>(out: string, fill: (folder: string) => Promise<T>): Promise<T> {
  return replaceFolder(out, { kind: 'an older bundle', refusal: bundleRefusal }, fill);
}

/** As {@link replaceBundle}, for any kind of folder. */
export async function replaceFolder<T>(
  out: string,
  old: FolderKind,
  fill: (folder: string) => Promise<T>,
): Promise<T> {
  try {
    // A link stays a link: what it leads to is replaced.
    const place = await realpath(out).catch(() => resolve(out));
    const id = randomBytes(6).toString('hex');
    const beside = join(dirname(place), `.tmp-${id}`);
    await occupant(place, out, old);
    await makeFolder(dirname(place));
    await mkdir(beside);
    try {
      const result = await fill(beside);
      await move({ beside, place, out, old, aside: join(dirname(place), `.replaced-${id}`) });
      return result;
    } catch (error) {
      await rm(beside, { recursive: true, force: true });
      throw error;
    }
  } catch (error) {
    if (isCycleganError(error) || !(error instanceof Error) || !('syscall' in error)) throw error;
    throw refused(out, old, `"${error.message}"`, error);
  }
}

interface Move {
  beside: string;
  place: string;
  out: string;
  old: FolderKind;
  aside: string;
}

async function move({ beside, place, out, old, aside }: Move): Promise<void> {
  // Looked at again: a slow export leaves time to put something there.
  const found = await occupant(place, out, old);
  if (found === 'empty folder') await rmdir(place);
  if (found !== 'own') return rename(beside, place);
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
async function occupant(
  place: string,
  out: string,
  old: FolderKind,
): Promise<'nothing' | 'empty folder' | 'own'> {
  let names: string[];
  try {
    names = await readdir(place);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'nothing';
    throw error;
  }
  await access(place, constants.W_OK);
  if (names.length === 0) return 'empty folder';
  const refusal = await old.refusal(place, names);
  if (refusal !== undefined) throw refused(out, old, refusal);
  return 'own';
}

async function bundleRefusal(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const own =
      name === 'manifest.json' ||
      name.endsWith('.onnx') ||
      SAMPLE_FILE.test(name) ||
      (name === 'README.md' && (await isOwnCard(join(folder, name))));
    if (!own) return `a folder that holds ${name}`;
  }
  return (await isManifest(join(folder, 'manifest.json'))) ? undefined : 'a folder that is no bundle';
}

async function isOwnCard(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trimEnd().endsWith(CARD_MARK);
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

function refused(out: string, { kind }: FolderKind, got: string, cause?: unknown): CycleganError {
  return new CycleganError(
    'output',
    `[export] ${out}: expected a free place or ${kind} to replace, got ${got}. Choose another folder.`,
    { cause },
  );
}
