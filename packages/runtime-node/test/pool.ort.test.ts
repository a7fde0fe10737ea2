/** Workers and what translators share of them: one pool for one model, images of one size in one run, deaths. */
import { cpSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { Pixels } from '@cyclegan/runtime-core';
import { createTranslator, type NodeTranslatorOptions } from '@cyclegan/runtime-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder, tinyBundle } from './support.ts';

/** Every worker thread that was started since the test began. */
const workers: Worker[] = [];
const remember = (worker: Worker) => workers.push(worker);
beforeAll(() => {
  process.on('worker', remember);
});
afterAll(() => {
  process.off('worker', remember);
});
beforeEach(() => {
  workers.length = 0;
});

async function open(options: NodeTranslatorOptions = {}, bundle = tinyBundle) {
  const translator = await createTranslator(bundle, { device: 'cpu', threads: 1, ...options });
  onTestFinished(() => translator.dispose());
  return translator;
}

function picture(width: number, height: number, seed = 0): Pixels & { data: Uint8Array } {
  const data = Uint8Array.from(
    { length: 3 * width * height },
    (_, i) => (i * 7 + seed * 31 + (i >> 5)) % 256,
  );
  return { width, height, channels: 3, data };
}

/** Not a message that a worker knows: it dies of it as of any bug. */
const kill = (worker: Worker | undefined) => worker?.postMessage(null);

describe('a pool', () => {
  it('is one for the same model, device and threads, and ends with its last translator', async () => {
    const [first, second] = await Promise.all([open(), open()]);
    const third = await open();
    expect(workers).toHaveLength(1);
    expect(third.info.loadMs).toBe(first.info.loadMs);
    await open({ threads: 2 });
    await open({ direction: 'BtoA' });
    expect(workers).toHaveLength(3);
    const ended = new Promise((resolve) => workers[0]?.once('exit', () => resolve('ended')));
    await first.dispose();
    await second.dispose();
    expect((await third.translatePixels(picture(16, 16))).pixels.width).toBe(16);
    await third.dispose();
    expect(await ended).toBe('ended');
    await open();
    expect(workers).toHaveLength(4);
  });

  it('reports its opening to who joins it too, and stops for nobody else', async () => {
    const controller = new AbortController();
    const stages: string[] = [];
    const onProgress = ({ stage }: { stage: string }) => stages.push(stage);
    const stopped = open({ signal: controller.signal });
    const going = open({ onProgress });
    controller.abort();
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
    expect((await (await going).translatePixels(picture(12, 12))).pixels.height).toBe(12);
    expect(stages).toEqual(['session', 'check']);
    expect(workers).toHaveLength(1);
  });

  it('goes on for others when one translator with images under way is disposed', async () => {
    const [mine, theirs] = [await open({ tile: 32 }), await open({ tile: 32 })];
    const calls = [mine, theirs].map((each) => each.translatePixels(picture(120, 90)));
    const waiting = mine.translatePixels(picture(120, 90));
    const settled = Promise.allSettled([...calls, waiting]);
    await mine.dispose();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected']);
    await expect(mine.translatePixels(picture(9, 9))).rejects.toMatchObject({ code: 'usage' });
  });

  it('is not lent to a damaged copy of its model', async () => {
    await open();
    const folder = join(temporaryFolder(), 'bundle');
    cpSync(tinyBundle, folder, { recursive: true });
    truncateSync(join(folder, 'AtoB.fp32.onnx'), 1000);
    await expect(open({}, folder)).rejects.toMatchObject({ code: 'bundle' });
  });

  it('starts a further worker when there is work for it, and gives each its share of the threads', async () => {
    const translator = await open({ threads: 3, workers: 2 });
    expect(translator.info).toMatchObject({ threads: 3, workers: 2 });
    expect(workers).toHaveLength(1);
    const single = await translator.translatePixels(picture(40, 40));
    expect(workers).toHaveLength(1);
    const images = Array.from({ length: 12 }, () => translator.translatePixels(picture(40, 40)));
    for (const { pixels } of await Promise.all(images)) expect(pixels).toEqual(single.pixels);
    expect(workers).toHaveLength(2);
    expect((await open({ threads: 2, workers: 8 })).info.workers).toBe(2);
  });

  it.each([{ threads: 1.5 }, { workers: 0 }, { batch: 0 }, { batch: 1e9 }])('refuses %j', async (options) => {
    await expect(open(options)).rejects.toMatchObject({ code: 'usage' });
    expect(workers).toHaveLength(0);
  });
});

describe('images that share a run', () => {
  it('come out as they do one by one, to the byte', async () => {
    const inputs = [
      ...[1, 2, 3, 4, 5].map((seed) => () => picture(40, 28, seed)),
      () => picture(33, 20, 6),
      // Padded, it is of the first ones' size.
      () => picture(39, 27, 7),
      () => ({
        width: 40,
        height: 28,
        channels: 4 as const,
        data: picture(40, 28 * 2, 8).data.slice(0, 4 * 40 * 28),
      }),
      () => picture(200, 150, 9),
    ];
    const alone = await open({ tile: 64 });
    const singles = [];
    for (const make of inputs) singles.push((await alone.translatePixels(make())).pixels);
    const together = await open({ tile: 64, batch: 4 });
    expect(together.info.batch).toBe(4);
    const frames = await Promise.all(inputs.map((make) => together.translatePixels(make())));
    expect(frames.map(({ pixels }) => pixels)).toEqual(singles);
    // Those of one run took one time; the first two were taken before anybody waited.
    const times = frames.map(({ runMs }) => runMs);
    expect(new Set([2, 3, 4, 6].map((i) => times[i])).size).toBe(1);
    expect(new Set(times).size).toBe(inputs.length - 3);
    for (const { waitMs, runMs } of frames) {
      expect(waitMs).toBeGreaterThanOrEqual(0);
      expect(runMs).toBeGreaterThan(0);
    }
  });

  it('fail alone', async () => {
    const translator = await open({ batch: 8 });
    const controller = new AbortController();
    const calls = [1, 2, 3, 4, 5, 6].map((seed) =>
      translator.translatePixels(picture(24, 24, seed), seed === 4 ? { signal: controller.signal } : {}),
    );
    const short = translator.translatePixels({ ...picture(24, 24), data: new Uint8Array(10) });
    controller.abort();
    const outcomes = await Promise.allSettled([...calls, short]);
    const codes = outcomes.map((each) => (each.status === 'rejected' ? each.reason.code : 'done'));
    expect(codes).toEqual(['done', 'done', 'done', 'aborted', 'done', 'done', 'input']);
  });
});

describe('pixels', () => {
  it('are moved where they can be, and copied where they are part of more', async () => {
    const translator = await open();
    const own = picture(20, 20);
    const part = { ...own, data: Buffer.concat([own.data]).subarray(0) };
    const shared = { ...own, data: new Uint8Array(new SharedArrayBuffer(1200)) };
    shared.data.set(own.data);
    const results = await Promise.all([part, shared, own].map((each) => translator.translatePixels(each)));
    for (const { pixels } of results) expect(pixels).toEqual(results[0]?.pixels);
    expect([own.data.length, part.data.length, shared.data.length]).toEqual([0, 1200, 1200]);
    expect(results[0]?.statistics).toBeNull();
  });
});

describe('an image that is stopped', () => {
  it('leaves the queue at once, and is never computed', async () => {
    const translator = await open({ tile: 32 });
    const order: string[] = [];
    const log = (name: string) => () => order.push(name);
    const controller = new AbortController();
    const { signal } = controller;
    let tiles = 0;
    const onProgress = () => {
      tiles += 1;
    };
    const running = translator.translatePixels(picture(150, 100)).then(log('running'));
    const next = translator.translatePixels(picture(100, 100)).then(log('next'));
    const waiting = translator
      .translatePixels(picture(100, 100), { signal, onProgress })
      .catch(log('stopped'));
    controller.abort();
    await Promise.all([running, next, waiting]);
    expect(order).toEqual(['stopped', 'running', 'next']);
    expect(tiles).toBe(0);
  });
});

describe('a worker that dies', () => {
  it('takes what runs on it along, with one sentence; the next image gets a new one', async () => {
    const translator = await open({ tile: 32 });
    const running = translator.translatePixels(picture(300, 200), { onProgress: () => kill(workers[0]) });
    const [queued, later] = [1, 2].map(() => translator.translatePixels(picture(20, 20)));
    const message = expect.stringMatching(
      /^\[translator\] cpu: expected its worker to live, got ".+"\. Use smaller/,
    );
    await expect(running).rejects.toMatchObject({ name: 'CycleganError', code: 'device', message });
    await expect(queued).rejects.toMatchObject({ message });
    // It waited in the program, not on the worker.
    expect((await later)?.pixels.width).toBe(20);
    expect(workers).toHaveLength(2);
    // Idle, it is missed by nobody.
    kill(workers[1]);
    await new Promise((resolve) => workers[1]?.once('exit', resolve));
    expect((await translator.translatePixels(picture(20, 20))).pixels.width).toBe(20);
    expect(workers).toHaveLength(3);
  });

  it('is replaced a bounded number of times', async () => {
    const translator = await open();
    const killEach = (worker: Worker) => kill(worker);
    process.on('worker', killEach);
    onTestFinished(() => void process.off('worker', killEach));
    kill(workers[0]);
    await new Promise((resolve) => workers[0]?.once('exit', resolve));
    for (let i = 0; i < 3; i += 1) {
      await expect(translator.translatePixels(picture(20, 20))).rejects.toMatchObject({ code: 'device' });
    }
    expect(workers).toHaveLength(3);
    // Another translator begins anew.
    process.off('worker', killEach);
    expect((await (await open()).translatePixels(picture(20, 20))).pixels.width).toBe(20);
  });
});
