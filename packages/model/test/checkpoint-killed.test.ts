/** A writer that is killed in the middle, again and again: the run folder always reads, and never goes back. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readCheckpoint } from '@cyclegan/model';
import { expect, test } from 'vitest';

const writer = fileURLToPath(new URL('support/write-checkpoints.mjs', import.meta.url));

test('killed at twelve different moments', { timeout: 60_000 }, async () => {
  const run = await mkdtemp(join(tmpdir(), 'killed-'));
  let last = -1;
  for (let round = 0; round < 12; round += 1) {
    const child = spawn(process.execPath, [writer, run, String(last + 1)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    const closed = once(child, 'close');
    await Promise.race([once(child.stdout, 'data'), closed]);
    expect(child.exitCode, 'the writer ended by itself').toBeNull();
    await sleep(3 + 7 * round);
    child.kill('SIGKILL');
    await closed;

    const reported = Number(printed.trim().split('\n').at(-1));
    const read = await readCheckpoint(run, { onWarning: (message) => expect.unreachable(message) });
    const count = Number(read.state);
    expect(count).toBeGreaterThanOrEqual(reported);
    expect(read.step).toBe(Math.floor(count / 2));
    for (const { data } of [...read.weights.values(), ...read.optimizer.values()]) {
      expect(data.every((value) => value === count)).toBe(true);
    }
    last = count;
  }
  await rm(run, { recursive: true });
});
