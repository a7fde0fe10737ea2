/**
 * What of an output folder is done: one line a file in `.cyclegan/translations.jsonl`, failures included. Only ever
 * appended to, so that a kill at any moment costs at most the line that was being written. Knows no images.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname, join, posix, sep } from 'node:path';
import { createInterface } from 'node:readline';

/** Where the ledger of an output folder is: a line of JSON for each file that was written or failed. */
export function ledgerPath(out: string): string {
  return join(out, '.cyclegan', 'translations.jsonl');
}

/** A line: of a file that was written, or of one that failed. Names are below the output folder. */
export type LedgerLine =
  | { name: string; input: string; key: string; bytes: number }
  | { name: string; input: string; error: string };

interface Done {
  key: string;
  bytes: number;
}

/** What earlier runs have done. */
export interface LedgerRecord {
  /** Whether a file of this name was ever written: else nobody needs to know its key. */
  knows(name: string): boolean;
  /** Whether it was written with this key, and is there with the size that it had. */
  has(name: string, key: string): Promise<boolean>;
}

/** Reads the ledger of a folder, if there is one. The last line of a name counts; what is no line of ours does not. */
export async function readLedger(out: string): Promise<LedgerRecord> {
  const path = ledgerPath(out);
  const done = new Map<string, Done>();
  const there = await stat(path).catch(() => undefined);
  if (there?.isFile()) {
    for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      const line = parse(text);
      if (typeof line?.['name'] !== 'string') continue;
      const { name, key, bytes } = line;
      if (typeof key === 'string' && typeof bytes === 'number') done.set(name, { key, bytes });
      else done.delete(name);
    }
  }
  return {
    knows: (name) => done.has(slashed(name)),
    async has(name, key) {
      const entry = done.get(slashed(name));
      if (entry?.key !== key) return false;
      return (await stat(join(out, name)).catch(() => undefined))?.size === entry.bytes;
    },
  };
}

export interface LedgerWriter {
  /** To be called when the file stands at its place. */
  add(line: LedgerLine): Promise<void>;
  close(): Promise<void>;
}

/** Opens the ledger of a folder, or begins one. */
export async function appendToLedger(out: string): Promise<LedgerWriter> {
  const path = ledgerPath(out);
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'a+');
  // A line that a kill cut short must not take the next one along.
  if (!(await endsWithLine(file))) await file.appendFile('\n');
  return {
    // In one call, so that the lines of two programs do not mix.
    add: (line) => file.appendFile(`${JSON.stringify({ ...line, name: slashed(line.name) })}\n`),
    close: () => file.close(),
  };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null ? { ...line } : undefined;
  } catch {
    return undefined;
  }
}

async function endsWithLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}

/** The same on every system, so that a folder can be moved. */
const slashed = (name: string) => name.split(sep).join(posix.sep);
