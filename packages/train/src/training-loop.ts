/** The training loop: batches in, engine steps, reports, samples, evaluations and checkpoints out. Makes none of what
 * it uses. */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CycleganError, isCycleganError } from '@cyclegan/runtime-core';
import { evaluationInterval, freshPlateau, lookAt, type RunConfig } from './config/index.js';
import type { Engine, EngineState } from './engine.js';
import type { Batch, DataSource } from './feed/batches.js';
import { epochOf, learningRateAt, stepInput } from './feed/step-input.js';
import type { Judge } from './held-out.js';
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
  samples: Samples;
  /** Figures on held-out images; absent where there are none. */
  judge: Judge | undefined;
  /** Event files for TensorBoard; absent unless asked for. */
  events: EventSink | undefined;
  facts: TrainingFacts;
  from: number;
  signal: AbortSignal | undefined;
  emit: (event: TrainEvent) => void;
}

/** Images that are translated again and again, [count, C, H, W] each. */
export interface Samples {
  a: Float32Array;
  b: Float32Array;
  count: number;
  height: number;
  width: number;
}

/** Where figures and pictures go beside the run folder's own files. */
export interface EventSink {
  scalars(step: number, values: Record<string, number>): Promise<void>;
  image(step: number, tag: string, path: string): Promise<void>;
}

/** Trains from step `from` to the config's last, until the signal, or until patience ends. */
export async function runLoop(loop: Loop): Promise<TrainResult> {
  const { run, config, engine, data, samples, judge, events, from, signal, emit } = loop;
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const facts = { ...loop.facts };
  const evalEvery = evaluationInterval(config);
  const looks = judge !== undefined || config.lrPolicy === 'plateau';
  let waited = 0;
  let losses: Losses | undefined;
  let step = from;
  let savedAt = from > 0 ? from : -1;

  const exhausted = () => config.patience !== null && (facts.best?.since ?? 0) >= config.patience;
  const isBest = () => facts.best !== undefined && facts.best.step === step;

  const save = async () => {
    if (savedAt === step) return;
    const state = await engine.getState();
    // A gradient that overflowed is in the weights one step before any loss shows it.
    if (!isFiniteState(state)) throw diverged('weights', 'others', step, savedAt);
    const now = { ...facts, elapsed: loop.facts.elapsed + seconds() };
    const path = await saveState(run, config, { step, engine: state, facts: now }, isBest());
    savedAt = step;
    await writeReport({ run });
    emit({ type: 'checkpoint', step, path, best: isBest() });
  };
  const sample = async () => {
    const made = await engine.sample(samples);
    const path = join(run, 'samples', `${String(step).padStart(6, '0')}.png`);
    await samplesPng({ path, images: { realA: samples.a, realB: samples.b, ...made }, ...samples });
    await events?.image(step, 'samples', path);
    emit({ type: 'sample', path });
  };
  const look = async () => {
    let value = facts.cycle && facts.cycle.count > 0 ? facts.cycle.sum / facts.cycle.count : undefined;
    if (judge) {
      const { metrics, value: judged } = await judge.evaluate();
      facts.best = nextBest(facts.best, judge, judged, step);
      const best = isBest();
      await appendMetrics(run, {
        step,
        epoch: epochOf(step - 1, data.stepsPerEpoch),
        eval: metrics,
        metric: judge.metric,
        best,
      });
      await events?.scalars(step, prefixed('eval', metrics));
      emit({ type: 'evaluation', step, metrics, metric: judge.metric, value: judged, best });
      value = judge.better === 'higher' ? -judged : judged;
    }
    if (value !== undefined) facts.plateau = lookAt(facts.plateau ?? freshPlateau, value);
    facts.cycle = { sum: 0, count: 0 };
    if (isBest()) await save();
  };
  const record = async (result: Losses, batch: Batch, learningRate: number) => {
    step++;
    losses = result;
    const bad = Object.entries(result).find(([, value]) => !Number.isFinite(value));
    if (bad) {
      const files = [...batch.files.a, ...batch.files.b].join(', ');
      throw diverged('losses', `${bad[0]} = ${bad[1]} on ${files}`, step, savedAt);
    }
    if (looks) {
      const { sum, count } = facts.cycle ?? { sum: 0, count: 0 };
      facts.cycle = { sum: sum + result.cycle_A + result.cycle_B, count: count + 1 };
    }
    const imagesPerSecond = ((step - from) * 2 * config.batch) / seconds();
    const dataWait = waited / seconds();
    if (step % config.reportEvery === 0 || step === config.steps) {
      const line: MetricsLine = {
        step,
        epoch: epochOf(step - 1, data.stepsPerEpoch),
        lr: learningRate,
        losses: result,
        imagesPerSecond: round(imagesPerSecond),
        dataWait: round(dataWait),
        elapsed: round(loop.facts.elapsed + seconds()),
      };
      await appendMetrics(run, line);
      const rates = { learning_rate: learningRate, images_per_second: imagesPerSecond };
      await events?.scalars(step, { ...prefixed('losses', result), ...rates });
    }
    const secondsLeft = ((config.steps - step) * 2 * config.batch) / imagesPerSecond;
    const { steps } = config;
    emit({
      type: 'progress',
      step,
      steps,
      losses: result,
      learningRate,
      imagesPerSecond,
      dataWait,
      secondsLeft,
    });
  };
  const rateAt = (index: number) => learningRateAt(config, index, data.stepsPerEpoch, facts.plateau?.factor);
  const take = async (index: number): Promise<Batch> => {
    const asked = performance.now();
    try {
      return await data.batch(index);
    } catch (error) {
      // The images are at fault, not the run.
      if (isCycleganError(error)) {
        await save();
        emit({ type: 'note', message: `The run is saved at step ${step}; --resume goes on from there.` });
      }
      throw error;
    } finally {
      waited += (performance.now() - asked) / 1000;
    }
  };

  if (from === 0) {
    await sample();
    // From here on there is a checkpoint to go on from, whatever happens.
    await save();
  }
  while (step < config.steps && !signal?.aborted && !exhausted()) {
    const intervals = [config.sampleEvery, config.checkpointEvery, ...(looks ? [evalEvery] : [])];
    const count = Math.min(
      engine.stepsPerRun,
      config.steps - step,
      ...intervals.map((interval) => interval - (step % interval)),
    );
    const batches: Batch[] = [];
    for (let k = 0; k < count; k++) batches.push(await take(step + k));
    const inputs = batches.map((batch, k) => stepInput(config, batch, step + k, rateAt(step + k)));
    const results = await engine.run(inputs);
    for (const [k, batch] of batches.entries()) {
      const [result, input] = [results[k], inputs[k]];
      if (!result || !input) throw new Error(`internal: the engine made ${results.length} of ${count} steps`);
      await record(result, batch, input.learningRate);
    }
    const last = step === config.steps;
    if (step % config.sampleEvery === 0 || last) await sample();
    if (looks && (step % evalEvery === 0 || last)) await look();
    if (step % config.checkpointEvery === 0 || last) await save();
    // A step may hold the event loop; signals and decoding get their turn here.
    await nextTurn();
  }
  await save();
  const stoppedEarly = step < config.steps && exhausted();
  const { metric, value, step: bestStep } = facts.best ?? {};
  return {
    run,
    step,
    steps: config.steps,
    finished: step >= config.steps || stoppedEarly,
    stoppedEarly,
    losses,
    best:
      metric === undefined || value === undefined || bestStep === undefined
        ? undefined
        : { metric, value, step: bestStep },
    dataWait: waited / seconds(),
  };
}

/** A value that is no number is no better than any. */
function nextBest(
  best: TrainingFacts['best'],
  { metric, better }: Judge,
  value: number,
  step: number,
): TrainingFacts['best'] {
  // Another figure decides since the run was resumed.
  const before = best?.metric === metric ? best : undefined;
  const improved = before === undefined || (better === 'lower' ? value < before.value : value > before.value);
  return improved ? { metric, value, step, since: 0 } : { ...before, since: before.since + 1 };
}

function prefixed(prefix: string, values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}/${name}`, value]));
}

function isFiniteState({ groups }: EngineState): boolean {
  return Object.values(groups).every(({ parameters, m, v, buffers }) =>
    [parameters, m, v, buffers].every((vector) => vector.every(Number.isFinite)),
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
