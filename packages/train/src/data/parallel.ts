/** The same work for each of many images, a few at a time, with word of how far it is. */
import { availableParallelism } from 'node:os';
import { throwIfAborted } from '@cyclegan/runtime-core';

const PROGRESS_AFTER_MS = 2_000;
const PROGRESS_EVERY_MS = 200;

export interface ParallelOptions {
  /** What is done, for the message when it is stopped. */
  what: string;
  /** Called while it goes on, once that has taken two seconds, and then at its end. */
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Calls `work` for each, as many at once as there are cores, and one more.
 * @throws CycleganError `aborted`; else what `work` threw first
 */
export async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
  { what, onProgress, signal }: ParallelOptions,
): Promise<void> {
  const waiting = items.values();
  let done = 0;
  let reportAt = Date.now() + PROGRESS_AFTER_MS;
  let reported = false;
  const worker = async () => {
    for (const item of waiting) {
      throwIfAborted(signal, what);
      await work(item);
      done++;
      if (Date.now() >= reportAt) {
        reportAt = Date.now() + PROGRESS_EVERY_MS;
        reported = true;
        onProgress?.({ done, total: items.length });
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, worker));
  if (reported) onProgress?.({ done, total: items.length });
}
