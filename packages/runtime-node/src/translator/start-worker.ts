/**
 * Starts the worker threads that hold sessions, and ends them without taking the process along. What they hold, and for
 * whom, is pools.ts.
 */
import { Worker } from 'node:worker_threads';
import type { WorkerHandle } from '@cyclegan/runtime-core';
import type { WorkerSettings } from './session.js';
import { endTurn, guardExit, type Turn } from './turn.js';

let workers = 0;

/**
 * A fresh thread, which keeps the process alive until it is terminated.
 * @param turn shared with the workers beside which it must not compute
 */
export function startWorker(turn: Turn): WorkerHandle {
  workers += 1;
  const settings: WorkerSettings = { turn, worker: workers };
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: settings,
    // The program's own flags (--input-type, loaders) are not for this file.
    execArgv: [],
  });
  const unguard = guardExit(turn);
  worker.once('exit', () => {
    endTurn(turn, settings.worker);
    unguard();
  });
  return {
    port: {
      post: (message, transfer) => worker.postMessage(message, transfer),
      onMessage: (listener) => worker.on('message', listener),
    },
    onFailure(listener) {
      worker.once('error', (error) => listener(error instanceof Error ? error : new Error(String(error))));
      worker.once('exit', (code) => listener(new Error(`its thread ended with ${code}`)));
    },
    async terminate(idle) {
      // A thread that is ended within a native call takes the whole process along.
      await idle;
      await worker.terminate();
    },
  };
}
