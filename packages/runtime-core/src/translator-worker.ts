/**
 * The worker's half of a translator: sessions, one run at a time, a queue in front of them. What a session is and how
 * it is opened comes from the runtime; nothing here knows ONNX Runtime.
 */
import { errorToData } from './errors.js';
import type { ModelEntry } from './manifest.js';
import { runSelfCheck } from './self-check.js';
import {
  isWhole,
  type PlanesSession,
  prepareImage,
  translatePixels,
  translateWhole,
} from './translate-pixels.js';
import type { Progress } from './translator.js';
import { connect, type Port } from './worker-link.js';
import type { Answer, HostFunctions, Job, Opened, OpenRequest, WorkerFunctions } from './worker-protocol.js';

/** A session that a runtime opened; the worker owns it. */
export interface Session extends PlanesSession {
  threads: number;
  /** Frees the session and what of the pair for tiles was opened. */
  release(): Promise<void>;
}

/** Opens the session that a request asks for. Throws what its provider throws. */
export type OpenSession<Source> = (request: OpenRequest<Source>) => Promise<Session>;

/** From so many pixels on, an image takes so long that a millisecond spent on hearing of its end is well spent. */
const LONG_RUN_PIXELS = 384 * 384;

interface OpenModel {
  model: ModelEntry;
  session: Session;
}

/** Serves translators over a port; to be called once, at the top of a worker's module. */
export function serveTranslator<Source>(port: Port, openSession: OpenSession<Source>): void {
  const opened = new Map<number, OpenModel>();
  const accepted = new Map<number, { session: number; controller: AbortController }>();
  // What is computed, one after the other.
  let last: Promise<unknown> = Promise.resolve();

  function inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  }

  async function open(id: number, request: OpenRequest<Source>): Promise<Opened> {
    const started = performance.now();
    const { model } = request;
    const session = await openSession(request);
    report(id, { stage: 'session', done: 1, total: 1 });
    try {
      const selfCheckError = await runSelfCheck(model, async (planes) => {
        const [answer] = await session.run([planes]);
        if (!answer) throw new Error('internal: a run without an answer');
        return answer;
      });
      report(id, { stage: 'check', done: 1, total: 1 });
      opened.set(id, { model, session });
      return { selfCheckError, threads: session.threads, loadMs: performance.now() - started };
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  async function answer({ model, session }: OpenModel, job: Job): Promise<Answer> {
    const started = performance.now();
    const signal = accepted.get(job.id)?.controller.signal;
    const onProgress = (progress: Progress) => report(job.id, progress);
    try {
      const frame = await translatePixels({ ...job, model, session, signal, onProgress });
      return { frame, runMs: performance.now() - started };
    } catch (error) {
      return { error: errorToData(error) };
    }
  }

  /** Undefined where they cannot share a run, or it failed: taken one by one, they say which of them is to blame. */
  async function answerTogether(
    { model, session }: OpenModel,
    jobs: readonly Job[],
  ): Promise<Answer[] | undefined> {
    const started = performance.now();
    try {
      const images = jobs.map(({ pixels, memory, ...job }) =>
        // A copy, so that one by one they would begin as they came; and each with its share of the memory.
        prepareImage(
          { ...pixels, data: pixels.data.slice() },
          { ...job, model, memory: memory && memory / jobs.length },
        ),
      );
      if (!images.every(isWhole)) return undefined;
      await translateWhole(images, { model, session });
      const runMs = performance.now() - started;
      return images.map(({ output }, i) => {
        report(jobs[i]?.id ?? 0, { stage: 'tile', done: 1, total: 1 });
        return { frame: { pixels: output, statistics: null }, runMs };
      });
    } catch {
      return undefined;
    }
  }

  async function answerAll(session: number, jobs: readonly Job[]): Promise<Answer[]> {
    const model = opened.get(session);
    if (!model) throw new Error('internal: translate before open');
    if (jobs.some(({ pixels }) => pixels.width * pixels.height >= LONG_RUN_PIXELS)) {
      // What computes on this thread lets no message in: a timer does.
      await new Promise((resolve) => setTimeout(resolve));
    }
    const live = jobs.filter(({ id }) => !accepted.get(id)?.controller.signal.aborted);
    const together = live.length > 1 ? await answerTogether(model, live) : undefined;
    const answers: Answer[] = [];
    for (const job of jobs) answers.push(together?.[live.indexOf(job)] ?? (await answer(model, job)));
    return answers;
  }

  const functions: WorkerFunctions<Source> = {
    open: (id, request) => inOrder(() => open(id, request)),
    translate(session, jobs) {
      for (const { id } of jobs) accepted.set(id, { session, controller: new AbortController() });
      return inOrder(() => answerAll(session, jobs)).finally(() => {
        for (const { id } of jobs) accepted.delete(id);
      });
    },
    abort(id) {
      accepted.get(id)?.controller.abort();
    },
    close(session) {
      for (const job of accepted.values()) if (job.session === session) job.controller.abort();
      return inOrder(async () => {
        const model = opened.get(session);
        opened.delete(session);
        await model?.session.release();
      });
    },
  };
  const { remote } = connect<HostFunctions, WorkerFunctions<Source>>(functions, port);
  const report = (id: number, progress: Progress) => void remote.report(id, progress);
}
