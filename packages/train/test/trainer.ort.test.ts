import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readMetrics, type TrainOptions, train } from '@cyclegan/train';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradientFolder, temporaryFolder } from './temp-folder.ts';

const folder = temporaryFolder();
const small = {
  size: 32,
  ngf: 4,
  blocks: 1,
  batch: 2,
  pool: 5,
  seed: 7,
  checkpointEvery: 10,
} satisfies Partial<TrainOptions>;
/** On resuming these come from the run. */
const kept = { pool: undefined, size: undefined, ngf: undefined, blocks: undefined, batch: undefined };
let base: Pick<TrainOptions, 'a' | 'b'>;

beforeAll(async () => {
  base = {
    a: await gradientFolder(join(folder, 'a'), 5, 0),
    b: await gradientFolder(join(folder, 'b'), 7, 100),
  };
});

const run = (name: string) => join(folder, name);
const losses = async (name: string) =>
  (await readMetrics(join(run(name), 'metrics.jsonl'))).map(({ step, lr, losses }) => ({ step, lr, losses }));
const weights = (name: string, step: number) =>
  readFile(join(run(name), 'checkpoints', String(step), 'weights.safetensors'));
const optimizer = (name: string, step: number) =>
  readFile(join(run(name), 'checkpoints', String(step), 'optimizer.safetensors'));

describe('resume', () => {
  it('is exact to the last bit after a stop on request', async () => {
    await train({ ...base, ...small, out: run('whole'), steps: 30, decaySteps: 20 });
    const controller = new AbortController();
    const stopped = await train({
      ...base,
      ...small,
      out: run('halves'),
      steps: 30,
      decaySteps: 20,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.step === 15) controller.abort();
      },
    });
    expect(stopped).toMatchObject({ finished: false, step: 15, steps: 30 });
    const resumed = await train({ ...base, out: run('halves'), resume: true });
    expect(resumed).toMatchObject({ finished: true, step: 30 });
    expect(await losses('halves')).toEqual(await losses('whole'));
    expect((await weights('halves', 30)).equals(await weights('whole', 30))).toBe(true);
    expect((await optimizer('halves', 30)).equals(await optimizer('whole', 30))).toBe(true);
  });

  it('is exact when a run is made longer, and after losing what came behind the checkpoint', async () => {
    await train({ ...base, ...small, out: run('straight'), steps: 16 });
    await train({ ...base, ...small, out: run('longer'), steps: 8 });
    // As a kill leaves it: reports beyond the last checkpoint.
    await writeFile(
      join(run('longer'), 'metrics.jsonl'),
      `${await readFile(join(run('longer'), 'metrics.jsonl'), 'utf8')}{"step":9,"epo`,
    );
    await train({ ...base, out: run('longer'), resume: true, steps: 16 });
    expect(await losses('longer')).toEqual(await losses('straight'));
    expect((await weights('longer', 16)).equals(await weights('straight', 16))).toBe(true);
  });

  it('differs with another seed, so that equality above means something', async () => {
    await train({ ...base, ...small, seed: 8, out: run('other'), steps: 8 });
    expect((await losses('other'))[0]).not.toEqual((await losses('straight'))[0]);
  });
});

describe('threads', () => {
  it('stay as they were on resuming, and another number is warned of', async () => {
    await train({ ...base, ...small, out: run('single'), steps: 2, threads: 1 });
    const config = async () => JSON.parse(await readFile(join(run('single'), 'config.json'), 'utf8')).threads;
    await train({ ...base, out: run('single'), resume: true, steps: 3 });
    expect(await config()).toBe(1);
    const warnings: string[] = [];
    await train({
      ...base,
      out: run('single'),
      resume: true,
      steps: 4,
      threads: 2,
      onEvent: (event) => event.type === 'warning' && warnings.push(event.message),
    });
    expect(warnings).toEqual([expect.stringMatching(/threads 2 instead of 1/)]);
  });
});

describe('a run folder', () => {
  it('holds config, metrics, samples, report and checkpoints', async () => {
    const config = JSON.parse(await readFile(join(run('straight'), 'config.json'), 'utf8'));
    expect(config).toMatchObject({
      size: 32,
      steps: 16,
      batch: 2,
      seed: 7,
      networks: { generator: { ngf: 4, blocks: 1 } },
    });
    expect((await losses('straight')).map(({ step }) => step)).toEqual(
      Array.from({ length: 16 }, (_, i) => i + 1),
    );
    expect((await readFile(join(run('straight'), 'samples', '000016.png'))).subarray(1, 4).toString()).toBe(
      'PNG',
    );
    expect(await readFile(join(run('straight'), 'report.html'), 'utf8')).toContain('<svg');
    expect((await readFile(join(run('straight'), 'checkpoints', 'latest'), 'utf8')).trim()).toBe('16');
  });

  it('follows the learning rate down', async () => {
    const rates = (await losses('whole')).map(({ lr }) => lr);
    expect(new Set(rates.slice(0, 10))).toEqual(new Set([2e-4]));
    expect(rates.at(-1)).toBeCloseTo(2e-4 / 21, 10);
    expect(rates.slice(9)).toEqual([...rates.slice(9)].sort((x, y) => y - x));
  });
});

describe('refuses', () => {
  const refusal = (options: Partial<TrainOptions>) =>
    train({ ...base, ...small, out: run('new'), steps: 2, ...options }).then(
      () => undefined,
      (error: Error & { code?: string }) => ({ code: error.code, message: error.message }),
    );

  it.each<[string, Partial<TrainOptions>, string, RegExp]>([
    ['a size that is no multiple of 4', { size: 34 }, 'usage', /multiple of 4 from 8.*got 34/],
    ['a size that the discriminator cannot judge', { size: 20 }, 'usage', /got 20/],
    ['a load size below the size', { loadSize: 16 }, 'usage', /at least the size, 32, got 16/],
    ['nothing to resume', { resume: true }, 'run', /config\.json/],
    ['a place where nothing can be made', { out: '/proc/x/y' }, 'output', /can be written/],
    [
      'more than the machine has',
      { size: 2048, ngf: 1024, blocks: 64, batch: 1024 },
      'usage',
      /memory: .* GB/,
    ],
    ['a missing folder', { a: '/nonexistent' }, 'input', /expected a folder/],
  ])('%s', async (_, options, code, message) => {
    const error = await refusal(options);
    expect(error?.code).toBe(code);
    expect(error?.message).toMatch(message);
    expect(error?.message.split('\n')).toHaveLength(1);
  });

  it('a folder that holds a run, and another config on resuming, and keeps the run as it was', async () => {
    const before = await weights('straight', 16);
    expect(await refusal({ out: run('straight') })).toMatchObject({
      code: 'run',
      message: expect.stringMatching(/--resume/),
    });
    expect(await refusal({ out: run('straight'), resume: true, size: 64 })).toMatchObject({
      code: 'run',
      message: expect.stringMatching(/expected size 32 .* got 64/),
    });
    expect((await weights('straight', 16)).equals(before)).toBe(true);
  });

  it('a run folder among the images', async () => {
    expect(await refusal({ out: join(base.a, 'run') })).toMatchObject({
      code: 'output',
      message: expect.stringMatching(/outside the images/),
    });
  });

  it('fewer steps than are made', async () => {
    expect(await refusal({ out: run('straight'), resume: true, steps: 3, ...kept })).toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/at least the 16 .* got 3/),
    });
  });

  it('a run folder whose checkpoint has other networks', async () => {
    await rm(run('mixed'), { recursive: true, force: true });
    await train({ ...base, ...small, out: run('mixed'), steps: 1 });
    const path = join(run('mixed'), 'config.json');
    const config = JSON.parse(await readFile(path, 'utf8'));
    config.networks.generator.ngf = 6;
    await writeFile(path, JSON.stringify(config));
    expect(await refusal({ out: run('mixed'), resume: true, ngf: undefined, steps: 4 })).toMatchObject({
      code: 'run',
      message: expect.stringMatching(/networks in config\.json/),
    });
  });
});
