// What training says on the way: the words of each event, and how often a log is told of progress.
import { PassThrough } from 'node:stream';
import type { TrainEvent } from '@cyclegan/train';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Output } from '../dist/output.js';
import { createProgress } from '../dist/progress.js';
import { showTrainEvent } from '../dist/train-events.js';

const losses = {
  D_A: 0.25,
  G_A: 0.4,
  cycle_A: 1.5,
  idt_A: 0.5,
  D_B: 0.125,
  G_B: 0.3,
  cycle_B: 2,
  idt_B: 0.75,
};

const progress = (step: number, more: object = {}): TrainEvent => ({
  type: 'progress',
  step,
  steps: 100,
  losses,
  learningRate: 1.23456e-4,
  imagesPerSecond: 11.34,
  dataWait: 0.0213,
  secondsLeft: 250,
  ...more,
});

/** All that is written of the events, to a stream that is no terminal. */
async function say(...events: TrainEvent[]): Promise<string> {
  const stream = new PassThrough();
  const bar = await createProgress(stream as unknown as NodeJS.WriteStream, 'train');
  const note = (text: string) => bar.line(text);
  const output = { note, warn: (text: string) => note(`warning: ${text}`) } as Partial<Output> as Output;
  for (const event of events) showTrainEvent(event, output, bar);
  return String(stream.read() ?? '');
}

describe('showTrainEvent', () => {
  it('says speed, waiting, learning rate and losses, what matters most first', async () => {
    expect(await say(progress(1))).toBe(
      'train 1/100 4m 10s left, 11.3 images/s, 2.1 % waiting, lr 0.00012, cycle 1.500/2.000, idt 0.500/0.750, G 0.400/0.300, D 0.250/0.125\n',
    );
    const without = { ...losses, idt_A: 0, idt_B: 0 };
    expect(await say(progress(1, { losses: without, dataWait: 0.5 }))).toMatch(/ 50 % waiting, .*2\.000, G /);
  });

  it('says what an evaluation gave, the figure that decides first', async () => {
    const event = {
      type: 'evaluation',
      step: 40,
      metrics: { cycle_A: 0.123456, kid_AtoB: 0.01, fid_AtoB: 81.23456 },
      metric: 'kid_AtoB',
      value: 0.01,
    } as const;
    expect(await say({ ...event, best: true })).toBe(
      'held-out images at step 40: kid_AtoB 0.01 (the best so far), cycle_A 0.1235, fid_AtoB 81.23\n',
    );
    expect(await say({ ...event, best: false })).toContain('kid_AtoB 0.01, cycle_A');
  });

  it('says notes and warnings, and is silent on what needs no words', async () => {
    const words = await say(
      { type: 'note', message: 'on the CPU' },
      { type: 'warning', message: 'slow' },
      { type: 'sample', path: 'x' },
      { type: 'checkpoint', step: 1, path: 'x', best: true },
      { type: 'started', run: 'x', step: 0, steps: 1 },
    );
    expect(words).toBe('on the CPU\nwarning: slow\n');
  });
});

describe('progress where there is no terminal', () => {
  afterEach(() => void vi.useRealTimers());

  it('is told of less often the longer it takes, and at its end', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const stream = new PassThrough();
    const bar = await createProgress(stream as unknown as NodeJS.WriteStream, 'train');
    const told: number[] = [];
    for (let second = 0; second <= 3 * 3600; second++) {
      bar.update(second, 20_000);
      if (stream.read() !== null) told.push(second);
      vi.advanceTimersByTime(1000);
    }
    expect(told.slice(0, 4)).toEqual([0, 5, 10, 15]);
    const gaps = told.slice(1).map((second, at) => second - (told[at] ?? 0));
    expect(gaps.at(-1)).toBe(60);
    expect(told.length).toBeLessThan(300);
    bar.update(20_000, 20_000, 'done');
    bar.end();
    expect(String(stream.read())).toBe('train 20000/20000 done\n');
  });
});
