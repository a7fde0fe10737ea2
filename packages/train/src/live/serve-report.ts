/**
 * The live page of a run on this machine: started here, served by a worker thread, as a training step holds the event
 * loop for as long as it takes. Trains nothing and writes nothing.
 */
import { Worker } from 'node:worker_threads';
import { CycleganError } from '@cyclegan/runtime-core';
import type { ServerMessage, ServerOptions } from './server-worker.js';

export interface ServeReportOptions {
  /** The run folder, which need not be there yet. */
  run: string;
  /** Closes the server when it fires. */
  signal?: AbortSignal | undefined;
  /** Default: any that is free. */
  port?: number | undefined;
}

/** A page that is served until it is closed. */
export interface ReportServer {
  /** For the browser of this machine; nobody else can reach it. */
  readonly url: string;
  /** Tells open pages that training has ended, after what is newest, and stops the server. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves a run's report on 127.0.0.1: the page, its sample pictures, and what changes as it changes.
 * @throws CycleganError `output` when the port is taken
 */
export async function serveReport({ run, signal, port = 0 }: ServeReportOptions): Promise<ReportServer> {
  const options: ServerOptions = { run, port };
  const worker = new Worker(new URL('./server-worker.js', import.meta.url), {
    workerData: options,
    // Flags of the program that trains, such as those for --eval, would keep the thread from starting.
    execArgv: [],
  });
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  const listening = await new Promise<number>((resolve, reject) => {
    // Stays to the end: training goes on when its page fails.
    worker.on('error', reject);
    worker.once('message', (message: ServerMessage) => {
      if ('port' in message) resolve(message.port);
      else reject(unreachable(port, message.failure));
    });
  });
  // Left open, it must not keep a process alive whose training is over.
  worker.unref();
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= (async () => {
      signal?.removeEventListener('abort', close);
      worker.ref();
      worker.postMessage('close');
      await exited;
    })();
    return closed;
  };
  signal?.addEventListener('abort', close);
  if (signal?.aborted) await close();
  return { url: `http://127.0.0.1:${listening}/`, close };
}

function unreachable(port: number, failure: string): CycleganError {
  return new CycleganError(
    'output',
    `[train] live report: expected to listen on 127.0.0.1, port ${port || 'any'}, got ${failure}. Choose another port, or leave it out.`,
  );
}
