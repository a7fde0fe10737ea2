/**
 * Answers kept for requests that are repeated with the same Idempotency-Key: bounded in bytes and time. Whoever comes
 * while the first is still being computed waits for it.
 */
import { LRUCache } from 'lru-cache';
import { Problem } from './problem.js';

export interface AnswersOptions<Answer> {
  /** Bytes of all that is kept. */
  bytes: number;
  /** How long an answer is kept. */
  seconds: number;
  sizeOf(answer: Answer): number;
}

export interface Answers<Answer> {
  /**
   * The answer that was given to this key before, or `compute`'s, which is then kept. What fails is not kept.
   * @param fingerprint tells the request from others with the same key
   * @throws Problem 422 for another request with the same key; the signal's reason; what `compute` throws
   */
  once(request: {
    key: string;
    fingerprint: string;
    signal: AbortSignal;
    compute: () => Promise<Answer>;
  }): Promise<{ answer: Answer; repeated: boolean }>;
}

interface Pending<Answer> {
  fingerprint: string;
  /** Undefined when it failed: whoever waited computes it then. */
  answer: Promise<Answer | undefined>;
}

/** What an entry takes beside its answer. */
const ENTRY_BYTES = 1024;

export function createAnswers<Answer extends object>(options: AnswersOptions<Answer>): Answers<Answer> {
  const kept = new LRUCache<string, { fingerprint: string; answer: Answer }>({
    maxSize: options.bytes,
    sizeCalculation: ({ answer }) => options.sizeOf(answer) + ENTRY_BYTES,
    ttl: options.seconds * 1000,
  });
  const pending = new Map<string, Pending<Answer>>();

  async function first(key: string, fingerprint: string, compute: () => Promise<Answer>): Promise<Answer> {
    const computing = compute();
    pending.set(key, { fingerprint, answer: computing.catch(() => undefined) });
    try {
      const answer = await computing;
      kept.set(key, { fingerprint, answer });
      return answer;
    } finally {
      pending.delete(key);
    }
  }

  return {
    async once({ key, fingerprint, signal, compute }) {
      for (;;) {
        const known = kept.get(key);
        const underway = known ?? pending.get(key);
        if (!underway) return { answer: await first(key, fingerprint, compute), repeated: false };
        if (underway.fingerprint !== fingerprint) {
          throw new Problem(
            422,
            'key-reused',
            'This Idempotency-Key came with another request before. Choose a new key for each new request.',
          );
        }
        const answer = await orAborted(underway.answer, signal);
        if (answer) return { answer, repeated: true };
      }
    },
  };
}

function orAborted<T>(value: T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    Promise.resolve(value)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}
