/**
 * Where translations go: a folder that remembers what is in it, or a ZIP. Knows names, keys and bytes; how a
 * translation is made, its caller says.
 */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';
import { isVideo } from '../video/index.js';
import { appendToLedger, type LedgerLine, ledgerPath, readLedger } from './ledger.js';
import type { FileJob } from './plan.js';
import { hashInput, type KeyOptions, translationKey } from './translation-key.js';
import { assertWritable, writeAtomic, writeFileAtomic } from './write.js';

/** How a translation is made. */
export interface Work {
  image(): Promise<Uint8Array>;
  /** Writes the file itself. */
  video(output: string): Promise<void>;
}

export interface Destination {
  /** Where a job's translation is to be found. */
  place(job: FileJob): string;
  /** @throws what `work` throws, CycleganError `output`, and {@link Full} */
  put(job: FileJob, work: Work): Promise<'translated' | 'skipped'>;
  /** Notes what will not be there. */
  failed(job: FileJob, error: Error): Promise<void>;
}

/** Nothing more can be written, to which no further file makes a difference. */
export class Full extends Error {
  override readonly name = 'Full';
}

/** What a translation is known by, besides its input. */
export interface Identity {
  /** SHA-256 of the model's file. */
  model: string;
  options: KeyOptions;
}

/**
 * Makes the folder for what will be written.
 * @throws CycleganError `output`
 */
export async function assertDestination(to: { out?: string | undefined; zip?: string | undefined }) {
  const { out, zip } = to;
  if (out !== undefined) await assertWritable(out);
  if (zip === undefined) return;
  await assertWritable(dirname(zip));
  if (!(await stat(zip).catch(() => undefined))?.isDirectory()) return;
  throw new CycleganError(
    'output',
    `[translate] ${zip}: expected a place for a ZIP, got a folder. Name a file in it.`,
  );
}

/** Gives `use` a folder that is there. */
export async function withFolder<T>(
  { out, resume, identity }: { out: string; resume: boolean; identity: Identity },
  use: (folder: Destination) => Promise<T>,
): Promise<T> {
  const done = resume ? await readLedger(out) : undefined;
  const ledger = await appendToLedger(out);
  const add = (line: LedgerLine) => ledger.add(line).catch((cause) => full(unwritable(out, cause)));
  try {
    return await use({
      place: (job) => join(out, job.name),
      async put(job, work) {
        const { input, name } = job;
        const output = join(out, name);
        const key = translationKey({ input: await hashFile(input), ...identity });
        if (await done?.has(name, key)) return 'skipped';
        const bytes = isVideo(input) ? await putVideo(output, work) : await putImage(output, work);
        await add({ name, input, key, bytes });
        return 'translated';
      },
      failed: ({ input, name }, error) => add({ name, input, error: error.message }),
    });
  } finally {
    await ledger.close();
  }
}

async function hashFile(input: string): Promise<string> {
  try {
    return await hashInput(input);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CycleganError(
      'input',
      `[translate] ${input}: expected a file that can be read, got "${reason}". Check the path.`,
      { cause },
    );
  }
}

/** @returns bytes */
async function putImage(output: string, work: Work): Promise<number> {
  const image = await work.image();
  await writeFileAtomic(output, image).catch(full);
  return image.length;
}

/** @returns bytes */
async function putVideo(output: string, work: Work): Promise<number> {
  await work.video(output).catch(full);
  return (await stat(output)).size;
}

function unwritable(out: string, cause: Error): CycleganError {
  return new CycleganError(
    'output',
    `[translate] ${ledgerPath(out)}: expected a file that can be written, got "${cause.message}". Make room or choose another output folder.`,
    { cause },
  );
}

const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

function full(error: unknown): never {
  const { cause } = error instanceof CycleganError ? error : { cause: error };
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  throw NO_ROOM.has(code) ? new Full(code, { cause: error }) : error;
}

/** Gives `use` a ZIP, which stands at its place when `use` has come to its end, and is not there if it throws. */
export async function withZip<T>(path: string, use: (zip: Destination) => Promise<T>): Promise<T> {
  return writeAtomic(path, async (draft) => {
    // Folders do without.
    const { createZip } = await import('./zip-file.js');
    const zip = createZip(draft);
    try {
      const result = await use({
        place: ({ name }) => name,
        async put({ input, name }, work) {
          if (isVideo(input)) {
            throw new CycleganError(
              'input',
              `[translate] ${input}: expected an image, which is what a ZIP is for, got a video. Translate it into a folder.`,
            );
          }
          const bytes = await work.image();
          await zip.add(name, bytes).catch((cause) => {
            throw new Full('zip', { cause });
          });
          return 'translated';
        },
        failed: async () => undefined,
      });
      await zip.close();
      return result;
    } finally {
      await zip.abandon();
    }
  });
}
