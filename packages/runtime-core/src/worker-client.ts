/**
 * The program's end of one worker, which may hold several sessions: opened, used and closed from here. The worker ends
 * with its last session. Which image goes to which worker is pool.ts.
 */
import { CycleganError } from './errors.js';
import type { Progress } from './translator.js';
import { connect, type Port } from './worker-link.js';
import type { Answer, HostFunctions, Job, Opened, OpenRequest, WorkerFunctions } from './worker-protocol.js';

/** A started worker. */
export interface WorkerHandle {
  port: Port;
  /** Calls back once when the worker dies by itself (an uncaught error, a failed load, out of memory). */
  onFailure(listener: (error: Error) => void): void;
  /**
   * Ends the worker: at once where that is safe, or else after `idle`.
   * @param idle settles when the worker computes nothing any more and has freed its sessions; never rejects
   */
  terminate(idle?: Promise<void>): Promise<void>;
}

type ProgressListener = (progress: Progress) => void;

/** A session in a worker. All its calls reject once the worker has died, with one sentence that says so. */
export interface RemoteSession {
  opened: Promise<Opened>;
  /** How its worker died, once it did. */
  readonly failure: CycleganError | undefined;
  /** @param listeners of progress, in the order of the jobs */
  translate(
    jobs: readonly Job[],
    listeners: readonly (ProgressListener | undefined)[],
  ): Promise<readonly Answer[]>;
  abort(id: number): void;
  /** Frees the session, also one that is still being opened, and with the last one the worker. */
  close(): Promise<void>;
}

export interface WorkerClient<Source> {
  /** Whether a further session may be opened: the worker neither died nor was ended. */
  readonly usable: boolean;
  /** @param onProgress of the opening */
  open(request: OpenRequest<Source>, onProgress: ProgressListener): RemoteSession;
}

let ids = 0;

/** A number that was not used before in this program: for sessions and jobs. */
export function nextId(): number {
  ids += 1;
  return ids;
}

/** @param name of the worker, for messages: the device that it computes on */
export function connectWorker<Source>(name: string, handle: WorkerHandle): WorkerClient<Source> {
  const listeners = new Map<number, ProgressListener>();
  const link = connect<WorkerFunctions<Source>, HostFunctions>(
    // As a microtask of its own, so that what a listener throws surfaces as from any event listener.
    { report: (id, progress) => queueMicrotask(() => listeners.get(id)?.(progress)) },
    handle.port,
  );
  let failure: CycleganError | undefined;
  let ended = false;
  let sessions = 0;
  handle.onFailure((cause) => {
    if (failure || ended) return;
    failure = new CycleganError(
      'device',
      `[translator] ${name}: expected its worker to live, got "${cause.message}". Use smaller tiles or another device if it dies again.`,
      { cause },
    );
    link.close(failure);
  });

  async function closeSession(id: number): Promise<void> {
    // A worker that died cannot close; it needs no closing then.
    const idle = link.remote.close(id).catch(() => undefined);
    sessions -= 1;
    if (sessions > 0) return idle;
    ended = true;
    await handle.terminate(idle);
    link.close(new CycleganError('aborted', '[translate] image: the translator was disposed.'));
  }

  return {
    get usable() {
      return !failure && !ended;
    },
    open(request, onProgress) {
      const id = nextId();
      let closing: Promise<void> | undefined;
      sessions += 1;
      listeners.set(id, onProgress);
      return {
        opened: link.remote.open(id, request).finally(() => listeners.delete(id)),
        get failure() {
          return failure;
        },
        async translate(jobs, progress) {
          for (const [i, job] of jobs.entries()) {
            const listener = progress[i];
            if (listener) listeners.set(job.id, listener);
          }
          try {
            return await link.remote.translate(id, jobs);
          } finally {
            for (const job of jobs) listeners.delete(job.id);
          }
        },
        abort(job) {
          listeners.delete(job);
          if (!failure && !ended) void link.remote.abort(job);
        },
        close() {
          closing ??= closeSession(id);
          return closing;
        },
      };
    },
  };
}
