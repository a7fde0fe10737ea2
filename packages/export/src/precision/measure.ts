/** A model beside float32: how near its answers are, and how fast it is, both on this machine's CPU. */
import type { Tensor } from '@cyclegan/model';
import { CycleganError } from '@cyclegan/runtime-core';
import { INPUT_NAME } from '../bundle/model-interface.js';
import type { Run } from '../ort/graph-session.js';
import { withSession } from '../ort/session.js';
import { pause, type Quality, qualityOf } from './quality.js';

/** Runs of a millisecond say little one by one. */
const SHORT_RUNS_MS = 500;
const MOST_ROUNDS = 50;

export interface MeasureOptions {
  /** ONNX bytes. */
  fp32: Uint8Array;
  /** ONNX bytes of a model with the same input and output. */
  candidate: Uint8Array;
  /** [N, C, H, W] on [-1, 1]; the speed is that on the first. */
  images: readonly Tensor[];
  /** Name of the models' only input; default `image`. */
  input?: string | undefined;
  /** How often each model is timed at least; default 5. Short runs are timed more often. */
  rounds?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface Measured extends Quality {
  /**
   * float32's time over the candidate's: above 1 the candidate is faster. Each one's shortest of the rounds in which
   * they took turns, since what else the machine does can only add. Of this machine alone.
   */
  speed: number;
}

/**
 * @throws CycleganError `input` without images, `aborted`; what onnxruntime throws for a model that it cannot run
 */
export async function measure(options: MeasureOptions): Promise<Measured> {
  const { fp32, candidate, images, input = INPUT_NAME, rounds = 5, signal } = options;
  const [first] = images;
  if (!first) {
    throw new CycleganError(
      'input',
      '[measure] images: expected one or more, got none. Give some of the kind that the model translates.',
    );
  }
  return withSession(fp32, 'all', (runFp32) =>
    withSession(candidate, 'all', async (runCandidate) => {
      const feed = async (run: Run, image: Tensor) => {
        await pause(signal, '[measure] model');
        return run(new Map([[input, image]]));
      };
      const pairs: [Tensor, Tensor][] = [];
      for (const image of images) pairs.push([await feed(runFp32, image), await feed(runCandidate, image)]);
      const time = async (run: Run) => {
        await pause(signal, '[measure] model');
        const started = performance.now();
        await run(new Map([[input, first]]));
        return performance.now() - started;
      };
      let [fp32Time, candidateTime] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      const started = performance.now();
      const goOn = (round: number) =>
        round < rounds || (round < MOST_ROUNDS && performance.now() - started < SHORT_RUNS_MS);
      for (let round = 0; goOn(round); round++) {
        fp32Time = Math.min(fp32Time, await time(runFp32));
        candidateTime = Math.min(candidateTime, await time(runCandidate));
      }
      return { ...qualityOf(pairs), speed: fp32Time / candidateTime };
    }),
  );
}
