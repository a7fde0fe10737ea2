/** The pause between two pieces of long work on one thread. */
import { throwIfAborted } from './errors.js';

/**
 * Lets messages in, among them the request to stop: a provider that computes on this thread never does; a timer does.
 * @throws CycleganError `aborted`
 */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
  throwIfAborted(signal, '[translate] image');
}
