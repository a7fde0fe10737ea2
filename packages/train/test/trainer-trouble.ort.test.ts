/** What goes wrong around a run: a full disk, images that vanish, a second process, networks that do not fit. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCheckpoint } from '@cyclegan/model';
import { type TrainOptions, train } from '@cyclegan/train';
import { describe, expect, it } from 'vitest';
import { gradientFolder, temporaryFolder } from './temp-folder.ts';

const folder = temporaryFolder();
const child = fileURLToPath(new URL('support/train-child.mjs', import.meta.url));

const optionsFor = async (name: string, more: Partial<TrainOptions> = {}): Promise<TrainOptions> => ({
  a: await gradientFolder(join(folder, name, 'a'), 3, 0),
  b: await gradientFolder(join(folder, name, 'b'), 3, 100),
  size: 24,
  ngf: 2,
  blocks: 1,
  steps: 4,
  checkpointEvery: 2,
  out: join(folder, name, 'run'),
  ...more,
});
const failure = (options: TrainOptions) =>
  train(options).then(
    () => expect.unreachable('it went on'),
    (error: Error & { code?: string }) => error,
  );
const weights = async (run: string, step: number) =>
  (await readCheckpoint(join(run, 'checkpoints', `${step}`))).weights;

describe('a run', () => {
  it('says that the disk is full, and keeps what it had', async () => {
    const options = await optionsFor('full');
    await train(options);
    const before = await readdir(join(options.out, 'checkpoints'));
    // The shell's limit on the size of files stands for a disk that takes no more.
    const script = `ulimit -f 16; exec "$0" "$@"`;
    const more = { ...options, resume: true, steps: 8 };
    const training = spawn('bash', ['-c', script, process.execPath, child, JSON.stringify(more)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    training.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const [code] = await once(training, 'close');
    expect(code).not.toBe(0);
    expect(said).toMatch(/expected a place that can be written, got a limit on the size of files/);
    expect((await readdir(join(options.out, 'checkpoints'))).sort()).toEqual(before.sort());
    expect((await readCheckpoint(options.out)).step).toBe(4);
    expect(await train(more)).toMatchObject({ finished: true, step: 8 });
  });

  it('whose images vanish stops with a checkpoint, and goes on when they are back', async () => {
    const options = await optionsFor('vanished', { steps: 30, checkpointEvery: 1000 });
    await gradientFolder(options.a, 60, 0);
    await gradientFolder(options.b, 60, 100);
    const whole = { ...options, out: join(folder, 'vanished', 'whole') };
    await train(whole);
    const away = `${options.a}-away`;
    const notes: string[] = [];
    const error = await failure({
      ...options,
      onEvent: (event) => {
        if (event.type === 'note') notes.push(event.message);
        if (event.type === 'progress' && event.step === 3) void rename(options.a, away);
      },
    });
    expect(error.code).toBe('input');
    expect(error.message).toContain(options.a);
    const { step } = await readCheckpoint(options.out);
    expect(step).toBeGreaterThanOrEqual(3);
    expect(notes.at(-1)).toBe(`The run is saved at step ${step}; --resume goes on from there.`);
    await rename(away, options.a);
    await train({ ...options, resume: true });
    expect(await weights(options.out, 30)).toEqual(await weights(whole.out, 30));
  });

  it('is refused to a second trainer while the first is at it, and not afterwards', async () => {
    const options = await optionsFor('twice');
    let second: Promise<Error & { code?: string }> | undefined;
    await train({
      ...options,
      onEvent: (event) => {
        if (event.type === 'progress' && event.step === 1) second = failure({ ...options, resume: true });
      },
    });
    expect(await second).toMatchObject({ code: 'run', message: expect.stringMatching(/is training in/) });
    expect(await train({ ...options, resume: true, steps: 5 })).toMatchObject({ step: 5 });
  });

  it('that cannot have its device leaves no run behind', async () => {
    const options = await optionsFor('device', { device: 'cuda' });
    expect(await failure(options)).toMatchObject({ code: 'device' });
    expect(await readdir(options.out).catch(() => [])).toEqual([]);
    expect(await train({ ...options, device: 'cpu' })).toMatchObject({ finished: true });
  });
});

describe('held-out images', () => {
  it('choose the best checkpoint, which stays, and end a run that gets no better', async () => {
    const held = {
      valA: await gradientFolder(join(folder, 'va'), 2, 50),
      valB: await gradientFolder(join(folder, 'vb'), 2, 150),
    };
    // With so high a rate it soon is worse than at its beginning.
    const options = await optionsFor('early', {
      ...held,
      valPaired: true,
      lr: 0.5,
      steps: 60,
      evalEvery: 2,
      patience: 2,
      keep: 1,
      best: 'ssim',
    });
    const evaluations: { step: number; value: number; best: boolean }[] = [];
    const result = await train({
      ...options,
      onEvent: (event) => {
        if (event.type !== 'evaluation') return;
        expect(event.metric).toBe('ssim');
        const { step, value, best } = event;
        expect(value).toBeCloseTo(
          ((event.metrics['ssim_AtoB'] ?? 0) + (event.metrics['ssim_BtoA'] ?? 0)) / 2,
          12,
        );
        evaluations.push({ step, value, best });
      },
    });
    const best = evaluations.reduce((one, other) => (other.value > one.value ? other : one));
    expect(result).toMatchObject({
      stoppedEarly: true,
      finished: true,
      step: best.step + 4,
      best: { metric: 'ssim', step: best.step },
    });
    expect(evaluations.map(({ step }) => step)).toEqual(evaluations.map((_, i) => 2 * (i + 1)));
    expect(evaluations.filter((one) => one.best).at(-1)).toEqual(best);
    expect((await readCheckpoint(join(options.out, 'checkpoints', 'best'))).step).toBe(best.step);
    const kept = (await readdir(join(options.out, 'checkpoints'))).filter((name) => /^\d+$/.test(name));
    expect(kept.map(Number).sort((x, y) => x - y)).toEqual([best.step, result.step]);
    const log = await readFile(join(options.out, 'metrics.jsonl'), 'utf8');
    expect(log.split('\n').filter((line) => line.includes('"eval"'))).toHaveLength(evaluations.length);
    // Nothing has changed, so that it ends at once; with more patience it goes on.
    expect(
      await train({
        ...options,
        ...{ valA: undefined, valB: undefined, valPaired: undefined, best: undefined },
        lr: undefined,
        patience: undefined,
        resume: true,
      }),
    ).toMatchObject({ stoppedEarly: true, step: result.step });
    expect(await train({ ...options, lr: undefined, patience: 3, resume: true })).toMatchObject({
      step: result.step + 2,
    });
  });

  it.each<[Partial<TrainOptions>, RegExp]>([
    [{ best: 'l1' }, /expected pairs \(--val-paired\) beside l1/],
    [{ best: 'kid' }, /expected a feature network \(--features\) beside kid/],
    [{ best: 'beauty' }, /expected one of .*got beauty/],
  ])('are refused with %j', async (more, message) => {
    const options = await optionsFor('refused', {
      valA: join(folder, 'va'),
      valB: join(folder, 'vb'),
      ...more,
    });
    await rm(options.out, { recursive: true, force: true });
    const error = await failure(options);
    expect(error).toMatchObject({ code: 'usage', message: expect.stringMatching(message) });
    expect(await readdir(options.out).catch(() => [])).toEqual([]);
  });
});
