/** Which of the reference's files go together: `latest_net_G_A.pth` and `latest_net_G_B.pth`. Reads names alone. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Direction } from '@cyclegan/runtime-core';

/**
 * The files of both generators: that which is given and the one beside it, or of a folder the latest two.
 * @param path a file or a folder of the reference's checkpoints
 * @returns null where there are no such two
 */
export async function findPair(path: string): Promise<Readonly<Record<Direction, string>> | null> {
  const names = await readdir(path).catch(() => undefined);
  const latest = names
    ?.filter((name) => /_net_G_A\.pth$/.test(name))
    .sort(byEpoch)
    .at(-1);
  const given = names ? join(path, latest ?? '') : path;
  const [, before, letter, after] = /^(.*G_)([AB])(\.[^.]*)?$/.exec(basename(given)) ?? [];
  if (before === undefined) return null;
  const sibling = join(dirname(given), `${before}${letter === 'A' ? 'B' : 'A'}${after ?? ''}`);
  const found = await stat(sibling).catch(() => undefined);
  if (!found?.isFile()) return null;
  return letter === 'A' ? { AtoB: given, BtoA: sibling } : { AtoB: sibling, BtoA: given };
}

/** `latest` after every number. */
function byEpoch(one: string, other: string): number {
  const epoch = (name: string) =>
    name.startsWith('latest') ? Number.MAX_VALUE : Number.parseInt(name, 10) || 0;
  return epoch(one) - epoch(other);
}
