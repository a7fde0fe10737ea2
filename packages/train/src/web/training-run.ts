/**
 * A training in the page, step by step: the loop that Node's trainer has, without its folder. Runs in the worker; makes
 * none of what it uses.
 */
import { CycleganError, type Pixels, writeRows } from '@cyclegan/runtime-core';
import type { RunConfig } from '../config/index.js';
import type { Engine, EngineState } from '../engine.js';
import { createBatches } from '../feed/batches.js';
import { learningRateAt, stepInput } from '../feed/step-input.js';
import type { Losses } from '../step/objective.js';
import type { WebTrainResult } from './options.js';
import type { PictureStore } from './pictures.js';
import type { TrainingEvent } from './protocol.js';

export interface TrainingRunOptions {
  config: RunConfig;
  engine: Engine;
  store: PictureStore;
}

export interface TrainingRun {
  /** Goes on from where it is, to the last step or until the signal. */
  train(options: {
    signal: AbortSignal;
    /** Whether samples are wanted. */
    samples: boolean;
    report: (event: TrainingEvent) => void;
  }): Promise<WebTrainResult>;
  /** Between two steps: steps made, and the state after them. */
  snapshot(): Promise<{ step: number; state: EngineState }>;
  /** Lets nothing else compute meanwhile; training waits between two steps. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
}

export function createTrainingRun({ config, engine, store }: TrainingRunOptions): TrainingRun {
  const { size, batch, seed, flip, steps } = config;
  const [a, b] = [store.pictures('a'), store.pictures('b')];
  const batches = createBatches({ a, b, height: size, width: size, batch, seed, flip });
  let step = 0;
  let losses: Losses | undefined;
  let last: Promise<unknown> = Promise.resolve();

  function exclusively<T>(work: () => Promise<T>): Promise<T> {
    const working = last.then(work);
    last = working.catch(() => undefined);
    return working;
  }

  async function makeStep(): Promise<{ losses: Losses; learningRate: number }> {
    const images = await batches.batch(step);
    const learningRate = learningRateAt(config, step, batches.stepsPerEpoch);
    const [made] = await engine.run([stepInput(config, images, step, learningRate)]);
    if (!made) throw new Error('internal: the engine made no step');
    const bad = Object.entries(made).find(([, value]) => !Number.isFinite(value));
    if (bad) {
      throw new CycleganError(
        'run',
        `[train] step ${step + 1}: expected finite losses, got ${bad[0]} = ${bad[1]}. Begin anew with a lower lr, or with another seed.`,
      );
    }
    step++;
    losses = made;
    return { losses: made, learningRate };
  }

  async function sample(): Promise<TrainingEvent> {
    const [ofA, ofB] = [store.samples('a'), store.samples('b')];
    const count = Math.max(ofA.length, ofB.length);
    const { fakeB, fakeA } = await engine.sample({ a: repeated(ofA, count), b: repeated(ofB, count) });
    return {
      sample: { step, AtoB: imagesOf(fakeB, ofA.length, size), BtoA: imagesOf(fakeA, ofB.length, size) },
    };
  }

  return {
    exclusively,
    snapshot: async () => ({ step, state: await engine.getState() }),
    async train({ signal, samples, report }) {
      const [started, from] = [performance.now(), step];
      const look = async () => {
        if (samples) report(await exclusively(sample));
      };
      if (step === 0 && !signal.aborted) await look();
      while (step < steps && !signal.aborted) {
        const made = await exclusively(makeStep);
        const perSecond = (step - from) / ((performance.now() - started) / 1000);
        const imagesPerSecond = 2 * batch * perSecond;
        report({
          progress: { step, steps, ...made, imagesPerSecond, secondsLeft: (steps - step) / perSecond },
        });
        if (step % config.sampleEvery === 0 || step === steps) await look();
        // WebAssembly holds up the thread; what the page asks for gets its turn here.
        await nextTurn();
      }
      return { step, steps, finished: step >= steps, losses };
    },
  };
}

/** A task of its own, unlike a promise's. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** So many images in one array, from the first again after the last. */
function repeated(images: readonly Float32Array[], count: number): Float32Array {
  const each = images[0]?.length ?? 0;
  const all = new Float32Array(count * each);
  for (let i = 0; i < count; i++) all.set(images[i % images.length] ?? [], i * each);
  return all;
}

/** The first so many images of [N, 3, size, size], as RGBA. */
function imagesOf(planes: Float32Array, count: number, size: number): Pixels[] {
  const each = 3 * size * size;
  return Array.from({ length: count }, (_, i) => {
    const output = {
      width: size,
      height: size,
      channels: 4,
      data: new Uint8Array(4 * size * size).fill(255),
    } as const;
    const data = planes.subarray(i * each, (i + 1) * each);
    writeRows(output, { width: size, height: size, channels: 3, data }, { top: 0, rows: size });
    return output;
  });
}
