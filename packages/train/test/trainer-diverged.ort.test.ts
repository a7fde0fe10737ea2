/** A run whose numbers stop being numbers: it stops, says where, and leaves the last good checkpoint the last. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readCheckpoint, type Tensor, writeCheckpoint } from '@cyclegan/model';
import { readMetrics, type TrainOptions, train } from '@cyclegan/train';
import { describe, expect, it } from 'vitest';
import { gradientFolder, temporaryFolder } from './temp-folder.ts';

const folder = temporaryFolder();

const optionsFor = async (name: string): Promise<TrainOptions> => ({
  a: await gradientFolder(join(folder, 'a'), 2, 0),
  b: await gradientFolder(join(folder, 'b'), 2, 100),
  size: 24,
  ngf: 2,
  blocks: 0,
  steps: 2,
  out: join(folder, name),
});

/** Options to resume a run of two steps, one vector of whose optimiser holds a value that it never could. */
async function poisonedRun(name: string, vector: string, value: number): Promise<TrainOptions> {
  const options = await optionsFor(name);
  await train(options);
  const checkpoint = await readCheckpoint(options.out);
  const optimizer = new Map<string, Tensor>(checkpoint.optimizer);
  const { shape, data } = optimizer.get(vector) ?? expect.unreachable(vector);
  optimizer.set(vector, { shape, data: data.map(() => value) });
  await writeCheckpoint({ ...checkpoint, run: options.out, optimizer });
  return { ...options, resume: true, steps: 9 };
}

const failure = (options: TrainOptions) =>
  train(options).then(
    () => expect.unreachable('it went on'),
    (error: Error & { code?: string }) => error,
  );
const kept = async ({ out }: TrainOptions) => ({
  names: (await readdir(join(out, 'checkpoints'))).sort(),
  latest: (await readFile(join(out, 'checkpoints', 'latest'), 'utf8')).trim(),
  reports: (await readMetrics(join(out, 'metrics.jsonl'))).map(({ step }) => step),
});

describe('a run that diverges', () => {
  it('stops at the first loss that is no number, naming the step, the images and the checkpoint', async () => {
    // The root of a negative square: the step's losses are sound, the weights that it makes are not.
    const options = await poisonedRun('losses', 'G.v', -1);
    const error = await failure(options);
    expect(error.code).toBe('run');
    expect(error.message).toMatch(
      /^\[train\] step 4: expected finite losses, got [A-Za-z_]+ = NaN on \d\d\.png, \d\d\.png\. The checkpoint of step 2 is good; [^\n]+\.$/,
    );
    expect(await kept(options)).toEqual({ names: ['0', '2', 'latest'], latest: '2', reports: [1, 2, 3] });
  });

  it('never saves weights that are no numbers, though no loss has shown it yet', async () => {
    const options = { ...(await poisonedRun('weights', 'D.v', -1)), checkpointEvery: 1 };
    const error = await failure(options);
    expect(error.code).toBe('run');
    expect(error.message).toMatch(
      /^\[train\] step 3: expected finite weights, got others\. The checkpoint of step 2 is good; /,
    );
    expect(await kept(options)).toEqual({ names: ['0', '2', 'latest'], latest: '2', reports: [1, 2, 3] });
  });
});

it('is not begun again where its checkpoints were lost: its reports are worth something', async () => {
  const options = await optionsFor('lost');
  await train(options);
  await rm(join(options.out, 'checkpoints'), { recursive: true });
  expect(await failure({ ...options, resume: true, steps: 9 })).toMatchObject({
    code: 'run',
    message: expect.stringMatching(/expected a run folder with a checkpoint in it/),
  });
  expect(await readMetrics(join(options.out, 'metrics.jsonl'))).toHaveLength(2);
});

it('has a checkpoint to go back to before its first step', async () => {
  const controller = new AbortController();
  const checkpoints: number[] = [];
  const stopped = await train({
    ...(await optionsFor('stopped')),
    signal: controller.signal,
    onEvent: (event) => {
      if (event.type !== 'checkpoint') return;
      checkpoints.push(event.step);
      controller.abort();
    },
  });
  expect(stopped).toMatchObject({ step: 0, finished: false, losses: undefined });
  expect(checkpoints).toEqual([0]);
});
