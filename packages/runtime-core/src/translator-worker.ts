/**
 * The worker's half of a translator: one session, one run at a time, a queue in front of it. What a session is and
 * how it is opened comes from the runtime; nothing here knows ONNX Runtime.
 */
import { runSelfCheck } from './self-check.js';
import { type RunPlanes, translatePixels } from './translate-pixels.js';
import type { Progress } from './translator.js';
import type { HostFunctions, Opened, OpenRequest, WorkerFunctions } from './translator-host.js';
import { connect, type Port } from './worker-link.js';

/** A session that a runtime opened; the worker owns it. */
export interface Session {
  run: RunPlanes;
  threads: number;
  release(): Promise<void>;
}

/** Opens the session that a request asks for. Throws what its provider throws. */
export type OpenSession<Source> = (request: OpenRequest<Source>) => Promise<Session>;

/** Serves one translator over a port; to be called once, at the top of a worker's module. */
export function serveTranslator<Source>(port: Port, openSession: OpenSession<Source>): void {
  const running = new Map<number, AbortController>();
  // What is computed, one after the other: the opening first, then image by image.
  let last: Promise<unknown> = Promise.resolve();
  let current: (OpenRequest<Source> & { session: Session }) | undefined;

  async function open(request: OpenRequest<Source>): Promise<Opened> {
    const started = performance.now();
    const session = await openSession(request);
    report(0, { stage: 'session', done: 1, total: 1 });
    try {
      const selfCheckError = await runSelfCheck(request.model, session.run);
      report(0, { stage: 'check', done: 1, total: 1 });
      current = { ...request, session };
      return { selfCheckError, threads: session.threads, loadMs: performance.now() - started };
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  const functions: WorkerFunctions<Source> = {
    open(request) {
      const opening = open(request);
      last = opening.catch(() => undefined);
      return opening;
    },
    translate(id, pixels) {
      const controller = new AbortController();
      const { signal } = controller;
      running.set(id, controller);
      const job = last.then(() => {
        if (!current) throw new Error('internal: translate before open');
        const { model, tile, session } = current;
        const onProgress = (progress: Progress) => report(id, progress);
        return translatePixels({ pixels, model, tile, run: session.run, signal, onProgress });
      });
      last = job.catch(() => undefined);
      return job.finally(() => running.delete(id));
    },
    abort(id) {
      running.get(id)?.abort();
    },
    async close() {
      for (const controller of running.values()) controller.abort();
      await last;
      await current?.session.release();
    },
  };
  const { remote } = connect<HostFunctions, WorkerFunctions<Source>>(functions, port);
  const report = (id: number, progress: Progress) => void remote.report(id, progress);
}
