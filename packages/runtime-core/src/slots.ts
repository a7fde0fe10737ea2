/** A number of places, taken in the order of asking; who waits for one can be called away. */

export interface Slots {
  /**
   * @returns a function that gives the place back, to be called once
   * @throws the signal's reason, as soon as it fires
   */
  take(signal: AbortSignal): Promise<() => void>;
}

/** @param count places, above 0 */
export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];

  function giveBack(): void {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  }

  return {
    async take(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return giveBack;
      }
      await new Promise<void>((resolve, reject) => {
        const begin = () => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = () => {
          waiting.splice(waiting.indexOf(begin), 1);
          reject(signal.reason);
        };
        signal.addEventListener('abort', leave, { once: true });
        waiting.push(begin);
      });
      return giveBack;
    },
  };
}
