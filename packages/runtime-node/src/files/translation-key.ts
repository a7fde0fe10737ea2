/**
 * What makes two translations the same: the input's bytes, the model, and the options that change the result. Folders
 * skip what is done by it, and the fleet names its outputs after it. Reads inputs, knows no ledger.
 */
import { createHash, hash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** Plain data; keys whose value is undefined count as left out. */
export type KeyOptions = Readonly<Record<string, unknown>>;

const PIECE = 256 * 1024;

/**
 * SHA-256 of an input's bytes, hex. A file is read in pieces, so that its size does not matter.
 * @param input a path, or the bytes themselves
 * @throws what reading throws
 */
export async function hashInput(input: string | Uint8Array): Promise<string> {
  if (typeof input !== 'string') return hash('sha256', input);
  const file = await open(input);
  try {
    const sum = createHash('sha256');
    const buffer = Buffer.allocUnsafe(PIECE);
    for (;;) {
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) return sum.digest('hex');
      sum.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/**
 * Names one translation: 64 hex digits, the same on every machine and in every order of the options.
 * @param parts.input as {@link hashInput} gives it
 * @param parts.model the SHA-256 of the model's file, from the manifest; it stands for direction and precision too
 * @param parts.options what changes the result: format, quality, size…; not threads, device or memory
 */
export function translationKey(parts: { input: string; model: string; options: KeyOptions }): string {
  return hash('sha256', JSON.stringify(sorted(parts)));
}

/** Objects with their keys in order, to all depths. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}
