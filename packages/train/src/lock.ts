/**
 * One process a run folder: a lock file that names its holder. A holder that was killed leaves it behind, and the
 * next one sees that the process is gone. Not for folders that several machines share: there it can only refuse.
 */
import { randomBytes } from 'node:crypto';
import { link, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { makeFolder, TEMPORARY_PREFIX, writing } from '@cyclegan/model';
import { CycleganError } from '@cyclegan/runtime-core';
import { z } from 'zod';

const LOCK = '.lock';
/** Removing a lock takes no time; whoever began it so long ago was killed. */
const ABANDONED_MS = 10_000;

const holderSchema = z.object({
  pid: z.number().int().positive(),
  host: z.string(),
  /** When the process began, as the system counts it; empty where it does not say. Pids are used again. */
  started: z.string(),
});

/** Gives the lock back; idempotent. */
export type Release = () => Promise<void>;

/**
 * Takes the lock of a run folder, making the folder.
 * @throws CycleganError `run` while another process that lives holds it, `output` when it cannot be written
 */
export async function lockRun(run: string): Promise<Release> {
  const lock = join(run, LOCK);
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), started: await startOf(process.pid) });
  const beside = join(run, `${TEMPORARY_PREFIX}lock-${randomBytes(6).toString('hex')}`);
  await writing(run, async () => {
    await makeFolder(run);
    // Linked into place, so that nobody ever reads half of one.
    await writeFile(beside, mine, { flag: 'wx' });
    try {
      while (!(await tryLink(beside, lock))) await removeStale(run, lock);
    } finally {
      await unlink(beside);
    }
  });
  return async () => {
    if ((await readFile(lock, 'utf8').catch(() => '')) === mine) await rm(lock, { force: true });
  };
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Comes back when the lock is gone. @throws CycleganError `run` when its holder lives, or may live */
async function removeStale(run: string, lock: string): Promise<void> {
  const text = await readFile(lock, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  await refuseLiving(run, lock, text);
  // Of several who judged it alike one removes it, and looks again first: another may have taken its place since.
  const breaking = `${lock}-breaking`;
  try {
    await writeFile(breaking, '', { flag: 'wx' });
  } catch {
    const { mtimeMs } = await stat(breaking).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > ABANDONED_MS) await rm(breaking, { force: true });
    await setTimeout(20);
    return;
  }
  try {
    if ((await readFile(lock, 'utf8').catch(() => undefined)) === text) await unlink(lock);
  } finally {
    await rm(breaking, { force: true });
  }
}

async function refuseLiving(run: string, lock: string, text: string): Promise<void> {
  let holder: z.infer<typeof holderSchema>;
  try {
    holder = holderSchema.parse(JSON.parse(text));
  } catch {
    // Nothing that this program wrote whole: it holds nobody back.
    return;
  }
  const { pid, host, started } = holder;
  const elsewhere = host !== hostname();
  if (!elsewhere && !(isAlive(pid) && (await startOf(pid)) === started)) return;
  throw new CycleganError(
    'run',
    elsewhere
      ? `[train] ${run}: expected a run folder that nobody is training in, got one that process ${pid} on ${host} has taken. Stop it there; if it is gone, delete ${lock}.`
      : `[train] ${run}: expected a run folder that nobody is training in, got one that process ${pid} is training in. Wait for it, stop it, or choose another folder.`,
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process may not be signalled, and lives.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Clock ticks from the machine's start to the process's, which Linux tells; elsewhere nothing. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the program's name in brackets, and may hold blanks.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
