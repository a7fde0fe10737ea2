/**
 * What all routes of one server share: its limits and state, the queue, the translators, the figures. Knows no HTTP
 * beyond the problems that it throws.
 */
import { availableParallelism } from 'node:os';
import type { Direction, Manifest, Precision, TranslatorInfo } from '@cyclegan/runtime-core';
import { workersFor } from '../files/workers-for.js';
import { type Answers, createAnswers } from './answers.js';
import { type Budget, createBudget } from './budget.js';
import type { Limits } from './limits.js';
import { createMetrics, type Metrics } from './metrics.js';
import { comeBackLater, type Problem } from './problem.js';
import { optionsSchema } from './schemas.js';
import type { Answer } from './translate-route.js';
import { createTranslators, type TranslatorSettings, type Translators } from './translators.js';
import { createTurns, type Turns } from './turns.js';
import { createVisits, type Visits } from './visits.js';

export interface ServiceOptions extends TranslatorSettings {
  /** The bundle's folder. */
  bundle: string;
  manifest: Manifest;
  limits: Limits;
  /** Of requests that name none; left out: AtoB where the bundle has it. */
  direction?: Direction | undefined;
  /** Of requests that name none; left out: chosen by the manifest's figures. */
  precision?: Precision | undefined;
  /** Images that are decoded, computed and encoded at a time; default: two for each worker, and two. */
  concurrency?: number | undefined;
}

export interface Service {
  readonly manifest: Manifest;
  readonly limits: Limits;
  readonly direction: Direction;
  readonly precision: Precision | undefined;
  /** What shows through in JPEG, as CSS has it. */
  readonly background: string | undefined;
  /** The schema of what a request may ask for. */
  readonly options: ReturnType<typeof optionsSchema>;
  readonly turns: Turns;
  readonly budget: Budget;
  readonly visits: Visits;
  readonly answers: Answers<Answer>;
  readonly metrics: Metrics;
  readonly translators: Translators;
  readonly state: 'loading' | 'ready' | 'closing';
  /** What runs requests that ask for nothing else; undefined until it is loaded. */
  readonly info: TranslatorInfo | undefined;
  /** @throws Problem 503 while the model is loaded, and once the server closes */
  assertTaking(): void;
  /** Opens what runs requests that ask for nothing else. @throws CycleganError as `createTranslator` does */
  load(): Promise<void>;
  /** What is told to those who come, or still wait, while the server closes. */
  closing(): Problem;
  /** No image is taken from now on. */
  stopTaking(): void;
}

const LOADING_RETRY = 2;
const CLOSING_RETRY = 5;

export function createService(options: ServiceOptions): Service {
  const { bundle, manifest, limits, precision, concurrency, ...given } = options;
  const settings = withWorkers(given);
  const direction = given.direction ?? defaultDirection(manifest);
  const { workers, batch = 1 } = settings;
  const turns = createTurns({
    concurrency: concurrency ?? 2 * workers * batch + 2,
    queue: limits.queue,
    seconds: limits.seconds,
  });
  const budget = createBudget(limits.pendingBytes, turns);
  const visits = createVisits();
  const answers = createAnswers<Answer>({
    bytes: limits.keptBytes,
    seconds: limits.keptSeconds,
    sizeOf: ({ data }) => data.length,
  });
  const metrics = createMetrics({
    now: {
      requests: () => visits.size,
      running: () => turns.running,
      waiting: () => turns.waiting,
      pendingBytes: () => budget.used,
    },
  });
  const translators = createTranslators(bundle, settings);
  const closing = () =>
    comeBackLater('closing', 'The server is being stopped. Try again in a moment.', CLOSING_RETRY);
  let state: Service['state'] = 'loading';
  let info: TranslatorInfo | undefined;

  return {
    ...{ manifest, limits, direction, precision, options: optionsSchema(manifest) },
    background: given.background && `rgb(${given.background.join(', ')})`,
    ...{ turns, budget, visits, answers, metrics, translators },
    get state() {
      return state;
    },
    get info() {
      return info;
    },
    assertTaking() {
      if (state === 'loading') {
        throw comeBackLater('loading', 'The model is being loaded. Try again in a moment.', LOADING_RETRY);
      }
      if (state === 'closing') throw closing();
    },
    closing,
    async load() {
      await translators.use({ direction, precision }, async (translator) => {
        info = translator.info;
      });
      if (state === 'loading') state = 'ready';
    },
    stopTaking() {
      state = 'closing';
    },
  };
}

/** A server has many images to translate, as a folder has: more of them a second count, and not the lone one. */
function withWorkers({
  direction: _,
  ...settings
}: TranslatorSettings & { direction?: Direction | undefined }) {
  const { threads = availableParallelism() } = settings;
  return { ...settings, workers: settings.workers ?? workersFor(Number.POSITIVE_INFINITY, threads) };
}

function defaultDirection({ models }: Manifest): Direction {
  return models.some(({ direction }) => direction === 'AtoB') ? 'AtoB' : 'BtoA';
}
