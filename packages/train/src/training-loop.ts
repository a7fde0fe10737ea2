/** The training loop: batches in, engine steps, reports, samples and checkpoints out. Makes none of what it uses. */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CycleganError } from '@cyclegan/runtime-core';
import { type RunConfig, rateFactor } from './config.js';
import type { DataSource } from './data/index.js';
import type { Engine, EngineState } from './engine.js';
import type { ImagePool } from './image-pool.js';
import { type MetricsLine, samplesPng, writeReport } from './report/index.js';
import { appendMetrics, saveState, type TrainingFacts } from './run-folder.js';
import type { Losses } from './step/objective.js';
import type { TrainEvent, TrainResult } from './train-events.js';

/** All that the loop works with, made by `train`. */
export interface Loop {
  run: string;
  config: RunConfig;
  engine: Engine;
  data: DataSource;
  pools: { A: ImagePool; B: ImagePool };
  samples: Samples;
  facts: TrainingFacts;
  from: number;
  signal: AbortSignal | undefined;
  emit: (event: TrainEvent) => void;
}

/** Trains from step `from` to the config's last, or until the signal. */
export async function runLoop({
  run,
  config,
  engine,
  data,
  pools,
  samples,
  facts,
  from,
  signal,
  emit,
}: Loop): Promise<TrainResult> {
  const started = performance.now();
  const elapsed = () => facts.elapsed + (performance.now() - started) / 1000;
  let waited = 0;
  let losses: Losses | undefined;
  let step = from;
  let savedAt = from > 0 ? from : -1;

  const save = async () => {
    if (savedAt === step) return;
    const engineState = engine.getState();
    // A gradient that overflowed is in the weights one step before any loss shows it.
    if (!isFiniteState(engineState)) throw diverged('weights', 'others', step, savedAt);
    const state = {
      step,
      engine: engineState,
      pools: { A: pools.A.getImages(), B: pools.B.getImages() },
      facts: { ...facts, elapsed: elapsed() },
    };
    const path = await saveState(run, config, state);
    savedAt = step;
    await writeReport({ run });
    emit({ type: 'checkpoint', step, path });
  };
  const sample = async () => {
    const made = await engine.sample(samples);
    const path = join(run, 'samples', `${String(step).padStart(6, '0')}.png`);
    await samplesPng({
      path,
      images: { realA: samples.a, realB: samples.b, ...made },
      count: samples.count,
      size: config.size,
    });
    emit({ type: 'sample', path });
  };

  if (from === 0) {
    await sample();
    // From here on there is a checkpoint to go on from, whatever happens.
    await save();
  }
  while (step < config.steps && !signal?.aborted) {
    const asked = performance.now();
    const batch = await data.batch(step);
    waited += performance.now() - asked;
    const epoch = Math.floor(step / data.stepsPerEpoch) + 1;
    const learningRate = config.learningRate * rateFactor(config, step + 1, epoch);
    const choice = { A: pools.A.choose(step), B: pools.B.choose(step) };
    const result = await engine.step({ a: batch.a, b: batch.b, pool: choice, learningRate });
    pools.A.store(result.fake.A);
    pools.B.store(result.fake.B);
    step++;
    losses = result.losses;
    const bad = Object.entries(losses).find(([, value]) => !Number.isFinite(value));
    if (bad) {
      const files = [...batch.files.a, ...batch.files.b].join(', ');
      throw diverged('losses', `${bad[0]} = ${bad[1]} on ${files}`, step, savedAt);
    }
    const perSecond = ((step - from) * 2 * config.batch) / ((performance.now() - started) / 1000);
    if (step % config.reportEvery === 0 || step === config.steps) {
      const line: MetricsLine = {
        step,
        epoch,
        lr: learningRate,
        losses,
        imagesPerSecond: round(perSecond),
        elapsed: round(elapsed()),
      };
      await appendMetrics(run, line);
    }
    const secondsLeft = ((config.steps - step) * 2 * config.batch) / perSecond;
    emit({ type: 'progress', step, steps: config.steps, losses, imagesPerSecond: perSecond, secondsLeft });
    if (step % config.sampleEvery === 0 || step === config.steps) await sample();
    if (step % config.checkpointEvery === 0 || step === config.steps) await save();
    // A step holds the event loop; signals and decoding get their turn here.
    await nextTurn();
  }
  await save();
  const total = performance.now() - started;
  return { run, step, steps: config.steps, finished: step >= config.steps, losses, dataWait: waited / total };
}

/** Images that are translated again and again, [count, 3, S, S] each. */
export interface Samples {
  a: Float32Array;
  b: Float32Array;
  count: number;
}

function isFiniteState({ groups }: EngineState): boolean {
  return Object.values(groups).every((group) =>
    [group.parameters, group.m, group.v].every((vector) => vector.every(Number.isFinite)),
  );
}

function diverged(what: string, got: string, step: number, lastGood: number): CycleganError {
  return new CycleganError(
    'run',
    `[train] step ${step}: expected finite ${what}, got ${got}. The checkpoint of step ${lastGood} is good; begin another run with a lower --lr, or look at those images.`,
  );
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}
