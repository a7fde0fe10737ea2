/** A training process killed in the middle, again and again: resumed, it ends where an unbroken run ends, to the bit. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCheckpoint } from '@cyclegan/model';
import { readMetrics, type TrainOptions, train } from '@cyclegan/train';
import { expect, test } from 'vitest';
import { gradientFolder, temporaryFolder } from './temp-folder.ts';

const folder = temporaryFolder();
const child = fileURLToPath(new URL('support/train-child.mjs', import.meta.url));

/** Trains in another process until it has printed `until` and so many milliseconds more, and kills that. */
async function trainAndKill(options: TrainOptions, until: string, later = 0): Promise<void> {
  const training = spawn(process.execPath, [child, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  training.stdout.on('data', (chunk) => {
    printed += chunk;
    if (printed.includes(`${until}\n`)) setTimeout(() => training.kill('SIGKILL'), later);
  });
  const [, signal] = await once(training, 'close');
  expect(signal, `still training after ${until}`).toBe('SIGKILL');
}

const base = async (): Promise<TrainOptions> => ({
  a: await gradientFolder(join(folder, 'a'), 4, 0),
  b: await gradientFolder(join(folder, 'b'), 3, 100),
  size: 24,
  ngf: 2,
  blocks: 1,
  pool: 3,
  steps: 400,
  decaySteps: 200,
  checkpointEvery: 8,
  out: join(folder, 'whole'),
});

/** Of the last checkpoint, which must be whole; 0 where there is none yet. */
async function lastStep(run: string): Promise<number> {
  const begun = await stat(join(run, 'checkpoints', 'latest')).catch(() => undefined);
  if (!begun) return 0;
  return (await readCheckpoint(run, { onWarning: (message) => expect.unreachable(message) })).step;
}

test('killed twenty times at any moment, it ends as if nothing had been', async () => {
  const whole = await base();
  await train(whole);
  const broken = { ...whole, out: join(folder, 'broken') };
  await trainAndKill(broken, 'begun');
  let reached = 0;
  for (let kill = 0; kill < 20; kill++) {
    // Anywhere in the next two checkpoints, some moments later: while one is written, too.
    const until = kill % 5 === 4 ? 'begun' : `step ${reached + 1 + ((kill * 5) % 16)}`;
    await trainAndKill({ ...broken, resume: true }, until, (kill * 37) % 50);
    const step = await lastStep(broken.out);
    expect(step).toBeGreaterThanOrEqual(reached);
    reached = step;
  }
  expect(reached).toBeGreaterThan(0);
  const resumed = await train({ ...broken, resume: true });
  expect(resumed).toMatchObject({ finished: true, step: whole.steps });

  const metrics = async ({ out }: TrainOptions) =>
    (await readMetrics(join(out, 'metrics.jsonl'))).map(({ step, epoch, lr, losses }) => ({
      step,
      epoch,
      lr,
      losses,
    }));
  expect(await metrics(broken)).toEqual(await metrics(whole));
  for (const file of ['weights.safetensors', 'optimizer.safetensors']) {
    const bytes = ({ out }: TrainOptions) => readFile(join(out, 'checkpoints', '400', file));
    expect((await bytes(broken)).equals(await bytes(whole)), file).toBe(true);
  }
});
