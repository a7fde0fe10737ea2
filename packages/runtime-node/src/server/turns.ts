/**
 * Who is computed when: some images at a time, the others wait in the order they came, up to a limit. It measures how
 * fast they go, which is what Retry-After is computed from.
 */
import { comeBackLater } from './problem.js';

export interface TurnsOptions {
  /** Images that are decoded, computed and encoded at a time. */
  concurrency: number;
  /** Images that may wait. */
  queue: number;
  /** Seconds that an image has from its arrival; one that could not be done within is not let in. */
  seconds: number;
}

export interface Turns {
  readonly running: number;
  readonly waiting: number;
  /** Whole seconds until the images that are here now are done, as far as can be told; at least 1. */
  retryAfter(): number;
  /** @throws Problem 503 when the queue is full, or too long to be worked off in time */
  assertRoom(): void;
  /**
   * Waits for its turn, then works. An image whose signal fires while it waits is never begun.
   * @returns what `work` gives, and the milliseconds that were waited
   * @throws Problem as {@link assertRoom}; the signal's reason; what `work` throws
   */
  run<Result>(
    work: () => Promise<Result>,
    signal: AbortSignal,
  ): Promise<{ result: Result; waitedMs: number }>;
  /** Settles when nothing runs or waits. */
  idle(): Promise<void>;
}

/** How much the latest image counts in the mean. */
const NEWEST = 0.2;
const LONGEST_RETRY = 600;

export function createTurns({ concurrency, queue, seconds }: TurnsOptions): Turns {
  const waiting = new Set<() => void>();
  const idlers = new Set<() => void>();
  let running = 0;
  /** When the last image was done, or work began after a pause. */
  let mark = 0;
  let msPerImage: number | undefined;

  function secondsLeft(): number {
    return ((waiting.size + running) * (msPerImage ?? 0)) / 1000;
  }

  function retryAfter(): number {
    return Math.min(LONGEST_RETRY, Math.max(1, Math.ceil(secondsLeft())));
  }

  function assertRoom(): void {
    if (waiting.size < queue && secondsLeft() < seconds) return;
    throw comeBackLater(
      'busy',
      'More images are waiting than can be translated in time. Try again later.',
      retryAfter(),
    );
  }

  function begin(): void {
    if (running === 0) mark = performance.now();
    running += 1;
  }

  function end(succeeded: boolean): void {
    running -= 1;
    const now = performance.now();
    // Images overlap, so that the time between two ends, and not an image's own, says how fast they go.
    if (succeeded) {
      msPerImage = msPerImage === undefined ? now - mark : msPerImage + NEWEST * (now - mark - msPerImage);
      mark = now;
    }
    const [next] = waiting;
    if (next) {
      waiting.delete(next);
      next();
    } else if (running === 0) {
      for (const resolve of idlers) resolve();
      idlers.clear();
    }
  }

  function turn(signal: AbortSignal): Promise<void> | undefined {
    if (running < concurrency) {
      begin();
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        waiting.delete(onTurn);
        reject(signal.reason);
      };
      const onTurn = () => {
        signal.removeEventListener('abort', onAbort);
        begin();
        resolve();
      };
      waiting.add(onTurn);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  return {
    get running() {
      return running;
    },
    get waiting() {
      return waiting.size;
    },
    retryAfter,
    assertRoom,
    async run(work, signal) {
      signal.throwIfAborted();
      assertRoom();
      const asked = performance.now();
      await turn(signal);
      let succeeded = false;
      try {
        const waitedMs = performance.now() - asked;
        const result = await work();
        succeeded = true;
        return { result, waitedMs };
      } finally {
        end(succeeded);
      }
    },
    idle() {
      return running === 0 ? Promise.resolve() : new Promise((resolve) => idlers.add(resolve));
    },
  };
}
