/** From the name of a place to what can be read and written there. */
import { resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { S3Client } from '@aws-sdk/client-s3';
import { CycleganError } from '@cyclegan/runtime-core';
import { createFolderStorage } from './folder.js';
import type { S3Options } from './s3.js';
import { assertInside, type Storage } from './storage.js';

export type { S3Options } from './s3.js';
export type { Attempt, Storage, StoredImage } from './storage.js';

export interface StorageOptions {
  /**
   * The folder that all machines share, where this machine has it. Folders are then named below it, and none outside
   * is opened.
   */
  root?: string | undefined;
  s3?: S3Options | undefined;
}

const SHARED = 'shared:';

/**
 * The name under which all workers find what a user names here.
 * @param given a path, or `s3://bucket/prefix`
 * @throws CycleganError `usage` for a path outside `root`
 */
export function placeOf(given: string, { root }: StorageOptions = {}): string {
  if (given.startsWith('s3://')) return given === '' || given.endsWith('/') ? given : `${given}/`;
  const path = resolve(given);
  if (root === undefined) return pathToFileURL(path + sep).href;
  const base = resolve(root);
  if (path === base) return SHARED;
  if (path.startsWith(base + sep)) {
    return `${SHARED}${path
      .slice(base.length + 1)
      .split(sep)
      .join('/')}/`;
  }
  throw new CycleganError(
    'usage',
    `[fleet] ${given}: expected a folder below ${base}, which all workers share, got one outside. Move it there, or change --root.`,
  );
}

/** A place that lies in another. */
export function placeBelow(place: string, name: string): string {
  if (name === '') return place;
  return place.startsWith('file:')
    ? pathToFileURL(resolve(fileURLToPath(place), name) + sep).href
    : `${place}${name}/`;
}

export interface Storages {
  /**
   * @param place as {@link placeOf} gives it
   * @throws CycleganError `input` for a place that this machine does not open, `usage`
   */
  open(place: string): Promise<Storage>;
  /** Closes connections. Nothing may be in use. */
  dispose(): void;
}

/** Places share one client; the package for S3 is loaded when there is one to be opened. */
export function openStorages(options: StorageOptions = {}): Storages {
  let client: S3Client | undefined;
  return {
    async open(place) {
      if (place.startsWith('s3://')) {
        const { createS3Client, createS3Storage } = await loadS3(place);
        client ??= createS3Client(options.s3);
        return createS3Storage({ place, client });
      }
      const folder = folderOf(place, options);
      if (folder !== undefined) return createFolderStorage({ place, folder });
      const below = options.root === undefined ? '' : ` below ${options.root}`;
      throw new CycleganError(
        'input',
        `[fleet] ${place}: expected s3://bucket/prefix or a folder${below}, got something else. Submit and work with the same kind of --root.`,
      );
    },
    dispose: () => client?.destroy(),
  };
}

async function loadS3(place: string) {
  try {
    return await import('./s3.js');
  } catch (cause) {
    throw new CycleganError(
      'usage',
      `[fleet] ${place}: expected the package @aws-sdk/client-s3 beside this one, got none that loads. Install it.`,
      { cause },
    );
  }
}

/** Where a place is on this machine; undefined for one that it does not open. */
export function folderOf(place: string, { root }: StorageOptions): string | undefined {
  if (root === undefined) return place.startsWith('file:///') ? resolve(fileURLToPath(place)) : undefined;
  if (!place.startsWith(SHARED)) return undefined;
  const below = place.slice(SHARED.length).replace(/\/$/, '');
  if (below !== '') assertInside(below);
  return resolve(root, below);
}
