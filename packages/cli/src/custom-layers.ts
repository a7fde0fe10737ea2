/** A user's own kinds of tfjs layers, for `export` and `verify`: a module of theirs, which is run as it is. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CustomLayer } from '@cyclegan/export';

export const customLayersOption = {
  type: 'string',
  describe: 'Module whose default export lists the own layers of a tfjs model; it is run',
} as const;

/**
 * @param path of the module; undefined where none was given
 * @throws CycleganError `usage` for a module that cannot be loaded or lists no layers
 */
export async function loadCustomLayers(path: string | undefined): Promise<CustomLayer[] | undefined> {
  if (path === undefined) return undefined;
  let layers: unknown;
  try {
    ({ default: layers } = (await import(pathToFileURL(resolve(path)).href)) as { default?: unknown });
  } catch (cause) {
    throw await refused(path, cause instanceof Error ? `"${cause.message}"` : 'something else', cause);
  }
  if (Array.isArray(layers) && layers.every(isCustomLayer)) return layers;
  throw await refused(path, 'none');
}

function isCustomLayer(value: unknown): value is CustomLayer {
  return (
    typeof value === 'object' &&
    value !== null &&
    'className' in value &&
    typeof value.className === 'string' &&
    'convert' in value &&
    typeof value.convert === 'function'
  );
}

async function refused(path: string, got: string, cause?: unknown): Promise<Error> {
  // `--help` reads the option above, and loads no package.
  const { CycleganError } = await import('@cyclegan/runtime-core');
  return new CycleganError(
    'usage',
    `[export] --custom-layers ${path}: expected a module whose default export is a list of { className, convert }, got ${got}. See docs/export.md.`,
    { cause },
  );
}
