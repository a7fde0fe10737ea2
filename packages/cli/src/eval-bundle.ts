/**
 * What `cyclegan eval` measures: the bundle itself, or one exported for the occasion from a run or a checkpoint, and
 * at which size and which ways.
 */
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportBundle } from '@cyclegan/export';
import { CycleganError, type Direction, type Manifest } from '@cyclegan/runtime-core';
import { readBundle } from '@cyclegan/runtime-node';

/**
 * Lends a bundle to `use`. A source without a manifest is exported to a temporary folder, which is gone afterwards.
 * @throws CycleganError as {@link readBundle} and {@link exportBundle}
 */
export async function withBundle<Result>(
  options: { source: string; signal: AbortSignal; onWarning: (message: string) => void },
  use: (bundle: string, manifest: Manifest) => Promise<Result>,
): Promise<Result> {
  const { source, ...rest } = options;
  const exists = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );
  if ((await exists(join(source, 'manifest.json'))) || !(await exists(source))) {
    return use(source, (await readBundle(source)).manifest);
  }
  const folder = await mkdtemp(join(tmpdir(), 'cyclegan-eval-'));
  try {
    const { bundle, manifest } = await exportBundle({ source, out: join(folder, 'bundle'), ...rest });
    return await use(bundle, manifest);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws CycleganError `usage` where neither says it */
export function evaluationSize(asked: number | undefined, { training, name }: Manifest): number {
  const size = asked ?? training?.size;
  if (size !== undefined) return size;
  throw new CycleganError(
    'usage',
    `[cyclegan] eval: expected --size for ${name}, which does not say at what size it was trained, got none. Add --size, as 256.`,
  );
}

/** @throws CycleganError `bundle` for a direction that the bundle does not have */
export function evaluationDirections(asked: Direction | 'both', { models, name }: Manifest): Direction[] {
  const held = (['AtoB', 'BtoA'] as const).filter((direction) =>
    models.some((model) => model.direction === direction),
  );
  if (asked === 'both') return held;
  if (held.includes(asked)) return [asked];
  throw new CycleganError(
    'bundle',
    `[cyclegan] eval: expected a bundle with ${asked}, got ${name}, which has ${held.join(', ')} only. Choose that, or export both directions.`,
  );
}
