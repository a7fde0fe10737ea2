/** Where a token comes from: a file or the environment, and never the command line, which other users can read. */
import { readFile } from 'node:fs/promises';

/**
 * @param path of a file that holds the token alone; left out: CYCLEGAN_TOKEN
 * @returns undefined where there is neither
 * @throws CycleganError `input`
 */
export async function readToken(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return process.env['CYCLEGAN_TOKEN'] || undefined;
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    const { CycleganError } = await import('@cyclegan/runtime-core');
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CycleganError(
      'input',
      `[cyclegan] --token-file: expected a readable file, got "${reason}". Make one with: openssl rand -hex 32.`,
      { cause },
    );
  }
}
