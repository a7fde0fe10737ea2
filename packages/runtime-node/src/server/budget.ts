/** The bytes of images that are held at a time, over all requests: what keeps the server's memory bounded. */
import { comeBackLater } from './problem.js';
import type { Turns } from './turns.js';

/** One request's part of the budget. */
export interface Share {
  /** @throws Problem 503 when the bytes do not fit */
  take(bytes: number): void;
  /** Takes whether they fit or not: of an answer that was computed, which those who come later are refused for. */
  add(bytes: number): void;
  /** Gives back all that was taken, and takes nothing from now on. Idempotent. */
  release(): void;
}

export interface Budget {
  /** Bytes that are taken now. */
  readonly used: number;
  /** @throws Problem 503 when that many would not fit now; takes none */
  assertRoom(bytes: number): void;
  open(): Share;
}

export function createBudget(bytes: number, turns: Pick<Turns, 'retryAfter'>): Budget {
  let used = 0;
  const assertRoom = (more: number) => {
    if (used + more <= bytes) return;
    throw comeBackLater(
      'busy',
      'More images are being received than there is memory for. Try again later.',
      turns.retryAfter(),
    );
  };
  return {
    get used() {
      return used;
    },
    assertRoom,
    open() {
      let taken = 0;
      let released = false;
      const add = (more: number) => {
        if (released) return;
        used += more;
        taken += more;
      };
      return {
        take(more) {
          assertRoom(more);
          add(more);
        },
        add,
        release() {
          released = true;
          used -= taken;
          taken = 0;
        },
      };
    },
  };
}
