/** The run folder's lock: one holder that lives, and none that is gone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lockRun } from '@cyclegan/train';
import { expect, it } from 'vitest';
import { temporaryFolder } from './temp-folder.ts';

const folder = temporaryFolder();
const child = fileURLToPath(new URL('support/lock-child.mjs', import.meta.url));

/** Takes the lock in another process, which then waits; undefined when it was refused. */
async function holder(run: string) {
  const process_ = spawn(process.execPath, [child, run], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [said] = await once(process_.stdout, 'data');
  if (String(said).trim() === 'locked') return process_;
  await once(process_, 'close');
  return undefined;
}

it('refuses a second holder, also of the same process, and is given back', async () => {
  const run = join(folder, 'one');
  const release = await lockRun(run);
  await expect(lockRun(run)).rejects.toMatchObject({
    code: 'run',
    message: expect.stringMatching(new RegExp(`process ${process.pid} is training in. Wait for it`)),
  });
  expect(await holder(run)).toBeUndefined();
  await release();
  await release();
  expect(await readdir(run)).toEqual([]);
  await (await lockRun(run))();
});

it('is free again after its holder was killed', async () => {
  const run = join(folder, 'killed');
  const other = await holder(run);
  await expect(lockRun(run)).rejects.toMatchObject({ code: 'run' });
  other?.kill('SIGKILL');
  if (other) await once(other, 'close');
  expect(await readdir(run)).toEqual(['.lock']);
  const release = await lockRun(run);
  expect(await readdir(run)).toEqual(['.lock']);
  await release();
});

it('knows another process of the same number', async () => {
  const run = join(folder, 'reused');
  await mkdir(run);
  const before = { pid: process.pid, host: hostname(), started: 'long ago' };
  await writeFile(join(run, '.lock'), JSON.stringify(before));
  await (await lockRun(run))();
});

it('cannot tell whether a process of another machine lives, and says what to do', async () => {
  const run = join(folder, 'elsewhere');
  await mkdir(run);
  const text = JSON.stringify({ pid: 1, host: 'another.example', started: '' });
  await writeFile(join(run, '.lock'), text);
  await expect(lockRun(run)).rejects.toThrow(/process 1 on another\.example has taken\. .* delete .*\.lock/);
  expect(await readFile(join(run, '.lock'), 'utf8')).toBe(text);
});

it('is taken over where it was never written whole', async () => {
  const run = join(folder, 'torn');
  await mkdir(run);
  await writeFile(join(run, '.lock'), '{"pid":');
  await (await lockRun(run))();
});

it('goes to one of many who ask at once, over a stale one', async () => {
  const run = join(folder, 'crowd');
  await mkdir(run);
  await writeFile(join(run, '.lock'), '');
  const asked = await Promise.allSettled(Array.from({ length: 20 }, () => lockRun(run)));
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await readdir(run)).toEqual(['.lock']);
});
