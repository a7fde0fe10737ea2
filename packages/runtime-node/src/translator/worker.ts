/**
 * A worker thread that holds sessions. Not imported: started by start-worker.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { serveTranslator } from '@cyclegan/runtime-core';
import type { NodeSource } from './bundle.js';
import { openSession, type WorkerSettings } from './session.js';

if (!parentPort) throw new Error('internal: worker.js runs as a worker thread only');
const port = parentPort;
const settings: WorkerSettings = workerData;
serveTranslator<NodeSource>(
  {
    post: (message, transfer) => port.postMessage(message, transfer),
    onMessage: (listener) => port.on('message', listener),
  },
  (request) => openSession(request, settings),
);
