/** Ctrl-C: the first one asks the work to end and save, the second one ends the process at once. */

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Gives the signals back to Node. */
  dispose(): void;
}

/** What a shell reports for a program that a Ctrl-C ended. */
export const INTERRUPTED = 130;

/** Ctrl-C, a polite kill, and a terminal that was closed. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * @param say told what will happen, on the first one
 * @param cleanUp called before the second one ends the process: leaves the terminal as it was
 */
export function createInterrupt(say: (text: string) => void, cleanUp: () => void): Interrupt {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) {
      cleanUp();
      process.exit(INTERRUPTED);
    }
    say('Stopping: what is done is kept. Press Ctrl-C again to end at once.');
    controller.abort();
  };
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    dispose() {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
