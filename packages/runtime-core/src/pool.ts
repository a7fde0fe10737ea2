/**
 * One model in several workers: a queue of images, the worker that each goes to, and what happens when one dies. Knows
 * neither files nor devices; who shares a pool, and when it ends, is its caller's affair.
 */
import { CycleganError, errorFromData, isCycleganError } from './errors.js';
import { paddedSide } from './pixels.js';
import type { CallOptions, Frame } from './translator.js';
import { nextId, type RemoteSession, type WorkerClient } from './worker-client.js';
import type { Answer, Job, Opened, OpenRequest } from './worker-protocol.js';

export interface PoolOptions<Source> extends Pick<CallOptions, 'onProgress'> {
  /** One for each worker. The first is opened at once, each other when images wait for it. */
  requests: readonly [OpenRequest<Source>, ...OpenRequest<Source>[]];
  /** The most images of one padded size that share a run. */
  batch: number;
  /** A worker for a session: a fresh one, or one that has others too. */
  connect(request: OpenRequest<Source>): WorkerClient<Source>;
}

/** Called with the promise of the answer at hand: the signal's reason is what a stopped call rejects with. */
export interface PoolCall extends Pick<CallOptions, 'onProgress'> {
  signal: AbortSignal;
}

export interface Pool {
  /** Settles when the first worker has passed the self-check; rejects with what its provider threw. */
  readonly opened: Promise<Opened>;
  /** False once it was ended, or its workers died one after the other. */
  readonly usable: boolean;
  readonly workers: number;
  readonly batch: number;
  /** @throws CycleganError as a translation does; `device` when its worker died */
  run(job: Omit<Job, 'id'>, call: PoolCall): Promise<Frame>;
  /** Frees the sessions. What runs or waits must have been stopped before. Idempotent. */
  end(): Promise<void>;
}

/** Runs that a worker has at a time: the one that it computes, and the next. */
const RUNS_AHEAD = 2;
/** Workers that may die or fail to open one after the other, without an answer between, before the pool gives up. */
const MAX_FAILURES = 3;
/** A larger image fills a device by itself. */
const SHARED_RUN_PIXELS = 1024 * 1024;

interface Call {
  job: Job;
  /** Equal for images that may share a run; undefined for one that runs by itself. */
  size: string | undefined;
  onProgress: CallOptions['onProgress'];
  settle(answer: Answer): void;
  reject(error: unknown): void;
  lane?: Lane;
}

/** A session of the pool in its worker. */
interface Lane {
  request: OpenRequest<unknown>;
  session: RemoteSession;
  open: boolean;
  /** Runs that it was given and has not answered. */
  runs: number;
  /** Whether it ever answered. */
  proven: boolean;
}

export function createPool<Source>(options: PoolOptions<Source>): Pool {
  const { requests, batch } = options;
  const { model } = requests[0];
  const lanes = new Set<Lane>();
  const waiting: Call[] = [];
  let failures = 0;
  let broken: unknown;
  let ending: Promise<void> | undefined;

  function start(request: OpenRequest<Source>): RemoteSession {
    const session = options.connect(request).open(request, (progress) => options.onProgress?.(progress));
    const lane: Lane = { request, session, open: false, runs: 0, proven: false };
    lanes.add(lane);
    session.opened.then(
      () => {
        lane.open = true;
        dispatch();
      },
      (error) => drop(lane, error),
    );
    return session;
  }

  /** Gives a lane up whose worker died, or could not open the model. */
  function drop(lane: Lane, error: unknown): void {
    if (!lanes.delete(lane)) return;
    void lane.session.close();
    failures = lane.proven ? 1 : failures + 1;
    if (failures >= MAX_FAILURES && lanes.size === 0) {
      broken = isCycleganError(error) ? error : notOpened(lane.request.device, error);
      for (const call of waiting.splice(0)) call.reject(broken);
    }
    dispatch();
  }

  /** Hands out what waits, to the least loaded worker first, and starts a further worker for what is left. */
  function dispatch(): void {
    if (ending) return;
    for (const lane of lanes) if (lane.session.failure) drop(lane, lane.session.failure);
    while (waiting.length > 0) {
      const [lane] = [...lanes].filter(({ open, runs }) => open && runs < RUNS_AHEAD).sort(byLoad);
      if (!lane) break;
      void send(lane, nextCalls());
    }
    if (waiting.length === 0 || failures >= MAX_FAILURES || [...lanes].some(({ open }) => !open)) return;
    const free = requests.find((request) => ![...lanes].some((lane) => lane.request === request));
    if (free) start(free);
  }

  /** The first that waits, with those that may share its run. */
  function nextCalls(): Call[] {
    const [first] = waiting;
    if (!first) return [];
    const calls =
      first.size === undefined ? [first] : waiting.filter(({ size }) => size === first.size).slice(0, batch);
    for (const call of calls) waiting.splice(waiting.indexOf(call), 1);
    return calls;
  }

  async function send(lane: Lane, calls: readonly Call[]): Promise<void> {
    lane.runs += 1;
    for (const call of calls) call.lane = lane;
    try {
      const jobs = calls.map(({ job }) => job);
      const answers = await lane.session.translate(
        jobs,
        calls.map(({ onProgress }) => onProgress),
      );
      lane.proven = true;
      for (const [i, call] of calls.entries()) {
        const answer = answers[i];
        if (answer) call.settle(answer);
      }
    } catch (error) {
      for (const call of calls) call.reject(error);
      drop(lane, error);
    }
    lane.runs -= 1;
    dispatch();
  }

  function stop(call: Call, reason: unknown): void {
    const at = waiting.indexOf(call);
    if (at >= 0) waiting.splice(at, 1);
    else call.lane?.session.abort(call.job.id);
    call.reject(reason);
  }

  const first = start(requests[0]);
  return {
    opened: first.opened.then((facts) => ({
      ...facts,
      threads: requests.reduce((sum, { threads }) => sum + (threads ?? facts.threads), 0),
    })),
    get usable() {
      return broken === undefined && ending === undefined;
    },
    workers: requests.length,
    batch,
    run(asked, { signal, onProgress }) {
      const called = performance.now();
      return new Promise((resolve, reject) => {
        if (broken !== undefined) return reject(broken);
        const alone = batch === 1 || asked.statistics !== undefined;
        const call: Call = {
          job: { ...asked, id: nextId() },
          size: alone ? undefined : sizeOf(asked, model),
          onProgress,
          reject,
          settle(answer) {
            if ('error' in answer) return reject(errorFromData(answer.error));
            const { frame, runMs } = answer;
            resolve({ ...frame, runMs, waitMs: Math.max(0, performance.now() - called - runMs) });
          },
        };
        signal.addEventListener('abort', () => stop(call, signal.reason), { once: true });
        waiting.push(call);
        dispatch();
      });
    },
    end() {
      ending ??= Promise.all([...lanes].map(({ session }) => session.close())).then(() => undefined);
      return ending;
    },
  };
}

const byLoad = (a: Lane, b: Lane) => a.runs - b.runs;

/** The padded size of an image small enough to share a run; undefined for one that is not, or that runs in tiles. */
function sizeOf({ pixels, tile }: Omit<Job, 'id'>, model: OpenRequest<unknown>['model']): string | undefined {
  const [width, height] = [paddedSide(pixels.width, model), paddedSide(pixels.height, model)];
  const tiled = typeof tile === 'number' && Math.max(width, height) > tile;
  return tiled || width * height > SHARED_RUN_PIXELS ? undefined : `${width}x${height}`;
}

function notOpened(device: string, cause: unknown): CycleganError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CycleganError(
    'device',
    `[translator] ${device}: expected a new worker to open the model, got "${reason}". Create the translator again, with fewer workers or on another device.`,
    { cause },
  );
}
