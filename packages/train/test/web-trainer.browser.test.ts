/** A training in a page from images to a bundle that translates: told of, stopped, gone on with, never in the page's way. */
import { createTranslator, type Direction } from '@cyclegan/runtime-web';
import {
  createTrainer,
  type Losses,
  type TrainedBundle,
  type TrainingProgress,
  type TrainingSample,
} from '@cyclegan/train/web';
import { expect, it } from 'vitest';
import { commands } from 'vitest/browser';
import { fromBase64, toBase64 } from '../../../test/browser/bytes.ts';
import type { EncodeRequest } from '../../../test/browser/node-commands.ts';
import { lossesInPage, picture, pictureSets, rawImages } from './web-support.ts';

const run = { size: 32, ngf: 8, blocks: 1, steps: 8, decaySteps: 4, seed: 3, device: 'wasm' } as const;

it('tells of every step, shows samples, and ends in a bundle that gives those samples', async () => {
  const samples = { a: [picture('a', 5, 32, 32)], b: [picture('b', 5, 32, 32), picture('b', 6, 64, 48)] };
  const trainer = await createTrainer({ ...pictureSets(3, 40, 36), samples, sampleEvery: 3, ...run });
  expect(trainer.info).toMatchObject({ device: 'wasm', size: 32, steps: 8, seed: 3 });
  const progress: TrainingProgress[] = [];
  const seen: TrainingSample[] = [];
  const result = await trainer.train({
    onProgress: (step) => progress.push(step),
    onSample: (sample) => seen.push(sample),
  });
  expect(progress.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(result).toEqual({ step: 8, steps: 8, finished: true, losses: progress.at(-1)?.losses });
  expect(Object.keys(result.losses ?? {}).toSorted()).toEqual(
    ['D_A', 'D_B', 'G_A', 'G_B', 'cycle_A', 'cycle_B', 'idt_A', 'idt_B'].toSorted(),
  );
  expect(progress.every(({ imagesPerSecond }) => imagesPerSecond > 0)).toBe(true);
  expect(progress.at(-1)).toMatchObject({ steps: 8, secondsLeft: 0 });
  expect(seen.map(({ step }) => step)).toEqual([0, 3, 6, 8]);
  const last = seen.at(-1);
  expect([last?.AtoB.length, last?.BtoA.length]).toEqual([1, 2]);

  const { manifest, files } = await trainer.bundle({ name: 'waves', licence: 'CC0-1.0' });
  trainer.dispose();
  expect(manifest).toMatchObject({
    name: 'waves',
    licence: 'CC0-1.0',
    training: { steps: 8, size: 32, batch: 1, seed: 3, imagesA: 3, imagesB: 3 },
  });
  expect(Object.keys(files).toSorted()).toEqual(['AtoB.fp32.onnx', 'BtoA.fp32.onnx', 'manifest.json']);
  for (const direction of ['AtoB', 'BtoA'] as const) {
    const translator = await createTranslator(files, { device: 'wasm', direction });
    const [image] = samples[direction === 'AtoB' ? 'a' : 'b'];
    const translated = await translator.translate(image as ImageData);
    await translator.dispose();
    const sample = last?.[direction][0];
    expect(furthestByte(translated.data, sample?.data)).toBeLessThanOrEqual(1);
    const inNode = await translateSaved(files, direction, image as ImageData);
    expect(furthestByte(inNode, sample?.data)).toBeLessThanOrEqual(1);
  }
});

it('stops after the step under way, and goes on as if it had never stopped', async () => {
  const sets = pictureSets(3, 36, 36);
  const whole = await lossesInPage({ ...sets, ...run });
  const trainer = await createTrainer({ ...sets, ...run });
  const losses: Losses[] = [];
  const controller = new AbortController();
  const onProgress = (progress: TrainingProgress) => {
    losses.push(progress.losses);
    if (progress.step === 3) controller.abort();
  };
  const stopped = await trainer.train({ signal: controller.signal, onProgress });
  expect(stopped.finished).toBe(false);
  expect(stopped.step).toBe(losses.length);
  expect(stopped.step).toBeLessThan(8);
  const bundle = await trainer.bundle();
  expect(bundle.manifest.training?.steps).toBe(stopped.step);
  const none = await trainer.train({ signal: AbortSignal.abort(), onProgress });
  expect(none).toEqual({ ...stopped, finished: false });
  expect((await trainer.train({ onProgress })).finished).toBe(true);
  trainer.dispose();
  expect(losses).toEqual(whole);
});

it('leaves the page free: no task of it takes 100 ms', async () => {
  const tasks: number[] = [];
  const observer = new PerformanceObserver((list) =>
    tasks.push(...list.getEntries().map(({ duration }) => duration)),
  );
  observer.observe({ type: 'longtask' });
  await new Promise((resolve) => setTimeout(resolve));
  const until = performance.now() + 120;
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve));
  const trainer = await createTrainer({ ...pictureSets(6, 300, 200), ...run, ngf: 16, blocks: 2 });
  const training = trainer.train();
  const bundling = trainer.bundle();
  await Promise.all([training, bundling]);
  trainer.dispose();
  // Entries come after the tasks that they are of.
  await new Promise((resolve) => setTimeout(resolve, 100));
  tasks.push(...observer.takeRecords().map(({ duration }) => duration));
  observer.disconnect();
  // The observer does see such tasks: the longest is the one made above.
  const [made, next = 0] = tasks.toSorted((x, y) => y - x);
  expect(made).toBeGreaterThanOrEqual(120);
  expect(next).toBeLessThan(100);
});

it('ends at once when it is disposed, and then refuses', async () => {
  const trainer = await createTrainer({ ...pictureSets(2, 36, 36), ...run, steps: 100_000 });
  const training = trainer.train();
  await expect(trainer.train()).rejects.toMatchObject({ code: 'usage', message: /one call at a time/ });
  trainer.dispose();
  trainer.dispose();
  await expect(training).rejects.toMatchObject({ code: 'aborted' });
  await expect(trainer.train()).rejects.toMatchObject({ code: 'aborted' });
  await expect(trainer.bundle()).rejects.toMatchObject({ code: 'aborted' });
});

/** By runtime-node, from a folder. */
async function translateSaved(files: TrainedBundle['files'], direction: Direction, image: ImageData) {
  const saved = Object.entries(files).map(
    async ([name, file]) => [name, toBase64(new Uint8Array(await file.arrayBuffer()))] as const,
  );
  const [raw] = rawImages([image]);
  const png = await commands.encodeImage({ ...raw, format: 'png' } as EncodeRequest);
  const bundle = Object.fromEntries(await Promise.all(saved));
  const { rgba } = await commands.translateInNode({ bundle, direction, image: png });
  return fromBase64(rgba);
}

/** The largest difference of any byte; NaN where one has more. */
function furthestByte(found: ArrayLike<number>, expected: ArrayLike<number> | undefined): number {
  return Array.from(found).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (expected?.[i] ?? Number.NaN))),
    found.length === expected?.length ? 0 : Number.NaN,
  );
}
