/** A training process killed in the middle, again and again: resumed, it ends where an unbroken run ends, to the bit. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMetrics, type TrainOptions, train } from '@cyclegan/train';
import { expect, test } from 'vitest';
import { gradientFolder, temporaryFolder } from './temp-folder.ts';

const folder = temporaryFolder();
const child = fileURLToPath(new URL('support/train-child.mjs', import.meta.url));

/** Trains in another process until it has printed `until`, and kills that. */
async function trainAndKill(options: TrainOptions, until: string): Promise<void> {
  const training = spawn(process.execPath, [child, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  training.stdout.on('data', (chunk) => {
    printed += chunk;
    if (printed.includes(`${until}\n`)) training.kill('SIGKILL');
  });
  const [, signal] = await once(training, 'close');
  expect(signal, `still training after ${until}`).toBe('SIGKILL');
}

test('killed before the first checkpoint, between two, and while one is written', async () => {
  const base: TrainOptions = {
    a: await gradientFolder(join(folder, 'a'), 4, 0),
    b: await gradientFolder(join(folder, 'b'), 3, 100),
    size: 24,
    ngf: 2,
    blocks: 1,
    pool: 3,
    steps: 40,
    decaySteps: 20,
    checkpointEvery: 8,
    out: join(folder, 'whole'),
  };
  await train(base);
  const broken = { ...base, out: join(folder, 'broken') };
  await trainAndKill(broken, 'begun');
  await trainAndKill({ ...broken, resume: true }, 'step 11');
  await trainAndKill({ ...broken, resume: true }, 'step 24');
  const resumed = await train({ ...broken, resume: true });
  expect(resumed).toMatchObject({ finished: true, step: 40 });

  const metrics = async ({ out }: TrainOptions) =>
    (await readMetrics(join(out, 'metrics.jsonl'))).map(({ step, epoch, lr, losses }) => ({
      step,
      epoch,
      lr,
      losses,
    }));
  expect(await metrics(broken)).toEqual(await metrics(base));
  for (const file of ['weights.safetensors', 'optimizer.safetensors']) {
    const bytes = ({ out }: TrainOptions) => readFile(join(out, 'checkpoints', '40', file));
    expect((await bytes(broken)).equals(await bytes(base)), file).toBe(true);
  }
});
