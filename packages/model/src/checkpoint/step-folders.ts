/**
 * The folders below `checkpoints/`: which steps are there, in which order to try them, how one comes into its place
 * and when it goes. Knows nothing of what is in them.
 */
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';
import { syncFolder, TEMPORARY_PREFIX } from './atomic.js';

/** The file beside the step folders that names the newest. */
export const LATEST = 'latest';
/** The file that names the one that did best on held-out images. */
export const BEST = 'best';
/** A step that is written a second time moves the first aside under this name until it is in its place. */
const REPLACED_PREFIX = '.replaced-';

/**
 * The step folders of a run in the order to try: the one that `latest` names, the older ones, the newer ones.
 * @throws CycleganError `run` when there is none
 */
export async function findCheckpoints(run: string): Promise<string[]> {
  const folder = join(run, 'checkpoints');
  const places = await listSteps(folder);
  if (places.size === 0) {
    const kind = await kindOf(run);
    throw new CycleganError(
      'run',
      `[model] ${run}: expected a run folder with a checkpoint in it, got ${kind === 'folder' ? 'a folder without' : (kind ?? 'nothing there')}. Check the path, or train first.`,
    );
  }
  const latest = (await namedStep(join(folder, LATEST))) ?? Number.POSITIVE_INFINITY;
  const later = (step: number) => (step > latest ? 1 : 0);
  const order = [...places.keys()].sort((one, other) => later(one) - later(other) || other - one);
  // A named step that is not there must not go unnoticed: it is tried, fails, and is warned of.
  if (Number.isFinite(latest) && !places.has(latest)) order.unshift(latest);
  return order.map((step) => places.get(step) ?? join(folder, String(step)));
}

/** The step that a file like `latest` names; undefined where there is no such file. */
export async function namedStep(file: string): Promise<number | undefined> {
  // Whoever points at a file of weights by mistake should not wait until it is read.
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  const text = size > 0 && size < 100 ? await readFile(file, 'utf8').catch(() => '') : '';
  return /^\d{1,15}\s*$/.test(text) ? Number(text) : undefined;
}

/** Step → folder, for all that are complete. A step caught between its two renames is found where it waits. */
async function listSteps(folder: string): Promise<Map<number, string>> {
  const names = await readdir(folder).catch(() => []);
  const steps = new Map<number, string>();
  for (const prefix of [REPLACED_PREFIX, '']) {
    for (const name of names) {
      const digits = name.slice(prefix.length);
      if (name.startsWith(prefix) && /^\d{1,15}$/.test(digits)) steps.set(Number(digits), join(folder, name));
    }
  }
  return steps;
}

/**
 * Renames a finished folder to its step. Where the step is there already it takes two renames, since a folder
 * cannot be renamed onto a full one.
 */
export async function moveIntoPlace(beside: string, folder: string, step: number): Promise<void> {
  const path = join(folder, String(step));
  const aside = join(folder, `${REPLACED_PREFIX}${step}`);
  await syncFolder(beside);
  if ((await kindOf(path)) === undefined) return rename(beside, path);
  await rename(path, aside);
  await rename(beside, path);
  await rm(aside, { recursive: true, force: true });
}

/** Removes what a killed writer left half done, and puts back what it had moved aside. */
export async function cleanUp(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.startsWith(REPLACED_PREFIX)) {
      const place = join(folder, name.slice(REPLACED_PREFIX.length));
      if ((await kindOf(place)) === undefined) await rename(path, place);
      else await rm(path, { recursive: true, force: true });
    } else if (name.startsWith(TEMPORARY_PREFIX)) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

/**
 * Removes all but the best and the newest `keep` of the steps up to this one. Steps beyond it are left: they are of
 * another course, and not this writer's to judge.
 */
export async function prune(folder: string, step: number, keep: number): Promise<void> {
  const best = await namedStep(join(folder, BEST));
  const steps = [...(await listSteps(folder)).keys()].filter((other) => other <= step);
  const old = steps
    .sort((one, other) => other - one)
    .slice(keep)
    .filter((other) => other !== best);
  for (const each of old) {
    // Renamed first, so that a kill in the middle leaves no half of one under a good name.
    const gone = join(folder, `${TEMPORARY_PREFIX}${each}`);
    await rename(join(folder, String(each)), gone);
    await rm(gone, { recursive: true, force: true });
  }
}

/** Undefined when nothing is there. */
export async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch {
    return undefined;
  }
}
