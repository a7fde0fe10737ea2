/** A model on an execution provider of this machine, run in a process of its own so that a crash is only a failure. */
import { fork } from 'node:child_process';
import type { Tensor } from '@cyclegan/graph';
import type { ConcreteDevice } from '@cyclegan/runtime-core';
import type { PlacedNodes } from './placement.js';

/** What crosses to the process. */
export interface ProviderRequest {
  /** The file's path. */
  model: string;
  device: ConcreteDevice;
  /** One map of inputs by name for each run. */
  feeds: readonly ReadonlyMap<string, Tensor>[];
}

export interface ProviderRun {
  /** By name, one map for each run. */
  outputs: readonly ReadonlyMap<string, Tensor>[];
  nodes: PlacedNodes[];
}

/** What comes back. */
export type ProviderAnswer = ProviderRun | { error: string };

/**
 * Runs a model as runtimes do, optimised.
 * @param signal ends the process
 * @throws Error saying why the provider could not run it, or how its process ended
 */
export async function runOnProvider(
  request: ProviderRequest,
  signal: AbortSignal | undefined,
): Promise<ProviderRun> {
  const child = fork(new URL('./provider-child.js', import.meta.url), {
    // Tensors go across as they are.
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // The program's own flags (--input-type, loaders) are not for this file.
    execArgv: [],
    ...(signal && { signal, killSignal: 'SIGKILL' }),
  });
  const answer = await new Promise<ProviderAnswer>((resolve) => {
    child.once('message', (message) => resolve(message as ProviderAnswer));
    child.once('error', ({ message }) => resolve({ error: message }));
    child.once('exit', (code, by) =>
      resolve({ error: `the process of the ${request.device} provider ended with ${by ?? code}` }),
    );
    child.send(request);
  });
  if ('error' in answer) throw new Error(answer.error);
  return answer;
}
